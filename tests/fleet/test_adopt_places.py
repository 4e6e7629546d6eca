"""The password that redis accepts is found wherever its operator wrote it, however it is spelled, and is told to nobody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.fleet import erni_ki
from tests.fleet.erni_ki import ask, by_hand, pictures, put
from tests.fleet.fleet import STACK, Fleet, Run, files, wipe
from tests.fleet.passwords import accepted, accepts, digest
from tests.fleet.wait import until
from tests.lab import Host
from tests.lab.images import in_hosts

PASSWORD = "ErniKiRedis2024"
# what a password made with `openssl rand -base64` looks like, which the project's own rule refuses
BASE64 = "q1+Zx/9kT2w="


OUTSIDE = "/srv/redis"


@dataclass(frozen=True)
class Place:
    """A redis that was started by hand.

    + redis: lines of its definition, beside image and volume
    + files: further files of the stack
    + given: the password that it accepts
    + main: its Compose file
    + more: further text of that file
    + hidden: whether it has its password from a configuration outside of the stack's folder, so that only clients tell it
    + after: sh text that is run in the stack's folder when it runs
    """

    redis: str
    files: Mapping[str, str] = field(default_factory=dict)
    given: str = PASSWORD
    main: str = "compose.yml"
    more: str = ""
    hidden: bool = False
    after: str = "true"

    def compose(self) -> str:
        volumes = "./data/redis:/data" + (f", {OUTSIDE}:/conf:ro" if self.hidden else "")
        lines = "".join(f"    {line}\n" for line in (f"volumes: [{volumes}]", *self.redis.strip().splitlines()))
        return f"services:\n  redis:\n    image: redis/redis-stack:latest\n{lines}{self.more}"


def only(files: Mapping[str, str], given: str = PASSWORD, redis: str = "", more: str = "") -> Place:
    """The password is in these files alone, or in that part of the Compose file."""
    return Place(f"command: redis-server /conf/redis.conf --dir /data\n{redis}", files, given, more=more, hidden=True)


SERVER = "command: redis-stack-server --appendonly yes"
SECRET = """\
secrets: [redis_password]
command: ["sh", "-c", "exec redis-server --dir /data --requirepass \\"$$(cat /run/secrets/redis_password)\\""]
"""
SECRETS = """\
secrets:
  redis_password: {file: ./secrets/redis_password.txt}
