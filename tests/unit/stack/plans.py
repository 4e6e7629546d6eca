"""Plans as a test expects them: what is due on a host after some drifts, and in the rollout of a password."""

from __future__ import annotations

from typing import Any

from operations.stack.changes import Change
from operations.stack.credential import CredentialPlan
from operations.stack.plan import Plan, plan
from operations.stack.snapshot import Snapshot
from operations.stack.stack import Stack
from tests.unit.stack.hosts import OLD_PASSWORD, PASSWORD, PASSWORD_PATH, Drift, a_stack, all_of, converged, sha256, shared

STACK = a_stack()
NEW, OLD = sha256(PASSWORD), sha256(OLD_PASSWORD)
OPENWEBUI, EXPORTER, REDIS = "env/openwebui.env", "env/redis-exporter.env", "env/redis.env"


def due_after(*drifts: Drift, stack: Stack = STACK) -> Plan:
    """The plan for a host on which all was as wanted before these drifts."""
    return plan(stack, all_of(*drifts)(converged(stack)))


def missing(path: str) -> Change:
    return Change(path, ("is missing",))


def differs(path: str, *reasons: str) -> Change:
    return Change(path, reasons or ("content differs",))


def access(path: str, *reasons: str) -> Change:
    return Change(path, reasons, content=False)


def a_plan(
    accept: tuple[str, ...] = (),
    retire: bool = False,
    secrets: tuple[Change, ...] = (),
    restarts: bool = False,
    denied: str = "",
    **others: Any,
) -> Plan:
    """A plan for a host with one redis: what is due about its password, and the rest as `Plan` has it; else nothing is due."""
    redis = CredentialPlan("redis", shared(*accept), retire, files=secrets, restarts=restarts, denied=denied)
    return Plan(credentials=(redis,), **others)


def of_redis(due: Plan) -> CredentialPlan:
    """What is due about the one credential of a host."""
    (found,) = due.credentials
    return found


def rollout(**changes: Any) -> Plan:
    """What a changed password makes due on a host that knows the old one, as far as no change says otherwise."""
    everything: dict[str, Any] = {
        "env": (
            differs(REDIS, "REDIS_PASSWORD differs"),
            differs(EXPORTER, "REDIS_ADDR differs"),
            differs(OPENWEBUI, "REDIS_URL differs", "WEBSOCKET_REDIS_URL differs"),
        ),
        "accept": (NEW, OLD),
        "secrets": (differs(PASSWORD_PATH),),
        "start": (("redis-exporter", "its env file changes"), ("openwebui", "its env file changes")),
        "retire": True,
    }
    return a_plan(**{**everything, **changes})


def before_the_rollout() -> Snapshot:
    return converged(a_stack(OLD_PASSWORD))
