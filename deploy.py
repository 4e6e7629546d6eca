"""Brings the stack to every host of the inventory: `pyinfra inventory deploy.py`. This page is the whole story, in order."""

from pyinfra import host

from operations import backup, checks, compose, credentials, engine, env, images, lock, waves
from operations.controller import run
from operations.controller.observe import observe_fleet

fleet = observe_fleet()  # what every host should have and what it has: one round trip each, all at once
planned = fleet.hosts[host.name]  # the same for this host; every step below decides from it
run.previewed(fleet.previews, planned.stack.settings)  # show what will be done; --dry ends after this

checks.ready(name="Nothing stands in the way", planned=planned)
if not planned.preview.due:
    checks.validate(name="Every check is ok", planned=planned)
    images.keep(name="Its images are the ones to keep", planned=planned)

for wave in host.loop(fleet.waves):  # a few of the hosts that need changes first, and the rest only when those are well
    for hosts in host.loop(fleet.turns(wave)):  # those with a server before those that use it
        waves.enter(name="The host may be changed", fleet=fleet, hosts=hosts)
        if host.name in hosts:
            lock.acquire(name="The stack is locked for this run", planned=planned)
            docker = engine.docker(
                name="Docker Engine and Compose v2 run",
                packages=planned.stack.settings.docker_packages,
                compose_packages=planned.stack.settings.compose_packages,
                apt_source=planned.stack.settings.docker_apt_source,
                seen=planned.seen.engine,
            )
            lock.look(name="What was shown is what holds under the lock", planned=planned)
            kept = backup.backup(name="Files that will change are backed up", planned=planned)
            brought = images.bring(name="Images are there, the same on every host", planned=planned, fleet=fleet)
            project = compose.project(name="Compose accepts the project and its fragments are written", planned=planned)
            accepted = credentials.accept(name="Credentials: the new password is accepted", planned=planned)
            written = env.env_files(name="Env files are written", planned=planned)
            started = compose.up(name="Services run, in the order of their dependencies", planned=planned, _ignore_errors=True)
    if host.name in wave:
        changes = (docker, kept, brought, project, accepted, written, started)
        verified = checks.validate(
            name="Every check is ok", planned=planned, after=changes, _if=started.did_succeed, _ignore_errors=True
        )
        sharing, failed = fleet.sharing(host.name), (started, verified)
        backup.roll_back(name="What failed is rolled back", planned=planned, kept=kept, after=failed, sharing=sharing)
        credentials.retire(name="Credentials: every other password is refused", planned=planned, sharing=sharing)
        checks.concluded(name="Every check is ok at the end", planned=planned)
        images.keep(name="Its images are the ones to keep", planned=planned)
        lock.release(name="The run is noted and the lock given back", planned=planned)
    waves.gate(name="The wave has passed", fleet=fleet, wave=wave)
