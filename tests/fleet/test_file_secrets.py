"""A stack whose services read redis' password from a file of Compose's secrets: the file is replaced, and so are its readers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from operations.controller.secrets import new
from tests.fleet import erni_ki
from tests.fleet.erni_ki import ask, by_hand, keys, logged_in, pictures, settled, write_keys
from tests.fleet.fleet import STACK, Fleet, Run, files, wipe
from tests.fleet.passwords import digest
from tests.fleet.wait import until
from tests.fleet.witness import Witness
from tests.lab import Host

SECRET = f"{STACK}/secrets/redis_password.txt"
USERS = {"default", "searxng", "openwebui", "litellm", "exporter", "admin"}  # those that share the password
READERS = ("n8n", "searxng", "litellm", "openwebui", "redis-exporter")
STANDING = {"n8n", "searxng", "litellm", "openwebui"}  # those that keep a connection
# service → those that start before it
AFTER = {"n8n": ["searxng"], "openwebui": ["litellm"]}


@pytest.fixture(scope="module")
def host(hosts: list[Host]) -> Host:
    return hosts[0]


def laid(host: Host, folder: Path, user: str) -> Fleet:
    """An operator whose host runs the stack, with 10,000 keys; the password is the one that it has."""
    wipe(host)
    former = erni_ki.password()
    erni_ki.lay(host, "file-secrets", former)
    erni_ki.start(host, files=erni_ki.LAYERS)
    write_keys(host, former)
    settled(host, STANDING, former, "admin")
    fleet = erni_ki.operator(
        folder,
        host,
        services=[],
        compose_files=list(erni_ki.LAYERS),
        redis_password_file="secrets/redis_password.txt",
        redis_user=user,
    )
    fleet.password = former
    return fleet


def hashes(host: Host, password: str) -> dict[str, set[str]]:
    """User → the SHA-256 of the passwords that redis takes from it."""
    listed = ask(host, password, "ACL", "LIST", user="admin").splitlines()
    return {line.split()[1]: set(re.findall(r"#([0-9a-f]{64})", line)) for line in listed if line.startswith("user ")}


def said(host: Host) -> dict[str, str]:
    """What redis said last to those that keep a connection."""
    ids = {name: f"$(docker ps --quiet --filter label=com.docker.compose.service={name})" for name in STANDING - {"openwebui"}}
    heard = {name: host.run(f"docker exec {ident} cat /tmp/redis") for name, ident in ids.items()}
    return heard | {"openwebui": host.run("curl --silent http://127.0.0.1:8080/lab/redis")}


SERVED = {"n8n": "PONG", "searxng": "PONG", "litellm": "PONG", "openwebui": '{"redis": "1"}'}


def assert_well(run: Run, host: Host) -> None:
    assert (run.host(host.name)["status"], run.bad_checks(host.name)) == ("changed", []), run.output


def assert_rolled(host: Host, former: str, password: str) -> None:
    """Everybody has the new password and nobody the former one."""
    found = hashes(host, password)
    assert {user: found[user] for user in USERS} == {user: {digest(password)} for user in USERS}
    assert host.run(f"cat {SECRET}").strip() == password
    assert "WRONGPASS" in ask(host, former, "ping")
    until(lambda: said(host) == SERVED, 30)
    assert "\nredis_up 1\n" in host.run("curl --silent http://127.0.0.1:9121/metrics")


@dataclass(frozen=True)
class Rolled:
    """A rollout by ACL: what was there before and after, and what happened."""

    fleet: Fleet
    former: str
    preview: Run
    run: Run
    witness: Witness
    before: Mapping[str, Mapping[str, object]]
    after: Mapping[str, Mapping[str, object]]
    keys: tuple[Mapping[int, str], Mapping[int, str]]
    events: list[tuple[str, str]]

    @property
    def host(self) -> Host:
        return self.fleet.hosts[0]


@pytest.fixture(scope="module")
def rolled(host: Host, tmp_path_factory: pytest.TempPathFactory) -> Rolled:
    fleet = laid(host, tmp_path_factory.mktemp("secrets"), "admin")
    former, fleet.password = fleet.password, new()
    before, wanted, texts = pictures(host), keys(host, former), files(host)
    preview = fleet.preview()
    assert (pictures(host), files(host)) == (before, texts)
    began = host.run("date +%s.%N").strip()
    with Witness(host, secret="redis_password.txt", user="openwebui", network="erni-ki_data") as witness:
        run = fleet.deploy()
    return Rolled(
        fleet, former, preview, run, witness, before, pictures(host), (wanted, keys(host, fleet.password)), events(host, began)
    )


def events(host: Host, since: str) -> list[tuple[str, str]]:
    """What happened to which service's container since then: event and service."""
    shown = '{{.Action}} {{index .Actor.Attributes "com.docker.compose.service"}}'
    lines = host.run(
        f"docker events --since {since} --until $(date +%s.%N) --filter type=container --format '{shown}'"
    ).splitlines()
    return [(words[0], words[1]) for words in map(str.split, lines) if len(words) == 2]