"""

PLACES = {
    # the command
    "a command": Place(f"{SERVER} --requirepass {PASSWORD}"),
    "a command as a list": Place(f"command: [redis-stack-server, --requirepass, {PASSWORD}, --appendonly, 'yes']"),
    "a command with quotes": Place(f"""command: redis-stack-server --requirepass "{PASSWORD}" """),
    "a command over several lines": Place(f"command: >-\n  redis-stack-server\n  --appendonly yes\n  --requirepass {PASSWORD}"),
    "a command of a shell": Place(f"""command: ["sh", "-c", "exec redis-server --dir /data --requirepass '{PASSWORD}'"]"""),
    "a command with a $": Place(f"""{SERVER} --requirepass 'Erni$$Ki-2024-Redis' """, given="Erni$Ki-2024-Redis"),
    "a command with a password of base64": Place(f"{SERVER} --requirepass {BASE64}", given=BASE64),
    "a command with two passwords": Place(f"{SERVER} --requirepass Former2023 --requirepass {PASSWORD}"),
    "a command with capitals": Place(f"{SERVER} --RequirePass {PASSWORD}"),
    "a command with a variable of .env": Place(
        f"{SERVER} --requirepass ${{REDIS_PASSWORD}}", {".env": f"# ours\nREDIS_PASSWORD={PASSWORD}\n"}
    ),
    "a command with a variable and a default": Place(f"{SERVER} --requirepass ${{REDIS_PASSWORD:-{PASSWORD}}}"),
    "an entrypoint": Place(f"entrypoint: [redis-server, --requirepass, {PASSWORD}, --dir, /data]\ncommand: []"),
    "an anchor": Place(f"labels: {{mine: &it {PASSWORD}}}\ncommand: [redis-stack-server, --requirepass, *it]"),
    # the environment
    "REDIS_ARGS in a mapping": Place(f"environment:\n  REDIS_ARGS: --requirepass {PASSWORD} --appendonly yes"),
    "REDIS_ARGS in a list": Place(f"environment:\n  - REDIS_ARGS=--appendonly yes --requirepass {PASSWORD}"),
    "REDIS_ARGS in an env file": Place("env_file: env/redis.env", {"env/redis.env": f'REDIS_ARGS="--requirepass {PASSWORD}"\n'}),
    # what only clients know, for redis has it from a file of its own
    "env/redis.env": only({"env/redis.env": f"# Redis\nREDIS_PASSWORD={PASSWORD}\nREDIS_LOG_LEVEL=notice\n"}),
    "env/redis.env with quotes": only({"env/redis.env": f"REDIS_PASSWORD='{PASSWORD}'\n"}),
    "env/redis.env with double quotes": only({"env/redis.env": f'REDIS_PASSWORD="{PASSWORD}"  # ours\n'}),
    "env/redis.env with export": only({"env/redis.env": f"export REDIS_PASSWORD={PASSWORD}\n"}),
    "env/redis.env with blanks": only({"env/redis.env": f"REDIS_PASSWORD = {PASSWORD}   # ours\n"}),
    "env/redis.env from Windows": only({"env/redis.env": f"A=1\r\nREDIS_PASSWORD={PASSWORD}\r\n"}),
    "env/redis.env without an end of line": only({"env/redis.env": f"REDIS_PASSWORD={PASSWORD}"}),
    "env/redis.env after a comment": only({"env/redis.env": f"#REDIS_PASSWORD=Former2023\nREDIS_PASSWORD={PASSWORD}\n"}),
    "a URL": only({"env/openwebui.env": f"REDIS_URL=redis://:{PASSWORD}@redis:6379/0\n"}),
    "a URL with quotes": only({"env/openwebui.env": f'REDIS_URL="redis://:{PASSWORD}@redis:6379/0"\n'}),
    "a URL with a user": only({"env/openwebui.env": f"REDIS_URL=redis://default:{PASSWORD}@redis:6379/0\n"}),
    "an encoded URL": only({"env/openwebui.env": "REDIS_URL=redis://:q1%2BZx%2F9kT2w%3D@redis:6379/0\n"}, BASE64),
    "a URL of the exporter": only({"env/redis-exporter.env": f"REDIS_ADDR=redis://:{PASSWORD}@redis:6379\n"}),
    "a URL in the Compose file": only(
        {}, more=f"  app:\n    image: nginx:1.27\n    environment: ['REDIS_URL=redis://:{PASSWORD}@redis:6379/3']\n"
    ),
    "a file of a secret": Place(SECRET, {"secrets/redis_password.txt": PASSWORD}, more=SECRETS),
    "a file of a secret with an end of line": Place(SECRET, {"secrets/redis_password.txt": f"{PASSWORD}\n"}, more=SECRETS),
    "a healthcheck": only({}, redis=f"""healthcheck: {{test: ["CMD-SHELL", "redis-cli -a '{PASSWORD}' ping | grep PONG"]}}"""),
    # places that disagree
    "a container that runs longer than the files are as they are": Place(
        f"{SERVER} --requirepass {PASSWORD}",
        {"env/redis.env": "REDIS_PASSWORD=AnotherOne2025\n"},
        after="sed -i 's/--requirepass [^ ]*/--requirepass AnotherOne2025/' compose.yml",
    ),
    "an env file that is wrong": Place(f"{SERVER} --requirepass {PASSWORD}", {"env/redis.env": "REDIS_PASSWORD=AnotherOne2025\n"}),
    "a URL that is wrong beside an env file": only(
        {"env/openwebui.env": "REDIS_URL=redis://:AnotherOne2025@redis/0\n", "env/redis.env": f"REDIS_PASSWORD={PASSWORD}\n"}
    ),
    # the project's files
    "docker-compose.yml": Place(f"{SERVER} --requirepass {PASSWORD}", main="docker-compose.yml"),
    "a file that another one includes": Place(
        "",
        {
            "compose.yml": "include: [parts/redis.yml]\nservices: {}\n",
            "parts/redis.yml": Place(f"{SERVER} --requirepass {PASSWORD}").compose(),
        },
    ),
    "a file that another one extends": Place(
        "labels: {mine: 'yes'}",
        {"parts/redis.yml": f"services:\n  base:\n    image: redis/redis-stack:latest\n    {SERVER} --requirepass {PASSWORD}\n"},
        more="    extends: {file: parts/redis.yml, service: base}\n",
    ),
}


def laid(host: Host, folder: Path, place: Place) -> Fleet:
    """An operator whose host runs such a redis, with a key in it."""
    wipe(host)
    conf = f"appendonly yes\nrequirepass {place.given}\n"
    put(host, {"redis.conf": conf} if place.hidden else {}, OUTSIDE)
    put(host, {place.main: place.compose(), **place.files})
    by_hand(host, "up --detach --quiet-pull")
    until(lambda: ask(host, place.given, "SET", "kept", "yes") == "OK", 30)
    host.run(f"cd {STACK} && {place.after}")
    watchtower = in_hosts("watchtower-standin")
    return erni_ki.operator(folder, host, services=["watchtower", "redis"], watchtower_image=watchtower, compose_files=[place.main])


def told(run: Run) -> str:
    return run.output + str(run.report)


@pytest.fixture(scope="module")
def host(hosts: list[Host]) -> Host:
    return hosts[0]


@pytest.mark.parametrize("name", PLACES)
def test_the_former_password_is_found(host: Host, tmp_path: Path, name: str) -> None:
    place = PLACES[name]
    fleet = laid(host, tmp_path, place)
    run = fleet.deploy()
    assert set(run.bad_checks(host.name)) <= {"compose.no_literal_password"}, run.output
    assert ask(host, fleet.password, "GET", "kept") == "yes"
    assert accepted(host, fleet.password) == {digest(fleet.password)}
    assert not accepts(host, place.given)
    assert place.given not in told(run)


# Where it is in no file


NOWHERE = {
    "it is in a configuration elsewhere": only({"env/redis.env": "REDIS_PASSWORD=Former2023\n"}),
    "it was set by hand": Place(
        SERVER,
        {"env/redis.env": "REDIS_PASSWORD=Former2023\n"},
        given="",
        after=f"docker compose exec -T redis redis-cli CONFIG SET requirepass {PASSWORD}",
    ),
}


@pytest.mark.parametrize("name", NOWHERE)
def test_a_password_that_is_not_found_stops_the_run_before_a_change(host: Host, tmp_path: Path, name: str) -> None:
    fleet = laid(host, tmp_path, NOWHERE[name])
    before = pictures(host), files(host)
    run = fleet.deploy()
    assert not run.ok
    error = run.host(host.name)["error"]
    # where it was looked for
    for word in ("env/redis.env", "compose.yml", "requirepass", "REDIS_ARGS", "secrets"):
        assert word in error, error
    assert (pictures(host), files(host)) == before
    assert accepts(host, PASSWORD)
    assert PASSWORD not in told(run)
    assert "Former2023" not in told(run)
    # a preview says the same
    assert "accepts none of the passwords that were found" in fleet.preview().output
    assert (pictures(host), files(host)) == before
