"""Redis moves from the guide's image to one that starts as the official ones do, and to one like Valkey's, with its keys."""

from __future__ import annotations

import shlex

import pytest

from tests.fleet.fleet import STACK, Fleet
from tests.lab import Host

# as the official images have it: the server's own user for the server's own name alone
ENTRYPOINT = """#!/bin/sh
set -e
if [ "$1" = @SERVER@ ] && [ "$(id -u)" = 0 ]; then
    find . ! -user 999 -exec chown 999 {} +
    exec setpriv --reuid=999 --regid=999 --clear-groups -- "$0" "$@"
fi
exec "$@"
"""


def made(host: Host, server: str) -> str:
    """An image on the host that starts as the official one of this server does; its name says nothing."""
    name = f"lab/cache-of-{server}:1"
    script = shlex.quote(ENTRYPOINT.replace("@SERVER@", server))
    ours = f"[ -e /usr/bin/{server} ] || ln -s redis-server /usr/bin/{server}; "
    ours += f"printf %s {script} >/usr/local/bin/docker-entrypoint.sh; "
    host.run(
        f"docker rm --force made 2>/dev/null; docker run --name made --entrypoint sh lab/watchtower-standin:1 -c "
        f"{shlex.quote(ours + 'chmod 755 /usr/local/bin/docker-entrypoint.sh; mkdir -p /data')} && docker commit "
        f"""--change 'ENTRYPOINT ["docker-entrypoint.sh"]' --change 'CMD ["{server}"]' --change 'WORKDIR /data' made {name} && """
        "docker rm made"
    )
    return name


def cli(host: Host, *words: str) -> str:
    command = f'REDISCLI_AUTH="$(cat /run/redis-auth/password)" redis-cli {shlex.join(words)}'
    return host.run(f"cd {STACK} && docker compose exec -T redis sh -c {shlex.quote(command)}").strip()


@pytest.mark.parametrize("server", ["redis-server", "valkey-server"])
def test_redis_moves_to_another_image_with_its_keys_and_back(converged: Fleet, server: str) -> None:
    fleet, host = converged.at(converged.hosts[0]), converged.hosts[0]
    cli(host, "SET", "kept", "through it all")
    fleet.settings["redis_image"] = made(host, server)
    run = fleet.deploy()
    assert run.ok, run.output
    assert cli(host, "GET", "kept") == "through it all"
    running = host.run(f"ps -o user:12=,args= -C {server},redis-server | head -n 1").split()
    assert running[0] not in ("root", "0")
    assert f"{server} " in host.run("ps -eo args=")
    assert host.run(f"stat -c %u:%g {STACK}/secrets/redis/users.acl").strip() == "999:999"
    assert fleet.deploy().changes(host.name) == []

    del fleet.settings["redis_image"]
    back = fleet.deploy()
    assert back.ok, back.output
    assert cli(host, "GET", "kept") == "through it all"
    assert host.run(f"stat -c %u:%g {STACK}/secrets/redis/users.acl").strip() == "0:0"


def test_an_image_that_starts_as_none_of_them_is_told_before_a_change(converged: Fleet) -> None:
    fleet, host = converged.at(converged.hosts[0]), converged.hosts[0]
    fleet.settings["redis_image"] = "lab/openwebui-standin:1"
    preview = fleet.preview()
    assert not preview.ok
    assert "as none of redis-stack, redis and valkey does" in preview.host(host.name)["error"]
    fleet.settings["redis_image"] = "lab/none:1"
    assert "is not on this host, and its name does not say how it starts" in fleet.preview().host(host.name)["error"]