def test_a_rollout_by_acl_reaches_everybody(rolled: Rolled) -> None:
    assert_well(rolled.run, rolled.host)
    assert_rolled(rolled.host, rolled.former, rolled.fleet.password)


def test_a_preview_names_the_readers_of_the_secret(rolled: Rolled) -> None:
    assert rolled.preview.ok, rolled.preview.output
    told = "\n".join(rolled.preview.changes(rolled.host.name))
    assert [name for name in READERS if name not in told] == []
    assert "secrets/redis_password.txt" in told


def test_no_client_is_refused_by_a_rollout_by_acl(rolled: Rolled) -> None:
    assert (rolled.witness.refused, rolled.witness.outages, rolled.witness.lost) == ([], [], 0)


def test_redis_and_services_without_the_secret_are_left_alone(rolled: Rolled) -> None:
    replaced = {name for name, one in rolled.before.items() if rolled.after[name]["container"] != one["container"]}
    assert replaced == set(READERS)
    assert rolled.after.keys() == rolled.before.keys()


def test_readers_keep_what_the_operator_gave_them(rolled: Rolled) -> None:
    for name in READERS:
        for what in ("kept", "networks", "volumes"):
            assert rolled.after[name][what] == rolled.before[name][what], name


def test_no_key_is_lost_by_a_rollout_by_acl(rolled: Rolled) -> None:
    assert rolled.keys[1] == rolled.keys[0]


def test_readers_are_replaced_in_the_order_of_their_dependencies(rolled: Rolled) -> None:
    started = [service for event, service in rolled.events if event == "start" and service in READERS]
    assert sorted(started) == sorted(READERS)
    for service, before in AFTER.items():
        assert all(started.index(name) < started.index(service) for name in before), started


def test_watchtower_rests_while_readers_are_replaced(rolled: Rolled) -> None:
    # by signals, which its container outlives: STOP and CONT
    stopped, went_on = [n for n, what in enumerate(rolled.events) if what == ("kill", "watchtower")]
    replaced = [n for n, (event, service) in enumerate(rolled.events) if service in READERS and event in ("die", "start")]
    assert stopped < replaced[0] < replaced[-1] < went_on, rolled.events
    assert (
        rolled.host.run("docker ps --filter label=com.docker.compose.service=watchtower --format '{{.State}}'").strip() == "running"
    )


def test_another_users_password_stays(rolled: Rolled) -> None:
    assert hashes(rolled.host, rolled.fleet.password)["worker"] == {digest("somebody-elses-password")}


def test_the_secrets_file_keeps_mode_and_owner(rolled: Rolled) -> None:
    assert rolled.host.run(f"stat --format '%a %u:%g' {SECRET}").strip() == "600 0:0"


def test_no_file_of_the_operator_was_changed_but_the_secret(rolled: Rolled) -> None:
    stack = erni_ki.STACKS / "file-secrets"
    for path in stack.rglob("*.yml"):
        name = path.relative_to(stack)
        assert rolled.host.run(f"cat {STACK}/{name}") == path.read_text()


def test_the_former_password_is_nowhere_but_in_backups(rolled: Rolled) -> None:
    assert rolled.former not in rolled.run.output + str(rolled.run.report)
    assert rolled.fleet.password not in rolled.run.output + str(rolled.run.report)
    found = rolled.host.run(
        f"""
        cat >/run/pattern
        docker inspect $(docker ps --all --quiet) | grep -cFf /run/pattern | grep -v '^0$'
        grep -rlFf /run/pattern --devices=skip {STACK} | grep -v '^{STACK}/backups/'
        rm /run/pattern
        """,
        stdin=f"{rolled.former}\n",
        check=False,
    )
    assert found == ""


def test_a_second_run_changes_nothing(rolled: Rolled) -> None:
    before = pictures(rolled.host), files(rolled.host)
    run = rolled.fleet.deploy()
    assert (run.ok, run.changes(rolled.host.name)) == (True, []), run.output
    assert (pictures(rolled.host), files(rolled.host)) == before


def test_redis_comes_back_with_the_new_password_alone(rolled: Rolled) -> None:
    by_hand(rolled.host, "restart redis")
    until(lambda: ask(rolled.host, rolled.fleet.password, "ping") == "PONG", 30)
    assert_rolled(rolled.host, rolled.former, rolled.fleet.password)
    assert keys(rolled.host, rolled.fleet.password) == rolled.keys[0]


