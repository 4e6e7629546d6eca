"""What a Dask worker does with a shard: the ordinary pyinfra in a process of its own, whose report comes back.

What is handed over and what comes back goes through the scheduler, so no secret is in it: pyinfra finds them where the worker is.
This runs in Dask's process, so pyinfra itself is imported only in others.
"""

from __future__ import annotations

import asyncio
import ctypes
import json
import os
import runpy
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..report.key import VARIABLE as KEY
from ..report.model import PART_OF
from ..stack.shards import PROGRESS, VARIABLE
from .inventory import ERROR

if TYPE_CHECKING:
    from distributed import Client, Event

EVERY = 1  # seconds between two looks at how far a shard is
PATIENCE = 600  # seconds for reading the inventory and asking the sources of secrets
_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2)


@dataclass(frozen=True)
class Agreed:
    """What a run depends on where its workers agree: see `inputs`.

    + key: of the digests, made for this run
    + words: of pyinfra's command line
    """

    key: bytes = field(repr=False)
    words: tuple[str, ...]
    digests: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True)
class Outcome:
    """What the run of a shard came to.

    + report: its JSON form, or None when it left none; as bytes, until it was looked at by `received`
    + said: why there is none, or why it cannot be trusted
    + where: the worker's machine; seconds: how long it took
    + stopped: it was to end before it was done
    + unfit: nothing was run, for this worker would not do the same as the others
    """

    report: Any
    said: str = ""
    where: str = ""
    seconds: float = 0
    stopped: bool = False
    unfit: bool = False


def run(hosts: Sequence[str], words: Sequence[str], run: str, key: str, agreed: Agreed | None = None) -> Outcome:
    """`pyinfra inventory deploy.py` for these hosts, in the folder that the worker was started in.

    + words: further words of its command line
    + run: the id of the whole run
    + key: of the fingerprints that all shards show
    + agreed: what a worker that came after the others were compared is compared with
    """
    began, where = time.monotonic(), socket.gethostname()
    if agreed and (why := _unfit(agreed)):
        return Outcome(None, f"The worker on {where} {why}", where, unfit=True)
    if run in _stopped or stopped_event(run).is_set():
        return Outcome(None, where=where, stopped=True)
    folder = Path(tempfile.mkdtemp(prefix="fleet-"))
    (folder / "hosts").write_text("\n".join(hosts))
    # its hosts are those of one wave
    data = (f"report_dir={folder}/reports", 'rollout_waves=["100%"]')
    command = [sys.executable, "-m", __name__, str(os.getpid()), *words, *(word for one in data for word in ("--data", one))]
    env = {VARIABLE: f"@{folder}/hosts", PROGRESS: f"{folder}/progress", PART_OF: run, KEY: key}
    status = _wait([*command, "inventory", "deploy.py"], env, folder, run, partial(_tell, run, hosts[0], "--dry" in words))
    report, said, stopped = None, "", run in _stopped
    latest = folder / "reports" / "latest.json"
    try:
        report = _read(latest, len(hosts)) if latest.exists() else None
        # pyinfra ends with 1 where a host failed or was not reached, and then the report has it
        well = report and (status == 0 or (status == 1 and not json.loads(report)["run"]["ok"]))
        if not stopped and not well:
            said = _why(status, folder / "output", where)
    except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
        report, said = None, f"The report of its shard on {where} cannot be read ({error}). It is there, in {folder}."
    if str(folder) not in said:
        shutil.rmtree(folder)
    return Outcome(report, said.removeprefix(ERROR), where, time.monotonic() - began, stopped)


def inputs(key: bytes, words: Sequence[str]) -> Mapping[str, Any]:
    """What a run here depends on besides its hosts, as `digests`; or the `problems` that keep that from being known."""
    if key not in _inputs:
        command = [sys.executable, "-m", f"{__package__}.inputs", *words]
        try:
            done = subprocess.run(command, input=key.hex(), capture_output=True, text=True, check=True, timeout=PATIENCE)
            _inputs[key] = json.loads(done.stdout)
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            # what it said may hold what is not to be shown
            how = f"exit status {error.returncode}" if isinstance(error, subprocess.CalledProcessError) else type(error).__name__
            return {"problems": [f"What a run there depends on was not found out ({how}). See: pyinfra inventory debug-inventory"]}
    return _inputs[key]


