"""What drifts from the wanted state is seen and repaired; what is somebody else's stays as it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.fleet.fleet import SERVICES, STACK, Fleet, containers, files, wipe
from tests.lab import Host

ENV = "env/openwebui.env"
OPENWEBUI = "docker ps --quiet --filter label=com.docker.compose.service=openwebui"
REDIS = OPENWEBUI.replace("openwebui", "redis")
OWN = "./.fleet/", "./backups/"  # what a run notes down, and what it keeps


@dataclass(frozen=True)
class Drift:
    """A change behind the project's back.

    + does: sh text that makes it, run in the stack's folder
    + told: part of a sentence that a preview shows
    + files: those that the repair writes
    + replaced: the services whose containers the repair may start or replace
    """

    does: str
    told: str
    files: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()


DRIFTS = {
    "a managed key is edited": Drift(
        f"sed -i 's/^WEBSOCKET_MANAGER=.*/WEBSOCKET_MANAGER=none/' {ENV}", "WEBSOCKET_MANAGER differs", (ENV,)
    ),
    "a service runs with an edited key": Drift(
        f"sed -i 's/^WEBSOCKET_MANAGER=.*/WEBSOCKET_MANAGER=none/' {ENV} && docker compose up --detach --no-deps openwebui",
        "WEBSOCKET_MANAGER differs",
        (ENV,),
        ("openwebui",),
    ),
    "an env file is readable for all": Drift(f"chmod 644 {ENV}", "mode is 0644, expected 0600", (ENV,)),
    "an env file is gone": Drift(f"rm {ENV}", f"{ENV}: is missing", (ENV,)),
    "a container is stopped": Drift(f"docker stop $({OPENWEBUI})", "start openwebui", replaced=("openwebui",)),
    "a container is paused": Drift(
        f"docker pause $({OPENWEBUI})",
        "start openwebui",
    ),
    "a container is removed": Drift(
        f"docker rm --force $({OPENWEBUI})", "start openwebui: it has no container", replaced=("openwebui",)
    ),
    "a fragment is gone": Drift("rm compose.d/redis.yml", "compose.d/redis.yml: is missing", ("compose.d/redis.yml",)),
    "a fragment is edited": Drift(
        "echo '# mine' >>compose.d/redis.yml", "compose.d/redis.yml: content differs", ("compose.d/redis.yml",)
    ),
    "the base file is gone": Drift(
        "rm compose.yml",
        "compose.yml: is missing",
        ("compose.yml", "compose.d/.overlay.yml"),  # which is made from it
    ),
    "a managed key of .env is edited": Drift(
        "sed -i 's/^COMPOSE_PROJECT_NAME=.*/COMPOSE_PROJECT_NAME=other/' .env",
        "COMPOSE_PROJECT_NAME differs",
        (".env", "compose.d/.overlay.yml"),  # which is made from it
    ),
    "another password is added to redis' ACL": Drift(
        "sed -i 's/$/ #'$(echo mine | sha256sum | cut -c -64)'/' secrets/redis/users.acl", "retire", ("secrets/redis/users.acl",)
    ),
    "redis has another password in its memory alone": Drift(
        f"docker exec --env REDISCLI_AUTH=$(cat secrets/redis/password) $({REDIS}) redis-cli ACL SETUSER default resetpass '>mine'",
        "redis",
        replaced=("redis",),
    ),
    "redis' ACL is no ACL": Drift(
        "echo mine >secrets/redis/users.acl", "accept the desired password", ("secrets/redis/users.acl",)
    ),
    "redis' ACL is gone": Drift("rm secrets/redis/users.acl", "accept the desired password", ("secrets/redis/users.acl",)),
    "redis' ACL is another user's": Drift(
        "chown 1000:1000 secrets/redis/users.acl", "accept the desired password", ("secrets/redis/users.acl",)
    ),
    "the password file is gone": Drift(
        "rm secrets/redis/password", "secrets/redis/password: is missing", ("secrets/redis/password",)
    ),
    "the password file is gone for so long that redis is unhealthy": Drift(
        f"rm secrets/redis/password && until docker inspect $({REDIS}) | grep -q '\"unhealthy\"'; do sleep 0.2; done",
        "start redis: its container is running and unhealthy",
        ("secrets/redis/password",),
    ),
    "the password file is another user's": Drift(
        "chown 1000:1000 secrets/redis/password", "owner is 1000:1000, expected 0:0", ("secrets/redis/password",)
    ),
    "the notes of earlier runs are gone": Drift("rm -r .fleet", "fragments: is missing"),
}


@pytest.mark.parametrize("name", DRIFTS)
def test_a_drift_is_seen_and_repaired_and_nothing_else_is_touched(name: str, converged: Fleet) -> None:
    drift, host = DRIFTS[name], converged.hosts[0]
    mine = converged.at(host)
    good = files(host), containers(host)
    host.run(f"cd {STACK} && {drift.does}")
    drifted = files(host), containers(host)

    preview = mine.preview()
    assert preview.ok, preview.output
    assert drift.told in "\n".join(preview.changes(host.name))
    assert (files(host), containers(host)) == drifted

    repair = mine.deploy()
    assert repair.ok, repair.output
    assert contents(files(host)) == contents(good[0])
    expected = {f"./{path}" for path in drift.files}
    assert {path for path in changed(drifted[0], files(host)) if not path.startswith(OWN)} == expected
    assert set(changed(drifted[1], containers(host))) == set(drift.replaced)


def contents(found: Mapping[str, str]) -> dict[str, list[str]]:
    """Mode, owner and digest of the files that are wanted: not when they were written."""
    kept = {path: text.split() for path, text in found.items() if not path.startswith(OWN)}
    return {path: [words[1], words[2], words[4]] for path, words in kept.items()}


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    return [name for name in {**before, **after} if before.get(name) != after.get(name)]


# What is somebody else's


HAND_WRITTEN = """\
# by hand: it's a "comment"
MY_KEY=kept  # with one, too

