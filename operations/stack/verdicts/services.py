"""Whether services run and answer."""

from __future__ import annotations

from ..check import Check, Verdict
from ..probes import Probe
from ..snapshot import UNKNOWN, Snapshot
from .expect import DEPLOY, unknown


def container(service: str, seen: Snapshot) -> Check:
    """It runs, and is healthy where it has a healthcheck."""
    name, logs = f"container.{service}", f"Read `docker compose logs {service}` in the stack's folder, then run the deploy again."
    if seen.containers is UNKNOWN:
        return unknown(name, "Docker was not observed")
    containers = seen.of(service)
    if not containers:
        return Check(name, Verdict.FAILED, "there is no container", f"{service} was never started, or was removed.", DEPLOY)
    for one in containers:
        state = f"{one.state}, {one.health}" if one.health else one.state
        if not one.up:
            return Check(name, Verdict.FAILED, state, f"{service} does not run, or its healthcheck fails.", logs)
    return Check(name, Verdict.OK, state)


def probe(declared: Probe, seen: Snapshot) -> Check:
    """A check that the catalogue declares."""
    if declared.id not in seen.probes:
        return unknown(declared.id, f"{' '.join(declared.target)} was not asked", "Run again with -vv.")
    answer = seen.probes[declared.id]
    what = {"http": "status", "metric": declared.target[-1], "command": "exit status", "log": "lines:"}.get(declared.kind, "")
    detail = f"{what} {answer or 'no answer'}".strip()
    if declared.good(answer):
        return Check(declared.id, Verdict.OK, detail)
    wanted = declared.expected if declared.compare == "equals" else f"{declared.compare} {declared.expected}"
    return Check(declared.id, Verdict.FAILED, f"{detail}, expected {wanted}", declared.cause, declared.remedy)
