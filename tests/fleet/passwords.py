"""Passwords on a host, past the project: where they lie, and which of them redis accepts."""

from __future__ import annotations

import hashlib
import re

from tests.fleet.fleet import STACK
from tests.lab import Host

ACL = f"{STACK}/secrets/redis/users.acl"
_REDIS = "docker ps --quiet --filter label=com.docker.compose.service=redis --filter label=com.docker.compose.project"
_HASH = re.compile(r"\b[0-9a-f]{64}\b")


def digest(password: str) -> str:
    return hashlib.sha256(password.encode()).hexdigest()


def redis(host: Host, password: str, *words: str, user: str = "default") -> str:
    """What redis answers a client in its container, which logs in as this user."""
    login = (
        'tls="-p 6380 --tls --cacert /run/redis-auth/ca.crt"; grep -qsx "port 0" /run/redis-auth/tls.conf || tls=; '
        f'REDISCLI_AUTH=$(head -n 1) exec redis-cli $tls --user {user} "$@"'
    )
    command = f"docker exec --interactive $({_REDIS}) sh -c '{login}' - {' '.join(words)} 2>&1"
    return host.run(command, stdin=f"{password}\n", check=False).strip()


def accepts(host: Host, password: str, user: str = "default") -> bool:
    return redis(host, password, "ping", user=user).splitlines()[-1:] == ["PONG"]


def accepted(host: Host, password: str) -> set[str]:
    """The SHA-256 of the passwords that redis accepts, as it tells one who logs in with this one."""
    return set(_HASH.findall(redis(host, password, "ACL", "GETUSER", "default")))


def on_disk(host: Host) -> set[str]:
    """The SHA-256 of the passwords in users.acl."""
    return set(_HASH.findall(host.run(f"cat {ACL}")))


def uptime(host: Host, password: str, user: str = "default") -> tuple[str, str]:
    """What changes when redis is restarted or recreated: its run_id, and its container's id and start."""
    run_id = re.search(r"^run_id:(\w+)", redis(host, password, "INFO", "server", user=user), re.MULTILINE)
    assert run_id
    return run_id[1], host.run(f"docker inspect --format '{{{{.Id}}}} {{{{.State.StartedAt}}}}' $({_REDIS})").strip()


# a line for each place: what it is, tab, the password
_HELD = rf"""
cd {STACK} || exit 0
url='\(REDIS_ADDR\|REDIS_URL\|WEBSOCKET_REDIS_URL\)=.\{{0,1\}}rediss*://:\([^@]*\)@.*'
for file in env/*.env; do
    sed -n "s#^$url#$file \1\t\2#p;s#^REDIS_PASSWORD=#$file\t#p" "$file"
done
[ ! -f secrets/redis/password ] || printf 'secrets/redis/password\t%s\n' "$(cat secrets/redis/password)"
for id in $(docker ps --quiet --filter label=com.docker.compose.service); do
    docker inspect --format '{{{{range .Config.Env}}}}{{{{println .}}}}{{{{end}}}}' "$id" |
        sed -n "s#^$url#container $id \1\t\2#p;s#^REDIS_PASSWORD=#container $id\t#p"
done
"""


def held(host: Host) -> dict[str, str]:
    """Each place on the host that a client takes its password from, also the environments of running containers → that password."""
    return dict(line.split("\t") for line in host.run(_HELD).splitlines())


def refused(host: Host, server: Host | None = None) -> list[str]:
    """The places that hold a password which redis refuses.

    + server: the host of that redis, where it is another
    """
    places = held(host)
    good = {password for password in set(places.values()) if accepts(server or host, password)}
    return [place for place, password in places.items() if password not in good]