async def asked(key: bytes, words: Sequence[str]) -> Mapping[str, Any]:
    """`inputs`, without keeping Dask's own thread, in which the scheduler's questions are answered."""
    return await asyncio.to_thread(inputs, key, words)


def differing(answers: Iterable[Mapping[str, str]]) -> list[str]:
    """The names of what is not the same in all of these digests."""
    answers = list(answers)
    return [name for name in dict.fromkeys(name for one in answers for name in one) if len({one.get(name) for one in answers}) > 1]


def listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:5])}{f' and {len(names) - 5} more' if names[5:] else ''}"


def _unfit(agreed: Agreed) -> str | None:
    mine = inputs(agreed.key, agreed.words)
    if problems := mine.get("problems"):
        return f"cannot run it: {' '.join(problems)}"
    apart = differing([agreed.digests, mine["digests"]])
    return f"came later and differs from the others in {listed(apart)}. Give it the same, and start it anew." if apart else None


def stop(run: str, number: int) -> None:
    """No shard of this run is begun any more, and those that are being run get a signal."""
    _stopped.add(run)
    for child, of in list(_children.items()):
        if of == run:
            child.send_signal(number)


def stopped_event(run: str, client: Client | None = None) -> Event:
    """Is set at the scheduler when a run has been stopped: a worker that comes after `stop` was told does not know of it."""
    from distributed import Event

    return Event(f"stopped-{run}", client=client)


def limit(hosts: int) -> int:
    """How many bytes a report of so many hosts may have; a usual one has 7 KB a host."""
    return 1_000_000 + 500_000 * hosts


_inputs: dict[bytes, Mapping[str, Any]] = {}
_stopped: set[str] = set()
_children: dict[subprocess.Popen[bytes], str] = {}


def _wait(command: Sequence[str], env: Mapping[str, str], folder: Path, run: str, tell: Callable[[Path], None]) -> int:
    with (folder / "output").open("wb") as file:
        # a session of its own: Ctrl-C at the runner's terminal comes through `stop`, once
        child = subprocess.Popen(
            command, env={**os.environ, "PYINFRA_PROGRESS": "off", **env}, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=file,
        )  # fmt: skip
        _children[child] = run
        if run in _stopped:  # since this began
            child.send_signal(signal.SIGINT)
        try:
            while True:
                with suppress(subprocess.TimeoutExpired):
                    return child.wait(EVERY)
                tell(folder / "progress")
        finally:
            del _children[child]


def _tell(run: str, shard: str, looks: bool, path: Path) -> None:
    """Tell the runner how far a shard is.

    + shard: its first host
    + looks: whether it only looks; else what it saw before it began to change something does not count
    """
    from distributed import get_worker

    with suppress(OSError, ValueError):  # it has not begun
        what, part = path.read_text().split()
        if what == ("looked" if looks else "changed"):
            get_worker().log_event(progress_topic(run), [shard, float(part)])


def progress_topic(run: str) -> str:
    """Under which the workers tell how far the shards of a run are."""
    return f"progress-{run}"


def _read(path: Path, hosts: int) -> bytes:
    with path.open("rb") as file:
        content = file.read(limit(hosts) + 1)
    if len(content) > limit(hosts):
        raise ValueError(f"it has more than {limit(hosts)} bytes")
    return content


def _why(status: int, output: Path, where: str) -> str:
    """What a person needs to know. Only the project's own errors are passed on; anything else may hold what is not to be shown."""
    _, error, text = output.read_text(errors="replace").rpartition(ERROR)
    if error and status == 1:
        return f"{ERROR}On {where}: {text.partition(chr(10) + '-->')[0].strip()}"
    ended = f"was ended by signal {-status}" if status < 0 else f"ended with exit status {status}"
    return f"The run of its shard on {where} {ended}. What it said is there, in {output}."


def main() -> None:
    """The process of a shard: pyinfra, which ends with the worker that started it, so that nobody else meets it at work."""
    parent = int(sys.argv.pop(1))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() == parent:
        runpy.run_module("pyinfra", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
