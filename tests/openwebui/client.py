"""A signed-in user of Open WebUI, who stays connected over a WebSocket and comes back when the connection is lost.

    client.py <address of Open WebUI> <seconds, then it ends>

Runs in a container of Open WebUI's own image, and prints a line for each thing that happens: `joined` when Open WebUI has taken the
user into its session pool, which lies in redis.
"""

# mypy: ignore-errors
# (what it imports is in the image alone)

from __future__ import annotations

import asyncio
import sys

import httpx
import socketio

USER = {"name": "Lab", "email": "lab@example.org", "password": "only-in-the-lab"}
PAGE = f"{sys.argv[1]}/api/v1/auths/"


def token() -> str:
    """Of the first user, who is made when there is none yet."""
    answer = httpx.post(f"{PAGE}signin", json=USER, timeout=30)
    if answer.status_code != 200:
        answer = httpx.post(f"{PAGE}signup", json=USER, timeout=30)
    answer.raise_for_status()
    return answer.json()["token"]


async def main() -> None:
    auth = {"token": token()}
    client = socketio.AsyncClient(reconnection_delay=0.5, reconnection_delay_max=1)

    @client.event
    async def connect() -> None:
        print("connected", flush=True)
        try:
            user = await client.call("user-join", {"auth": auth}, timeout=10)
            print("joined" if user and user["name"] == USER["name"] else f"refused {user}", flush=True)
        except Exception as error:
            print(f"not joined: {type(error).__name__}", flush=True)

    @client.event
    async def disconnect() -> None:
        print("disconnected", flush=True)

    await client.connect(sys.argv[1], socketio_path="/ws/socket.io", transports=["websocket"], auth=auth)
    await asyncio.sleep(float(sys.argv[2]))
    await client.disconnect()


asyncio.run(main())
