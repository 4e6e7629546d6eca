"""One round trip: everything that the plan and the checks of a stack need to know of a host."""

from __future__ import annotations

from typing import Any

from pyinfra import host

from .facts.bundle import Bundle, Question, Questions
from .facts.engine import Engine
from .facts.files import EnvKeys, Files
from .facts.probe import Probe
from .facts.redis import Redis
from .facts.state import Containers, State
from .stack.snapshot import UNKNOWN, Snapshot
from .stack.stack import Stack

_PROBE = "probe:"


def questions(stack: Stack) -> Questions:
    """The facts that a snapshot of this stack is made of."""
    root, project = stack.settings.stack_dir, stack.settings.stack_name
    env = {file.path: file for file in (stack.dotenv, *stack.env_files)}
    asked: dict[str, Question] = {
        "engine": (Engine, {}),
        "files": (Files, {"root": root, "paths": stack.managed_paths()}),
        "env": (EnvKeys, {"root": root, "files": {path: tuple(file.lines) for path, file in env.items()}, "wanted": env}),
        "state": (State, {"root": root}),
        "containers": (Containers, {"project": project}),
    }
    if stack.has_redis:
        asked["redis"] = (Redis, {"root": root, "project": project})
    for probe in stack.probes:
        asked[_PROBE + probe.id] = (Probe, {"url": probe.url, "metric": probe.metric})
    return Questions(asked)


def observe(stack: Stack) -> Snapshot:
    """The host in context as it is now."""
    found = host.get_fact(Bundle, facts=questions(stack))
    return Snapshot() if found is UNKNOWN else snapshot(found)


def snapshot(found: dict[str, Any]) -> Snapshot:
    """The answers to `questions` as one value."""
    state = found["state"]
    return Snapshot(
        engine=found["engine"],
        files=found["files"],
        env=found["env"],
        containers=found["containers"],
        applied=UNKNOWN if state is UNKNOWN else state.applied,
        acl=UNKNOWN if state is UNKNOWN else state.acl,
        fragments=UNKNOWN if state is UNKNOWN else state.fragments,
        redis=found.get("redis", UNKNOWN),
        probes={k.removeprefix(_PROBE): v for k, v in found.items() if k.startswith(_PROBE) and v is not UNKNOWN},
    )
