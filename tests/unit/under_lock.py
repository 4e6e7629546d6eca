"""What hosts show a run before and under its lock, by their names; and faults of the program. For the deploys of test_look.py.

Every host shows the state of before a rollout. Where nothing else is said, another operator has rolled a password out by then.
"""

from __future__ import annotations

import atexit
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pyinfra import host
from pyinfra.api import FactBase, StringCommand
from pyinfra.api.host import Host

from operations import backup, lock
from operations.controller import observe as observe_module
from operations.controller import run
from operations.controller.host_plan import HostPlan
from operations.stack.lock import Owner
from operations.stack.snapshot import UNKNOWN, Snapshot, Unknown
from operations.stack.stack import Stack
from tests.unit.stack.hosts import a_stack, all_of, converged, sha256, with_acl_on_disk, with_redis
from tests.unit.stack.plans import before_the_rollout

SHOWN = before_the_rollout()
_OTHER = sha256("Another_Operators-0123456789")
_EVE = Owner("20300101T000000Z-ffff", "eve", "elsewhere", "", "2030-01-01T00:00:00Z")
_ENTRY = {"run": "20300101T000000Z-abcd", "operator": "eve", "controller": "elsewhere", "time": "2030-01-01T00:00:00Z"}


def name() -> str:
    """Of the host in context, without its connector."""
    return str(host.name).partition("/")[2]


def stack() -> Stack:
    return a_stack(report_dir=host.data.folder)


def _changed() -> Snapshot:
    return all_of(with_acl_on_disk(_OTHER), with_redis(hashes=(_OTHER,)))(SHOWN)


def fault(*_: object) -> Any:
    raise KeyError("a fault of the program")


NOW: dict[str, Callable[[], Snapshot]] = {
    "same": lambda: SHOWN,
    "less": lambda: converged(a_stack()),
    "unseen": lambda: Snapshot(met={"": "the connection was cut"}),
    "fault": fault,
}
HISTORY: Mapping[str, list[dict[str, Any]] | Unknown] = {
    "changed": [
        {**_ENTRY, "run": "older", "time": "2000-01-01T00:00:00Z", "changes": ["x"]},
        {**_ENTRY, "changes": ["x"]},
        {**_ENTRY, "run": "idle", "changes": []},
    ],
    "died": [{**{k: v for k, v in _ENTRY.items() if k != "time"}, "since": _ENTRY["time"], "result": "interrupted"}],
    "long-ago": [{**_ENTRY, "time": "2000-01-01T00:00:00Z", "changes": ["x"]}],
    "no-change": [{**_ENTRY, "changes": []}],
}


def _observe(wanted: Stack, patience: int = 0) -> Snapshot:
    mine = Owner(run.current().id, "me", "here", "", "2026-01-01T00:00:00Z")
    return replace(NOW.get(name(), _changed)(), lock=_EVE if name() == "lost" else mine)


class _History(FactBase[Any]):
    def command(self, root: str, last: int = 20) -> str:
        return "echo"

    @staticmethod
    def default() -> Any:  # a fake host says nothing
        return HISTORY.get(name(), UNKNOWN)


_noted: list[tuple[str, str]] = []
_release = lock._release


def _noting(one: Host, planned: HostPlan, result: str, *rest: Any, **more: Any) -> StringCommand:
    _noted.append((str(one.name).partition("/")[2], result))
    return _release(one, planned, result, *rest, **more)


def arm(folder: str) -> None:
    """From now on hosts are like this, and when the process ends `noted` in the folder has whose lock was given back, and how."""
    if vars(lock)["observe"] is _observe:
        return
    vars(lock).update(observe=_observe, History=_History, _release=_noting)
    vars(backup).update(_restored=fault)
    atexit.register(lambda: (Path(folder) / "noted").write_text(json.dumps(_noted)))


def arm_all(folder: str) -> None:
    """The same, for a whole deploy: the preview shows a rollout, and under the lock another run has done it."""
    arm(folder)
    vars(observe_module).update(observe=lambda wanted, patience=0: SHOWN)
    NOW.update(dict.fromkeys("abc", lambda: converged(stack())))
