"""ERNI-KI on a lab host as its operators have it: stacks of this folder's `stacks`, laid there and started by hand."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
import secrets
import shlex
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.fleet.fleet import STACK, Fleet
from tests.fleet.wait import until
from tests.lab import Host
from tests.lab.images import in_hosts

STACKS = Path(__file__).parent / "stacks"
SERVICES = 27
KEYS = 10_000
# key numbers by the database that they are in
DATABASES = {0: (1, 9_000), 1: (9_001, KEYS)}

# the start of an image's name → the lab's image that stands in for it
OFFICIAL = "lab/redis-official-standin:1"
STANDINS = {
    **dict.fromkeys(("docker.io/redis:", "docker.io/library/redis:", "docker.io/valkey/valkey:"), OFFICIAL),
    "redis/redis-stack": in_hosts("redis-stack-standin"),
    "redis:": in_hosts("redis-stack-standin"),
    "ghcr.io/open-webui/open-webui": in_hosts("openwebui-standin"),
    "oliver006/redis_exporter": in_hosts("redis-exporter"),
    "containrrr/watchtower": in_hosts("watchtower-standin"),
}
# those of applications that log in to redis, for which stacks/client.py stands in; for all others something that sleeps
CLIENTS = ("ghcr.io/berriai/litellm", "searxng/searxng", "n8nio/n8n")

# as the official images start: the server's own user for the server's own name alone
_ENTRYPOINT = """#!/bin/sh
set -e
case $1 in -*) set -- redis-server "$@" ;; esac
case $1 in redis-server | valkey-server) [ "$(id -u)" != 0 ] || {
    find . ! -user 999 -exec chown 999 {} +
    exec setpriv --reuid=999 --regid=999 --clear-groups -- "$0" "$@"
} ;; esac
exec "$@"
"""
CLIENT = (STACKS / "client.py").read_text()
CLIENT_IMAGE = f"lab/redis-client:{hashlib.sha256(CLIENT.encode()).hexdigest()[:12]}"
SLEEPER = "lab/sleeper:1"

_MAKE = f"""
made=$(docker create {in_hosts("openwebui-standin")}) && docker cp --quiet - "$made":/ || exit 1
sleeps='ENTRYPOINT ["dumb-init", "sh", "-c", "mkdir -p /var/lib/postgresql/data; exec sleep infinity"]'
docker commit --change "$sleeps" --change 'CMD []' "$made" {SLEEPER}
docker commit --change 'CMD ["dumb-init", "python3", "-u", "/client.py"]' "$made" {CLIENT_IMAGE}
docker rm "$made"
starts=/usr/local/bin/docker-entrypoint.sh
writes="cat >$starts; chmod 755 $starts; ln -s redis-server /usr/bin/valkey-server"
printf '%s' {shlex.quote(_ENTRYPOINT)} |
    docker run --interactive --name lab-made --entrypoint sh {in_hosts("redis-stack-standin")} -c "$writes"
docker commit --change 'ENTRYPOINT ["docker-entrypoint.sh"]' --change 'CMD ["redis-server"]' --change 'WORKDIR /data' \
    --change 'VOLUME /data' lab-made {OFFICIAL}
docker rm lab-made
"""


# settings of an operator who keeps the images that are there
KEPT_IMAGES: Mapping[str, None] = dict.fromkeys(("watchtower_image", "redis_image", "redis_exporter_image", "openwebui_image"))


def operator(folder: Path, *hosts: Host, **settings: object) -> Fleet:
    """One whose hosts run a stack that is not the project's yet."""
    return Fleet(folder, hosts, settings={**KEPT_IMAGES, **settings})


# of the stack with file secrets
LAYERS = tuple(f"compose/{name}.yml" for name in ("base", "data", "ai", "monitoring", "production"))


def password() -> str:
    """One that an operator thought of."""
    return f"ErniKiRedis{secrets.token_hex(4)}"


def lay(host: Host, stack: str, given: str, folder: str = STACK) -> None:
    """The files of a stack, with this password in the places that have one, and its images."""
    files = {path.relative_to(STACKS / stack): path.read_text() for path in (STACKS / stack).rglob("*") if path.is_file()}
    put(host, {str(path): text.replace("@REDIS_PASSWORD@", given) for path, text in files.items()}, folder)


def put(host: Host, files: Mapping[str, str], folder: str = STACK) -> None:
    """These files and what stands in for the images that they name. Scripts may be executed, secrets read by their owner alone."""
    _pipe(host, files, f"mkdir -p {folder} && tar -x -C {folder} --no-same-owner")
    images(host, {name for text in files.values() for name in re.findall(r"^\s+image: (\S+)$", text, re.MULTILINE)})


