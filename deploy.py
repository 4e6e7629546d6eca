"""Brings the stack to every host of the inventory: `pyinfra inventory deploy.py`. This page is the whole story, in order."""

from pyinfra import host

from operations import backup, checks, compose, engine, env, lock, waves
from operations import credentials as redis
from operations.controller import run
from operations.controller.observe import observe_fleet

fleet = observe_fleet()  # what every host should have and what it has: one round trip each, all at once
stack, seen = fleet.of(host.name)  # the same for this host; every step below decides from it
run.planned(fleet.plans, stack.settings)  # show what will be done; --dry ends after this

checks.ready(name="Nothing stands in the way", stack=stack, seen=seen, more=fleet.problems(host.name))
if not fleet.plans[host.name].due:
    checks.validate(name="Every check is ok", stack=stack, seen=seen)

for wave in host.loop(fleet.waves):  # a few of the hosts that need changes first, and the rest only when those are well
    for hosts in host.loop(fleet.turns(wave)):  # those with a redis before those that use it
        waves.enter(name="The host may be changed", fleet=fleet, hosts=hosts)
        if host.name in hosts:
            lock.acquire(name="The stack is locked for this run", stack=stack, seen=seen)
            docker = engine.docker(
                name="Docker Engine and Compose v2 run",
                packages=stack.settings.docker_packages,
                compose_packages=stack.settings.compose_packages,
                apt_source=stack.settings.docker_apt_source,
                seen=seen.engine,
            )
            kept = backup.backup(name="Files that will change are backed up", stack=stack, seen=seen)
            project = compose.project(name="Compose accepts the project and its fragments are written", stack=stack, seen=seen)
            accepted = redis.accept(name="Redis accepts the password", stack=stack, seen=seen)
            written = env.env_files(name="Env files are written", stack=stack, seen=seen)
            started = compose.up(
                name="Services run, in the order of their dependencies", stack=stack, seen=seen, _ignore_errors=True
            )
    if host.name in wave:
        changes = (docker, kept, project, accepted, written, started)
        verified = checks.validate(
            name="Every check is ok", stack=stack, seen=seen, after=changes, _if=started.did_succeed, _ignore_errors=True
        )
        sharing, failed = fleet.sharing(host.name), (started, verified)
        backup.take_back(name="What failed is taken back", stack=stack, seen=seen, kept=kept, after=failed, sharing=sharing)
        redis.retire(name="Redis refuses every other password", stack=stack, seen=seen, sharing=sharing)
        checks.concluded(name="Every check is ok at the end", stack=stack, seen=seen)
        lock.release(name="The run is noted and the lock given back", stack=stack, seen=seen)
    waves.gate(name="The wave has passed", fleet=fleet, wave=wave)