def test_an_operator_who_goes_on_by_hand_finds_nothing_to_do(rolled: Rolled) -> None:
    before = pictures(rolled.host)
    by_hand(rolled.host, "up --detach")
    assert pictures(rolled.host) == before
    by_hand(rolled.host, f"{' '.join(f'--file {name}' for name in erni_ki.LAYERS)} up --detach")
    assert pictures(rolled.host) == before


def test_a_rollout_without_the_right_to_change_acls_restarts_redis_once(
    host: Host, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fleet = laid(host, tmp_path, "default")
    former, fleet.password = fleet.password, new()
    before, wanted = pictures(host), keys(host, former)
    preview = fleet.preview()
    assert "restart" in "\n".join(preview.changes(host.name))
    began = host.run("date +%s.%N").strip()

    run = fleet.deploy()

    assert_well(run, host)
    assert_rolled(host, former, fleet.password)
    assert keys(host, fleet.password) == wanted
    after = pictures(host)
    assert {name for name in before if after[name]["container"] != before[name]["container"]} == {"redis", *READERS}
    assert [what for what in events(host, began) if what == ("start", "redis")] == [("start", "redis")]
    measured = re.search(r"redis.*away for (\d+) ms", run.output)
    assert measured, run.output
    with capsys.disabled():
        print(f"\nrestart for a new password: redis was away for {measured[1]} ms")
    assert int(measured[1]) < 15_000


def test_a_variable_that_would_beat_the_secret_stops_the_run_before_a_change(host: Host, tmp_path: Path) -> None:
    fleet = laid(host, tmp_path, "admin")
    host.run(f"echo REDIS_PASSWORD={fleet.password} >>{STACK}/env/n8n.env")
    by_hand(host, f"{' '.join(f'--file {name}' for name in erni_ki.LAYERS)} up --detach n8n")
    settled(host, STANDING, fleet.password, "admin")
    former, fleet.password = fleet.password, new()
    before = pictures(host), files(host)
    run = fleet.deploy()
    assert not run.ok
    assert "n8n" in run.host(host.name)["error"]
    assert "REDIS_PASSWORD" in run.host(host.name)["error"]
    assert former not in run.output
    assert (pictures(host), files(host)) == before
    assert said(host) == SERVED


def test_a_client_that_does_not_read_the_secret_is_found_before_a_change(host: Host, tmp_path: Path) -> None:
    fleet = laid(host, tmp_path, "admin")
    stranger = f"""
    script=$(cat) && docker run --detach --name stranger --network erni-ki_data --label com.docker.compose.project=erni-ki \
        --label com.docker.compose.service=stranger --label com.docker.compose.oneoff=False \
        --env "REDIS_URL=$script" {erni_ki.CLIENT_IMAGE}
    """
    host.run(stranger, stdin=f"redis://:{fleet.password}@redis:6379/0")
    until(lambda: "stranger" in logged_in(host, fleet.password, "admin"), 30)
    former, fleet.password = fleet.password, new()
    before = pictures(host), files(host)
    run = fleet.deploy()
    assert not run.ok
    assert "stranger" in run.host(host.name)["error"]
    assert (pictures(host), files(host)) == before
    # and with time for it
    fleet.settings["retire"] = "when_unused"
    run = fleet.deploy()
    assert run.check(host.name, "redis.single_password")["verdict"] == "skipped"
    assert ask(host, former, "ping") == "PONG"
    host.run("docker rm --force stranger")
    run = fleet.deploy()
    assert run.ok, run.output
    assert_rolled(host, former, fleet.password)


# where the secret's file is replaced and the controller dies
MOMENTS = {
    "the secret is written": f'secret=$(sha256sum {SECRET}); until [ "$(sha256sum {SECRET})" != "$secret" ]; do sleep 0.005; done',
    "a reader is replaced": "read -r _ < <(exec docker events -f event=die -f label=com.docker.compose.service=searxng)",
}


@pytest.mark.parametrize("user", ["admin", "default"])
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_rollout_that_is_killed_is_ended_by_the_next_run(host: Host, tmp_path: Path, moment: str, user: str) -> None:
    fleet = laid(host, tmp_path, user)
    former, fleet.password = fleet.password, new()
    wanted = keys(host, former)
    rollout = fleet.start()
    host.run(f"timeout 120 bash -c '{MOMENTS[moment]}; kill $!'", timeout=150, check=False)
    assert rollout.poll() is None
    rollout.kill()
    rollout.communicate(timeout=240)
    host.run(f"[ ! -e {STACK}/.fleet/mutex ] || flock --timeout 120 {STACK}/.fleet/mutex true", timeout=150)
    run = fleet.deploy()
    assert run.ok, run.output
    assert_rolled(host, former, fleet.password)
    assert keys(host, fleet.password) == wanted