export WEBSOCKET_MANAGER = none   # managed, and wrong
#REDIS_URL=redis://old
OTHER='two words'
"""


def test_hand_written_keys_comments_and_their_order_survive(converged: Fleet) -> None:
    host = converged.hosts[0]
    path = f"{STACK}/{ENV}"
    managed = host.run(f"cat {path}")
    host.run(f"cat >{path}", stdin=HAND_WRITTEN)
    assert converged.at(host).deploy().ok
    kept = HAND_WRITTEN.replace("export WEBSOCKET_MANAGER = none   # managed, and wrong", "WEBSOCKET_MANAGER=redis")
    others = "".join(line for line in managed.splitlines(True) if not line.startswith("WEBSOCKET_MANAGER="))
    assert host.run(f"cat {path}") == kept + others
    assert "OTHER=two words" in host.run(f"docker exec $({OPENWEBUI}) env")


def test_bytes_that_are_no_text_survive_in_an_env_file(converged: Fleet) -> None:
    host = converged.hosts[0]
    path = f"{STACK}/{ENV}"
    host.run(rf"printf 'LATIN=\351t\351 # \377\376\n' >>{path} && sed -i /^REDIS_URL=/d {path}")
    run = converged.at(host).deploy()
    assert run.ok, run.output
    assert host.run(f"grep -a ^LATIN {path} | od -An -tx1").split() == [f"{byte:02x}" for byte in b"LATIN=\xe9t\xe9 # \xff\xfe\n"]
    host.run(f"sed -i /^LATIN/d {path}")


BASE = """\
# the operator's own project
services:
    web: {image: "@IMAGE@", network_mode: none, labels: {note: "it's mine"}}
"""
DOTENV = "# mine\nMINE='kept as it is'\nTAG=1\n"


@pytest.fixture
def existing(hosts: list[Host], tmp_path: Path) -> Fleet:
    """An operator with one host, on which there is a Compose project already; its service `web` runs."""
    host = hosts[-1]
    wipe(host)
    fleet = Fleet(tmp_path, [host])
    image = fleet.inventory()["fleet"]["data"]["watchtower_image"]
    host.run(f"mkdir -p {STACK} && cat >{STACK}/compose.yml", stdin=BASE.replace("@IMAGE@", image))
    host.run(f"cat >{STACK}/.env", stdin=DOTENV)
    host.run(f"cd {STACK} && docker compose up --detach --quiet-pull")
    return fleet


def test_an_existing_project_stays_byte_for_byte_and_its_services_run_on(existing: Fleet) -> None:
    host = existing.hosts[0]
    base, web = files(host)["./compose.yml"], containers(host)["web"]
    run = existing.deploy()
    assert run.ok, run.output
    assert files(host)["./compose.yml"] == base
    assert host.run(f"cat {STACK}/.env").startswith(DOTENV)
    assert containers(host)["web"] == web
    assert set(containers(host)) == {"web", *SERVICES}
