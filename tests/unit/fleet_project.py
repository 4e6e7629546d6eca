"""A project in which pyinfra is a stand-in that does as it is told, for the runner of fleets: no host, and an answer at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyinfra

ROOT = Path(__file__).parents[2]
_REAL = str(Path(pyinfra.__file__).parent)

# acts.json: host → what happens in a preview and in a run: a status, or one of the misfortunes below
_PYINFRA = """
import json, os, signal, sys, time
from datetime import datetime, timezone
from pathlib import Path

sys.path.insert(0, os.getcwd())
from operations.report import files
from operations.report.model import HostReport, RunReport

words, acts, data = sys.argv[1:], json.loads(Path("acts.json").read_text()), {}
for before, word in zip(words, words[1:]):
    if before == "--data":
        data.update([word.split("=", 1)])
if "debug-inventory" in words:
    print(json.dumps([{"name": name, **about} for name, about in json.loads(Path("hosts.json").read_text()).items()]))
    sys.exit()
dry, mine, now = "--dry" in words, Path(os.environ["FLEET_SHARD"][1:]).read_text().split(), datetime.now(timezone.utc)
with open("calls", "a") as calls:
    calls.write(json.dumps({"dry": dry, "hosts": mine, "run": os.environ["FLEET_RUN"], "pid": os.getpid(), "words": words,
                            "key": os.environ.get("FLEET_FINGERPRINT_KEY")}) + "\\n")
print("the password is", os.environ.get("REDIS_PASSWORD"), file=sys.stderr)


def part(name):
    act = acts[name]["look" if dry else "run"]
    if act == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if act == "refused":
        print("--> pyinfra error: Nothing was connected or changed. There is no secret\\n--> More", file=sys.stderr)
        sys.exit(1)
    if act == "kills its worker":
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(60)
    if act == "waits":  # the first time
        if not Path("waited").exists():
            Path("waited").write_text(f"{os.getppid()} {os.getpid()}")
            signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
            time.sleep(60)
        act = "changed"
    if act == "half done":
        Path(os.environ["FLEET_PROGRESS"]).write_text("changed 0.500")
        time.sleep(5)
        act = "changed"
    if act == "no report":
        act = "changed"
    if act == "all hosts":  # as an inventory of one's own that does not know of shards
        act = "changed"
    return HostReport(name, act, error="it broke" if act == "failed" else None)


if any(acts[name]["look"] == "all hosts" for name in mine):
    mine = list(acts)
hosts = tuple(part(name) for name in mine)
report = RunReport(os.environ["FLEET_RUN"], now, now, {}, hosts, dry)
files.write(report, Path(data["report_dir"]))
if any(acts[name]["look" if dry else "run"] == "no report" for name in mine):
    (Path(data["report_dir"]) / "latest.json").write_text("[" * 100_000)
sys.exit(0 if all(host.status in ("ok", "changed") for host in hosts) else 1)
"""


class Project:
    """Hosts that do in a preview and in a run as they are told.

    + hosts: name → what happens in a run; in a preview each needs a change, unless `look` says otherwise
    """

    def __init__(self, folder: Path, hosts: Mapping[str, str], look: Mapping[str, str] | None = None, **data: object) -> None:
        self.folder = folder
        (folder / "operations").symlink_to(ROOT / "operations")
        (folder / "pyinfra").mkdir()
        # the real one's modules, of which only the command line is a stand-in
        (folder / "pyinfra" / "__init__.py").write_text(f"__path__.append({_REAL!r})\n" + (Path(_REAL) / "__init__.py").read_text())
        (folder / "pyinfra" / "__main__.py").write_text(_PYINFRA)
        acts = {name: {"look": (look or {}).get(name, "changed"), "run": act} for name, act in hosts.items()}
        (folder / "acts.json").write_text(json.dumps(acts))
        about = {name: {"groups": ["web"], "data": {"report_dir": "reports", **data}} for name in hosts}
        (folder / "hosts.json").write_text(json.dumps(about))

    def start(self, *words: str, **env: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "operations", "fleet", "run", *words], cwd=self.folder, text=True,
            env={**os.environ, "REDIS_PASSWORD": "Marker_Password-0123456789abcdef", "TMPDIR": str(self.folder), **env},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip

    def run(self, *words: str, **env: str) -> tuple[int, str]:
        """The exit status, and what was said."""
        started = self.start(*words, **env)
        said, _ = started.communicate(timeout=120)
        return started.returncode, said

    @property
    def report(self) -> dict[str, Any]:
        return dict(json.loads((self.folder / "reports" / "latest.json").read_text()))

    def statuses(self) -> dict[str, str]:
        return {name: host["status"] for name, host in self.report["hosts"].items()}

    @property
    def calls(self) -> Sequence[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / "calls").read_text().splitlines()]

    def await_waiting(self) -> tuple[int, int]:
        """The processes of a worker and of the pyinfra that waits in it."""
        waited = self.folder / "waited"
        for _ in range(600):
            if waited.exists() and (words := waited.read_text().split()):
                return int(words[0]), int(words[1])
            time.sleep(0.1)
        raise TimeoutError("nothing waits")
