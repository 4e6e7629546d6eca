"""Visitors of Open WebUI through a proxy, in a container: some ask for pages, some hold a WebSocket, until SIGTERM or for a time.

Arguments: host:port, seconds. Standard output: "ready" when all are served, and at the end a line of JSON: how many pages were
asked for and which requests failed; how many WebSockets were closed, the longest time that one was away, how many never came back.
"""

# mypy: ignore-errors
# (what it imports is in the lab's image alone)

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
import urllib.request

import websockets

AT, SECONDS = sys.argv[1], float(sys.argv[2])
PAGES = ("/health", "/lab/redis")
did = {"asked": 0, "failed": [], "closed": 0, "away": 0.0, "lost": 0}
stopping, served = asyncio.Event(), set()


def page(path: str) -> None:
    with urllib.request.urlopen(f"http://{AT}{path}", timeout=15) as answer:
        answer.read()


async def ask(number: int) -> None:
    while not stopping.is_set():
        path = PAGES[did["asked"] % 2]
        did["asked"] += 1
        try:
            await asyncio.to_thread(page, path)
            served.add(f"pages {number}")
        except Exception as error:
            did["failed"].append(f"{time.strftime('%H:%M:%S')} {path}: {type(error).__name__}: {error}")
        await asyncio.sleep(0.05)


async def hold(number: int) -> None:
    """Connects as a browser does, answers pings, and connects again when it is closed."""
    since = time.monotonic()
    while not stopping.is_set():
        try:
            async with websockets.connect(f"ws://{AT}/ws/socket.io/?EIO=4&transport=websocket", open_timeout=5) as socket:
                await socket.recv()
                await socket.send("40")
                await asyncio.wait_for(socket.recv(), 5)
                if f"socket {number}" in served:
                    did["away"] = max(did["away"], time.monotonic() - since)
                served.add(f"socket {number}")
                since = None
                while not stopping.is_set():
                    try:
                        if await asyncio.wait_for(socket.recv(), 1) == "2":
                            await socket.send("3")
                    except (asyncio.TimeoutError, TimeoutError):
                        pass
        except Exception:
            if since is None:
                did["closed"] += 1
                since = time.monotonic()
            await asyncio.sleep(0.2)
    did["lost"] += since is not None


async def main() -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    work = [asyncio.create_task(one) for one in (ask(1), ask(2), *(hold(number) for number in range(10)))]
    until = time.monotonic() + SECONDS
    while time.monotonic() < until and not stopping.is_set():
        await asyncio.sleep(0.1)
        if len(served) == len(work):
            print("ready", flush=True)
            served.add("all")
    stopping.set()
    await asyncio.gather(*work)
    print(json.dumps(did), flush=True)


asyncio.run(main())
