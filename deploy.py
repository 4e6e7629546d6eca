"""Brings the stack to every host of the inventory: `pyinfra inventory deploy.py`. This page is the whole story, in order."""

from pyinfra import host

from operations import backup, checks, compose, engine, env, redis
from operations.observe import observe
from operations.report import run
from operations.wanted import stack_of

stack = stack_of(host)  # what the host should have: settings, catalogue and secrets brought together
seen = observe(stack)  # what it has: one round trip, which every step below decides from
run.planned(stack, seen)  # show what will be done; --dry ends after this

checks.ready(name="Nothing stands in the way", stack=stack, seen=seen)
changes = (
    engine.docker(
        name="Docker Engine and Compose v2 run",
        packages=stack.settings.docker_packages,
        compose_packages=stack.settings.compose_packages,
        apt_source=stack.settings.docker_apt_source,
        seen=seen.engine,
    ),
    backup.backup(name="Files that will change are backed up", stack=stack, seen=seen),
    compose.project(name="Compose accepts the project and its fragments are written", stack=stack, seen=seen),
    redis.accept(name="Redis accepts the password", stack=stack, seen=seen),
    env.env_files(name="Env files are written", stack=stack, seen=seen),
    compose.up(name="Services run, in the order of their dependencies", stack=stack, seen=seen),
)
checks.validate(name="Every check is ok", stack=stack, seen=seen, after=changes)
redis.retire(name="Redis refuses every other password", stack=stack, seen=seen)