def images(host: Host, names: set[str]) -> None:
    """Images of these names, which stand in for the real ones."""
    if not host.succeeds(f"docker image inspect {SLEEPER} {CLIENT_IMAGE} {OFFICIAL}"):
        _pipe(host, {"client.py": CLIENT}, _MAKE)
    tags = "".join(f"docker tag {standin(name)} {name}\n" for name in sorted(names) if not name.startswith("lab/"))
    host.run(f"set -e\n{tags}")


def standin(name: str) -> str:
    for start, image in STANDINS.items():
        if name.startswith(start):
            return image
    return CLIENT_IMAGE if name.startswith(CLIENTS) else SLEEPER


def _pipe(host: Host, files: Mapping[str, str], command: str) -> None:
    """Run a command that reads these files as a tar archive."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for path, text in files.items():
            member = tarfile.TarInfo(path)
            member.size = len(text.encode())
            member.mode = 0o755 if path.endswith(".sh") else 0o600 if path.startswith("secrets/") else 0o644
            tar.addfile(member, io.BytesIO(text.encode()))
    host.run(f"base64 -d | {{\n{command}\n}}", stdin=base64.b64encode(packed.getvalue()).decode())


def start(host: Host, folder: str = STACK, files: Sequence[str] = ()) -> None:
    """By hand, as an operator does it."""
    by_hand(host, f"{' '.join(f'--file {name}' for name in files)} up --detach --wait --quiet-pull", folder)


def by_hand(host: Host, words: str, folder: str = STACK) -> str:
    """What `docker compose` with these words says to an operator in the stack's folder."""
    return host.run(f"cd {folder} && docker compose {words} 2>&1", timeout=300)


# Redis


def ask(host: Host, given: str, *words: str, user: str = "default", script: str = "", service: str = "redis") -> str:
    """What redis answers one who logs in with this password. Words are quoted by the caller.

    + script: of Lua, evaluated with the words as its arguments
    """
    run = f"--eval /dev/stdin , {' '.join(words)}" if script else " ".join(words)
    redis = f"docker ps --quiet --filter label=com.docker.compose.service={service} --filter label=com.docker.compose.oneoff=False"
    login = f"IFS= read -r REDISCLI_AUTH && export REDISCLI_AUTH && exec redis-cli --user {user} {run}"
    return host.run(f"docker exec --interactive $({redis}) sh -c '{login}' 2>&1", stdin=f"{given}\n{script}", check=False).strip()


def write_keys(host: Host, given: str, user: str = "default") -> dict[int, str]:
    """10,000 keys of several types in two databases; what `keys` will say of them."""
    return _keys(host, given, user, "write")


def keys(host: Host, given: str, user: str = "default") -> dict[int, str]:
    """Database → how many of the keys are there, and a digest of their types, values and whether they end."""
    return _keys(host, given, user, "read")


def _keys(host: Host, given: str, user: str, what: str) -> dict[int, str]:
    script = (STACKS / "keys.lua").read_text()
    return {
        number: ask(host, given, what, str(first), str(last), user=f"{user} -n {number}", script=script)
        for number, (first, last) in DATABASES.items()
    }


def count(found: Mapping[int, str]) -> int:
    """How many keys `keys` found."""
    return sum(int(text.split()[0]) for text in found.values())


def logged_in(host: Host, given: str, user: str = "default") -> set[str]:
    """The services whose containers have a connection to redis."""
    addresses = set(re.findall(r" addr=([0-9.]+):", ask(host, given, "CLIENT", "LIST", user=user)))
    return {service for service, one in pictures(host).items() if addresses & set(one["addresses"])}


# Containers


def pictures(host: Host) -> dict[str, dict[str, Sequence[str]]]:
    """Service → what there is to see of its container, and would change if it were restarted, recreated or connected otherwise."""
    listed = host.run("docker ps --all --quiet --filter label=com.docker.compose.service | xargs --no-run-if-empty docker inspect")
    return {one["Config"]["Labels"]["com.docker.compose.service"]: _picture(one) for one in json.loads(listed or "[]")}


def _picture(one: Mapping[str, object]) -> dict[str, Sequence[str]]:
    state, networks = dict(one["State"]), dict(one["NetworkSettings"])["Networks"]  # type: ignore[call-overload]
    return {
        "container": [str(one["Id"]), state["StartedAt"], state["Status"], str(one["RestartCount"])],
        "kept": [str(one["Name"]), str(dict(one["HostConfig"])["DeviceRequests"])],  # type: ignore[call-overload]
        "networks": sorted(f"{name} {network['NetworkID']}" for name, network in networks.items()),
        "addresses": sorted(network["IPAddress"] for network in networks.values() if network["IPAddress"]),
        "volumes": sorted(f"{mount['Source']} {mount['Destination']}" for mount in one["Mounts"]),  # type: ignore[attr-defined]
    }


def settled(host: Host, names: set[str], given: str, user: str = "default", seconds: float = 60) -> None:
    """Awaits that these services have a connection to redis."""
    until(lambda: logged_in(host, given, user) >= names, seconds)
