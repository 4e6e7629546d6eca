"""What a Dask worker does with a shard: the ordinary pyinfra in a process of its own, whose report comes back.

What is handed over and what comes back goes through the scheduler, so no secret is in it: pyinfra finds them where the worker is.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import re
import runpy
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..report.key import VARIABLE as KEY
from ..report.model import PART_OF
from ..stack.shards import VARIABLE

ERROR = "--> pyinfra error: "
_LOAD = f"{__name__.partition('.')[0]}.controller.inventory.load"
_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2)
_CODE = (".py", ".sh", ".awk", ".yml", ".j2")
_SECRET = re.compile(rb"""Secret\(["']([A-Z][A-Z0-9_]*)""")


@dataclass(frozen=True)
class Outcome:
    """What the run of a shard came to.

    + report: its JSON form, or None when it left none
    + said: why there is none, or why it cannot be trusted
    + where: the worker's machine; seconds: how long it took
    + stopped: it was to end before it was done
    """

    report: Mapping[str, Any] | None
    said: str = ""
    where: str = ""
    seconds: float = 0
    stopped: bool = False


def run(hosts: Sequence[str], words: Sequence[str], run: str, key: str) -> Outcome:
    """`pyinfra inventory deploy.py` for these hosts, in the folder that the worker was started in.

    + words: further words of its command line
    + run: the id of the whole run
    + key: of the fingerprints that all shards show
    """
    began, where = time.monotonic(), socket.gethostname()
    if run in _stopped:
        return Outcome(None, where=where, stopped=True)
    folder = Path(tempfile.mkdtemp(prefix="fleet-"))
    (folder / "hosts").write_text("\n".join(hosts))
    # its hosts are those of one wave
    data = (f"report_dir={folder}/reports", 'rollout_waves=["100%"]')
    command = [sys.executable, "-m", __name__, str(os.getpid()), *words, *(word for one in data for word in ("--data", one))]
    env = {VARIABLE: f"@{folder}/hosts", PART_OF: run, KEY: key}
    status = _wait([*command, "inventory", "deploy.py"], env, folder / "output", run)
    latest = folder / "reports" / "latest.json"
    report = json.loads(latest.read_text()) if latest.exists() else None
    said, stopped = "", run in _stopped
    # pyinfra ends with 1 where a host failed or was not reached, and then the report has it
    if not stopped and (report is None or status not in (0, 1) or (status == 1 and report["run"]["ok"])):
        said = _why(status, folder / "output", where)
    elif report and not report["hosts"].keys() <= set(hosts):
        said = f"The inventory on {where} does not keep to {VARIABLE}. Its hosts must come from {_LOAD}."
    if str(folder) not in said:
        shutil.rmtree(folder)
    return Outcome(report, said.removeprefix(ERROR), where, time.monotonic() - began, stopped)


def source() -> str:
    """A digest of what a run here depends on besides its hosts: code, hosts, settings and the secrets in files and environment."""
    # as inventory.py finds them, which would bring all of pyinfra into the worker
    hosts = os.environ.get("FLEET_HOSTS") or "hosts.yml"
    paths = {path for name in ("deploy.py", "inventory", "config.py", ".env", hosts) if (path := Path(name).expanduser()).is_file()}
    paths |= {path for path in (*Path("group_data").rglob("*.py"), *Path(__file__).parents[1].rglob("*")) if path.suffix in _CODE}
    contents = [path.read_bytes() for path in paths]
    names = sorted({name.decode() for content in contents for name in _SECRET.findall(content)})
    parts = sorted(hashlib.sha256(content).hexdigest() for content in contents)
    parts += [f"{name}={os.environ.get(name, '')}" for name in names]
    return hashlib.sha256("\n".join(parts).encode(errors="surrogateescape")).hexdigest()


def stop(run: str, number: int) -> None:
    """No shard of this run is begun any more, and those that are being run get a signal."""
    _stopped.add(run)
    for child, of in list(_children.items()):
        if of == run:
            child.send_signal(number)


_stopped: set[str] = set()
_children: dict[subprocess.Popen[bytes], str] = {}


def _wait(command: Sequence[str], env: Mapping[str, str], output: Path, run: str) -> int:
    with output.open("wb") as file:
        # a session of its own: Ctrl-C at the runner's terminal comes through `stop`, once
        child = subprocess.Popen(
            command, env={**os.environ, "PYINFRA_PROGRESS": "off", **env}, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=file,
        )  # fmt: skip
        _children[child] = run
        if run in _stopped:  # since this began
            child.send_signal(signal.SIGINT)
        try:
            return child.wait()
        finally:
            del _children[child]


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
