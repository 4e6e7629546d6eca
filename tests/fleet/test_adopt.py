"""A stack that operators run by hand is taken over, and given back, and nobody notices but for one restart of redis."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from operations.controller.secrets import new
from tests.fleet import erni_ki
from tests.fleet.erni_ki import by_hand, keys, logged_in, pictures, settled, write_keys
from tests.fleet.fleet import SERVICES, STACK, Fleet, Run, files, wipe
from tests.fleet.passwords import accepted, accepts, digest, on_disk, refused
from tests.fleet.test_killed import PATIENCE, WATCH, WHERE
from tests.fleet.wait import until
from tests.fleet.witness import Witness
from tests.lab import Host
from tests.lab.images import in_hosts

CLIENTS = {"redis-exporter", "openwebui", "litellm", "searxng"}
MANAGED = {"watchtower", "redis", *CLIENTS}
LEFTOVERS = "compose.no_literal_password"
# seconds; a redis that is killed 10 s after it was asked to stop serves until then
LONGEST_RESTART = 10


def assert_well(run: Run, *hosts: Host) -> None:
    """The run did what it should. Passwords that operators wrote into files of their own remain, and are told."""
    for host in hosts:
        assert set(run.bad_checks(host.name)) <= {LEFTOVERS}, run.output
        assert run.host(host.name)["status"] in ("changed", "ok") or run.bad_checks(host.name), run.output


def assert_refused(run: Run, host: Host, *words: str) -> None:
    """The run stopped before it changed anything, and its words have these."""
    assert not run.ok
    assert run.host(host.name)["status"] == "failed", run.output
    told = run.host(host.name)["error"] or ""
    assert [word for word in words if word not in told] == [], run.output


def all_of(host: Host) -> tuple[Mapping[str, object], Mapping[str, str]]:
    """Everything of the stack that a run might change."""
    return pictures(host), files(host)


@dataclass
class Stage:
    """What there was at one moment."""

    pictures: Mapping[str, Mapping[str, Sequence[str]]]
    files: Mapping[str, str]
    keys: Mapping[int, str]


@dataclass
class Story:
    """An ERNI-KI by hand, a preview, the adoption, a second run, two rollouts, and what its operator does afterwards."""

    fleet: Fleet
    witness: Witness
    passwords: list[str] = field(default_factory=list)
    stages: dict[str, Stage] = field(default_factory=dict)
    runs: dict[str, Run] = field(default_factory=dict)
    adopted_between: tuple[float, float] = (0, 0)
    said_to_operator: str = ""

    @property
    def host(self) -> Host:
        return self.fleet.hosts[0]

    def look(self, name: str) -> None:
        accepted_now = next(password for password in reversed(self.passwords) if accepts(self.host, password))
        self.stages[name] = Stage(pictures(self.host), files(self.host), keys(self.host, accepted_now))

    def run(self, name: str) -> None:
        self.runs[name] = self.fleet.deploy()
        assert_well(self.runs[name], self.host)
        self.look(name)

    def containers(self, *services: str) -> dict[str, list[Sequence[str]]]:
        """Service → its containers in the order of the stages, each once."""
        seen = {name: [stage.pictures[name]["container"] for stage in self.stages.values()] for name in services}
        return {name: [one for n, one in enumerate(all_) if one not in all_[:n]] for name, all_ in seen.items()}


@pytest.fixture(scope="module")
def host(hosts: list[Host]) -> Host:
    return hosts[0]


@pytest.fixture(scope="module")
def story(host: Host, tmp_path_factory: pytest.TempPathFactory) -> Story:
    wipe(host)
    former = erni_ki.password()
    erni_ki.lay(host, "erni-ki", former)
    erni_ki.start(host)
    write_keys(host, former)
    settled(host, {"openwebui", "litellm", "searxng"}, former)
    fleet = erni_ki.operator(
        tmp_path_factory.mktemp("story"), host, services=[*SERVICES, "litellm", "searxng"], redis_dbs={"searxng": 1}
    )
    told = Story(fleet, Witness(host), [former])
    told.look("by hand")
    told.runs["preview"] = fleet.preview()
    told.look("preview")
    with told.witness:
        told.passwords.append(fleet.password)
        began = time.time()
        told.run("adopted")
        told.adopted_between = (began, time.time())
        told.run("again")
        for name in ("first rollout", "second rollout"):
            fleet.password = new()
            told.passwords.append(fleet.password)
            told.run(name)
        told.said_to_operator = by_hand(host, "up --detach")
        told.look("handed back")
    return told


def test_a_preview_tells_what_the_adoption_does_and_changes_nothing(story: Story) -> None:
    preview, adopted = story.runs["preview"], story.runs["adopted"]
    assert preview.ok, preview.output
    assert story.stages["preview"] == story.stages["by hand"]
    told = preview.changes(story.host.name)
    assert {re.split(r"[ :]", line)[1] for line in told if line.startswith("start ")} == replaced(story, "preview", "adopted")
    assert any("its data goes from" in line for line in told), told
    assert adopted.host(story.host.name)["status"] in ("changed", "failed")


def replaced(story: Story, before: str, after: str) -> set[str]:
    """The services whose containers differ between two stages."""
    now = story.stages[after].pictures
    return {name for name, one in story.stages[before].pictures.items() if one["container"] != now[name]["container"]}


def test_no_key_is_lost(story: Story) -> None:
    assert erni_ki.count(story.stages["by hand"].keys) == erni_ki.KEYS
    assert {name: stage.keys for name, stage in story.stages.items()} == dict.fromkeys(story.stages, story.stages["by hand"].keys)


def test_no_write_is_lost_that_redis_acknowledged(story: Story) -> None:
    assert story.witness.lost == 0


def test_redis_is_restarted_once_in_all(story: Story) -> None:
    assert len(story.containers("redis")["redis"]) == 2
    assert replaced(story, "again", "handed back") & {"redis"} == set()


def test_clients_notice_nothing_but_that_restart(story: Story, capsys: pytest.CaptureFixture[str]) -> None:
    assert story.witness.refused == []
    assert len(story.witness.outages) == 1, story.witness.outages
    start, end, text = story.witness.outages[0]
    assert story.adopted_between[0] < start < end < story.adopted_between[1]
    with capsys.disabled():
        print(f"\nadoption: redis was away for {end - start:.2f} s ({text})")
    assert end - start < LONGEST_RESTART


def test_services_that_are_not_named_keep_their_containers_networks_and_volumes(story: Story) -> None:
    others = story.stages["by hand"].pictures.keys() - MANAGED
    assert len(others) == erni_ki.SERVICES - len(MANAGED)
    for stage in story.stages.values():
        assert {name: stage.pictures[name] for name in others} == {name: story.stages["by hand"].pictures[name] for name in others}


def test_no_service_comes_or_goes(story: Story) -> None:
    assert {name: len(stage.pictures) for name, stage in story.stages.items()} == dict.fromkeys(story.stages, erni_ki.SERVICES)


def test_named_services_keep_what_the_operator_gave_them(story: Story) -> None:
    for name in MANAGED:
        before, after = story.stages["by hand"].pictures[name], story.stages["handed back"].pictures[name]
        assert (after["kept"], after["networks"]) == (before["kept"], before["networks"])
        assert set(after["volumes"]) >= set(before["volumes"])


def test_clients_of_the_password_are_replaced_with_it_and_log_in(story: Story) -> None:
    assert replaced(story, "by hand", "adopted") >= CLIENTS
    for before, after in (("again", "first rollout"), ("first rollout", "second rollout")):
        assert replaced(story, before, after) == CLIENTS
    settled(story.host, {"openwebui", "litellm", "searxng"}, story.fleet.password)
    assert refused(story.host) == []


def test_a_second_run_changes_nothing(story: Story) -> None:
    assert story.runs["again"].changes(story.host.name) == []
    assert story.stages["again"] == story.stages["adopted"]


def test_an_operator_who_goes_on_by_hand_finds_nothing_to_do(story: Story) -> None:
    assert re.findall(r"(?i)recreat\w*|creat\w*|start\w*", story.said_to_operator) == []
    assert story.stages["handed back"].pictures == story.stages["second rollout"].pictures


def test_only_the_newest_password_is_accepted(story: Story) -> None:
    *former, last = story.passwords
    assert [accepts(story.host, password) for password in former] == [False] * len(former)
    assert accepted(story.host, last) == on_disk(story.host) == {digest(last)}


def test_files_of_the_operator_keep_every_line_that_is_not_managed(story: Story) -> None:
    keeps = {"compose.yml": r"$^", "env/common.env": r"$^", "env/db.env": r"$^", ".env": r"$^"}
    keeps["env/openwebui.env"] = r"(REDIS_URL|WEBSOCKET_REDIS_URL|ENABLE_WEBSOCKET_SUPPORT|WEBSOCKET_MANAGER)="
    keeps["env/litellm.env"] = r"REDIS_(HOST|PORT|PASSWORD|DB)="
    keeps["env/searxng.env"] = r"SEARXNG_REDIS_URL="
    keeps["env/redis.env"] = r"REDIS_"
    for path, managed in keeps.items():
        text = (erni_ki.STACKS / "erni-ki" / path).read_text().replace("@REDIS_PASSWORD@", story.passwords[0])
        wanted = [line for line in text.splitlines() if not re.match(managed, line)]
        found = [line for line in story.host.run(f"cat {STACK}/{path}").splitlines() if line in wanted]
        assert found == wanted, path
    assert story.stages["handed back"].files["./compose.yml"] == story.stages["by hand"].files["./compose.yml"]


def test_values_that_redis_needs_are_in_the_clients_env_files(story: Story) -> None:
    password = story.fleet.password
    assert f"\nREDIS_PASSWORD={password}\n" in story.host.run(f"cat {STACK}/env/litellm.env")
    assert f"\nSEARXNG_REDIS_URL=redis://:{password}@redis:6379/1\n" in story.host.run(f"cat {STACK}/env/searxng.env")


def test_passwords_left_over_in_the_operators_files_are_told_by_line(story: Story) -> None:
    lines = enumerate(story.host.run(f"cat {STACK}/compose.yml").splitlines(), 1)
    left = [number for number, line in lines if story.passwords[0] in line]
    assert len(left) == 3
    for run in (story.runs["adopted"], story.runs["second rollout"]):
        check = run.check(story.host.name, LEFTOVERS)
        assert check["verdict"] == "failed"
        told = re.findall(r"compose\.yml: lines? ([0-9, ]+)", check["detail"])
        assert {int(number) for group in told for number in re.findall(r"\d+", group)} >= set(left), check


def test_no_run_tells_a_password(story: Story) -> None:
    for name, run in story.runs.items():
        assert [password for password in story.passwords if password in run.output or password in str(run.report)] == [], name


# Clients that the project does not manage


@pytest.fixture
def erni(host: Host, tmp_path: Path) -> Fleet:
    """An ERNI-KI by hand with 10,000 keys, whose operator names the default services: LiteLLM and SearXNG are not among them."""
    wipe(host)
    fleet = erni_ki.operator(tmp_path, host)
    former = erni_ki.password()
    erni_ki.lay(host, "erni-ki", former)
    erni_ki.start(host)
    write_keys(host, former)
    settled(host, {"openwebui", "litellm", "searxng"}, former)
    fleet.folder.joinpath("former").write_text(former)
    return fleet


def former_of(fleet: Fleet) -> str:
    return (fleet.folder / "former").read_text()


def test_a_client_that_is_not_managed_stops_the_run_before_a_change(erni: Fleet) -> None:
    host = erni.hosts[0]
    before = all_of(host)
    assert_refused(erni.deploy(), host, "litellm", "searxng", "retire")
    assert all_of(host) == before


def test_the_former_password_is_accepted_until_nobody_uses_it(erni: Fleet) -> None:
    host, former = erni.hosts[0], former_of(erni)
    erni.settings["retire"] = "when_unused"
    before, wanted = pictures(host), keys(host, former)

    run = erni.deploy()
    assert_well(run, host)
    single = run.check(host.name, "redis.single_password")
    assert single["verdict"] == "skipped"
    assert "litellm" in single["detail"]
    assert "searxng" in single["detail"]
    assert accepted(host, erni.password) == on_disk(host) == {digest(former), digest(erni.password)}
    settled(host, {"openwebui", "litellm", "searxng"}, erni.password)
    # the other 23, these two among them, are left alone
    after = pictures(host)
    others = before.keys() - set(SERVICES)
    assert len(others) == erni_ki.SERVICES - len(SERVICES)
    assert {name: after[name] for name in others} == {name: before[name] for name in others}
    assert {name: said(host, name) for name in ("litellm", "searxng")} == dict.fromkeys(("litellm", "searxng"), "PONG")
    assert keys(host, erni.password) == wanted
    told = run.check(host.name, LEFTOVERS)["detail"]
    assert re.search(r"env/litellm\.env: line \d", told), told
    assert re.search(r"env/searxng\.env: line \d", told), told

    # while they are there nothing changes
    again = erni.deploy()
    assert_well(again, host)
    assert again.changes(host.name) == []
    by_hand(host, "stop litellm searxng")
    until(lambda: logged_in(host, erni.password) == {"openwebui"})
    last = erni.deploy()
    assert_well(last, host)
    assert accepted(host, erni.password) == on_disk(host) == {digest(erni.password)}
    assert last.check(host.name, "redis.single_password")["verdict"] == "ok"


def test_a_client_that_was_left_behind_is_found_when_it_is_named(erni: Fleet) -> None:
    host = erni.hosts[0]
    erni.settings["retire"] = "when_unused"
    assert_well(erni.deploy(), host)
    before = pictures(host)
    erni.settings.update(services=[*SERVICES, "litellm", "searxng"], redis_dbs={"searxng": 1})
    assert_well(erni.deploy(), host)
    assert accepted(host, erni.password) == {digest(erni.password)}
    settled(host, {"openwebui", "litellm", "searxng"}, erni.password)
    after = pictures(host)
    assert {name for name in before if after[name]["container"] != before[name]["container"]} == {"litellm", "searxng"}


def test_the_former_password_is_retired_in_any_case_where_that_is_wanted(erni: Fleet) -> None:
    host = erni.hosts[0]
    erni.settings["retire"] = "always"
    assert_well(erni.deploy(), host)
    assert accepted(host, erni.password) == on_disk(host) == {digest(erni.password)}
    # connections that stand are left alone
    assert said(host, "litellm") == "PONG"
    erni_ki.ask(host, erni.password, "CLIENT", "KILL", "TYPE", "normal")
    until(lambda: "AuthenticationError" in said(host, "litellm"), 30)


def said(host: Host, service: str) -> str:
    """What redis said last to an application of stacks/client.py."""
    return by_hand(host, f"exec -T {service} cat /tmp/redis").strip()


# The same variables as a list, as many write them. Compose has no tag that takes one of its lines out.
AS_LIST = """\
    /^  redis-exporter:/,/^  nvidia-exporter:/ {
        s/^      \\(REDIS_[A-Z_]*\\): "\\?\\([^"]*\\)"\\?$/      - \\1=\\2/
    }
"""


def test_variables_as_a_list_are_no_hindrance(erni: Fleet) -> None:
    host = erni.hosts[0]
    erni.settings.update(services=[*SERVICES, "litellm", "searxng"])
    host.run(f"cd {STACK} && sed -i -f - compose.yml && docker compose up --detach", stdin=AS_LIST)
    assert "\n      - REDIS_ADDR=redis://" in host.run(f"cat {STACK}/compose.yml")
    assert_well(erni.deploy(), host)
    environment = by_hand(host, "exec -T redis env").splitlines()
    assert [line for line in environment if former_of(erni) in line] == []
    exporter = host.run("docker inspect --format '{{range .Config.Env}}{{println .}}{{end}}' erni-ki-redis-exporter").splitlines()
    assert [line for line in exporter if former_of(erni) in line] == []
    assert "REDIS_EXPORTER_LOG_FORMAT=json" in exporter
    assert "\nredis_up 1\n" in host.run("curl --silent http://127.0.0.1:9121/metrics")


# Redis' data, and the way back


def test_data_of_another_redis_in_a_folder_of_that_name_is_left_alone(erni: Fleet) -> None:
    host = erni.hosts[0]
    erni.settings["services"] = [*SERVICES, "litellm", "searxng"]
    host.run(f"mkdir -p {STACK}/data/redis && printf 'REDIS0011 of another one' >{STACK}/data/redis/dump.rdb")
    folder = host.run(f"stat -c '%a %u %i %Z' {STACK}/data/redis")
    wanted = keys(host, former_of(erni))
    assert_well(erni.deploy(), host)
    assert keys(host, erni.password) == wanted
    assert host.run(f"cat {STACK}/data/redis/dump.rdb") == "REDIS0011 of another one"
    assert host.run(f"stat -c '%a %u %i %Z' {STACK}/data/redis") == folder


def test_a_backup_leads_back_to_where_everything_was_by_hand(erni: Fleet) -> None:
    host, former = erni.hosts[0], former_of(erni)
    erni.settings["services"] = [*SERVICES, "litellm", "searxng"]
    wanted, before = keys(host, former), pictures(host)
    texts = operators_files(host)
    assert_well(erni.deploy(), host)
    first = host.run(f"ls {STACK}/backups").split()[0]

    restored = erni.module("operations", "backup", "restore", first, "--limit", host.name)
    assert restored.ok, restored.output
    assert operators_files(host) == texts
    assert accepts(host, former)
    assert keys(host, former) == wanted
    settled(host, {"openwebui", "litellm", "searxng"}, former)
    after = pictures(host)
    assert {name: one for name, one in after.items() if name not in MANAGED} == {
        name: one for name, one in before.items() if name not in MANAGED
    }
    # the operator's own commands are as good as before
    by_hand(host, "up --detach")
    assert pictures(host) == after
    assert keys(host, former) == wanted
    assert host.run(f"cd {STACK} && docker compose config --services | wc -l").strip() == str(erni_ki.SERVICES)

    # and it can be adopted again
    again = erni.deploy()
    assert_well(again, host)
    assert keys(host, erni.password) == wanted


def test_an_adoption_that_fails_is_rolled_back_with_all_keys(erni: Fleet) -> None:
    host, former = erni.hosts[0], former_of(erni)
    wanted, before, texts = keys(host, former), pictures(host), operators_files(host)
    erni.settings.update(services=[*SERVICES, "litellm", "searxng"], openwebui_image=in_hosts("watchtower-standin"))
    run = erni.deploy()
    assert not run.ok
    assert "The files were rolled back from backups/" in run.host(host.name)["error"], run.output
    assert operators_files(host) == texts
    assert accepts(host, former)
    assert keys(host, former) == wanted
    settled(host, {"openwebui", "litellm", "searxng"}, former)
    assert {name for name, one in pictures(host).items() if one["container"] != before[name]["container"]} <= MANAGED
    # with what was wrong put right it goes through
    del erni.settings["openwebui_image"]
    erni.settings.update(erni_ki.KEPT_IMAGES)
    assert_well(erni.deploy(), host)
    assert keys(host, erni.password) == wanted


def operators_files(host: Host) -> dict[str, str]:
    """Path → digest of the operator's files."""
    found = host.run(f"cd {STACK} && sha256sum .env compose.yml env/*.env && ls -d compose.d/*.yml 2>/dev/null", check=False)
    return {path: one for one, path in (line.split() for line in found.splitlines() if " " in line)} | {
        line: "ours" for line in found.splitlines() if " " not in line
    }


# Smaller stacks

WATCHTOWER = in_hosts("watchtower-standin")  # which they do not have


def small(fleet: Fleet, **settings: object) -> str:
    """The hosts run redis, Open WebUI and n8n by hand, with 10,000 keys. Returns their password."""
    former = erni_ki.password()
    for host in fleet.hosts:
        wipe(host)
        erni_ki.lay(host, "small", former)
        erni_ki.start(host)
        write_keys(host, former)
        settled(host, {"openwebui", "n8n"}, former)
    fleet.settings.update(services=["watchtower", "redis", "openwebui"], watchtower_image=WATCHTOWER, **settings)
    return former


N8N = {
    "n8n": {
        "env/n8n.env": {
            "REDIS_PASSWORD": "{redis.password}",
            "QUEUE_URL": "redis://:{redis.password}@{redis.host}:{redis.port}/{redis.db}",
            "SAME_URL": "{redis.url}",
        }
    }
}


def test_clients_of_ones_own_are_managed_by_their_env_files(host: Host, tmp_path: Path) -> None:
    fleet = erni_ki.operator(tmp_path, host)
    former = small(fleet, clients=N8N, redis_dbs={"n8n": 2})
    wanted = keys(host, former)
    for fleet.password in (new(), new()):
        before = pictures(host)
        run = fleet.deploy()
        assert_well(run, host)
        url = f"redis://:{fleet.password}@redis:6379/2"
        text = host.run(f"cat {STACK}/env/n8n.env")
        assert text.splitlines()[:3] == ["# n8n", "N8N_HOST=n8n.erni-gruppe.ch", "REDIS_DB=2"]
        assert {f"REDIS_PASSWORD={fleet.password}", f"QUEUE_URL={url}", f"SAME_URL={url}", "N8N_PORT=5678"} <= set(
            text.splitlines()
        )
        assert pictures(host)["n8n"]["container"] != before["n8n"]["container"]
        settled(host, {"openwebui", "n8n"}, fleet.password)
        assert accepted(host, fleet.password) == {digest(fleet.password)}
        assert host.run(f"ls {STACK}/compose.d").split() == ["n8n.yml", "openwebui.yml", "redis.yml", "watchtower.yml"]
        seen = all_of(host)
        again = fleet.deploy()
        assert again.changes(host.name) == []
        assert all_of(host) == seen
    assert keys(host, fleet.password) == wanted


def test_a_run_that_is_limited_leaves_other_hosts_by_hand(hosts: list[Host], tmp_path: Path) -> None:
    first, second = hosts[:2]
    fleet = erni_ki.operator(tmp_path, first, second)
    former = small(fleet, clients=N8N)
    before = all_of(second)
    run = fleet.deploy("--limit", first.name)
    assert_well(run, first)
    assert accepted(first, fleet.password) == {digest(fleet.password)}
    assert all_of(second) == before
    assert accepts(second, former)
    assert not accepts(second, fleet.password)
    # then the other one follows
    wanted, kept = keys(second, former), all_of(first)
    run = fleet.deploy()
    assert_well(run, first, second)
    assert keys(second, fleet.password) == wanted
    assert all_of(first) == kept


def test_an_adoption_whose_redis_does_not_start_is_rolled_back_with_all_keys(host: Host, tmp_path: Path) -> None:
    fleet = erni_ki.operator(tmp_path, host)
    former = small(fleet, clients=N8N, redis_publish="192.0.2.1", redis_tls="off")  # no address of this host
    wanted = keys(host, former)
    assert not fleet.deploy().ok
    assert keys(host, former) == wanted
    settled(host, {"openwebui", "n8n"}, former)
    # and it can be adopted when that is put right
    del fleet.settings["redis_publish"]
    assert_well(fleet.deploy(), host)
    assert keys(host, fleet.password) == wanted


def test_a_redis_that_is_stopped_in_the_middle_of_an_adoption_keeps_its_keys(host: Host, tmp_path: Path) -> None:
    fleet = erni_ki.operator(tmp_path, host)
    former = small(fleet, clients=N8N)
    wanted = keys(host, former)
    log, now = host.run(WHERE).split()
    adoption = fleet.start()
    host.run('exec bash -c "$(cat)"', stdin=f"log={log} now={now}\n{WATCH}\nnewer compose.d/redis.yml /run/before")
    os.killpg(adoption.pid, signal.SIGKILL)
    adoption.communicate(timeout=2 * PATIENCE)
    by_hand(host, "stop redis")
    run = fleet.deploy()
    assert not run.ok
    assert "redis does not run, so its data cannot be moved" in (run.host(host.name)["error"] or ""), run.output
    host.run("docker start $(docker ps --all --quiet --filter label=com.docker.compose.service=redis)")
    assert_well(fleet.deploy(), host)
    assert keys(host, fleet.password) == wanted


# where the controller is killed: text for bash, as in test_killed
MOMENTS = {
    **{f"after command {n}": f"session {n}\nsleep {0.1 * (n % 3)}" for n in range(2, 13, 2)},
    "when the project's files are written": "until grep -qs COMPOSE_FILE .env; do sleep 0.003; done",
    "when a second redis is made": "until [ -e .fleet/moving ]; do sleep 0.003; done",
    "when redis is stopped": "event die redis",
    "when redis is started": "event start redis",
    "when a client is replaced": "event die openwebui",
}  # fmt: skip


@pytest.mark.parametrize("moment", MOMENTS)
def test_an_adoption_that_is_killed_is_ended_by_the_next_run(host: Host, tmp_path: Path, moment: str) -> None:
    fleet = erni_ki.operator(tmp_path, host)
    former = small(fleet, clients=N8N)
    wanted = keys(host, former)
    log, now = host.run(WHERE).split()
    adoption = fleet.start()
    host.run(
        'exec timeout 200 bash -c "$(cat)"', stdin=f"log={log} now={now}\n{WATCH}\n{MOMENTS[moment]}", timeout=240, check=False
    )
    in_time = adoption.poll() is None
    if in_time:
        os.killpg(adoption.pid, signal.SIGKILL)
    adoption.communicate(timeout=2 * PATIENCE)
    host.run(f"[ ! -e {STACK}/.fleet/mutex ] || flock --timeout {PATIENCE} {STACK}/.fleet/mutex true", timeout=2 * PATIENCE)

    run = fleet.deploy()
    assert_well(run, host)
    assert keys(host, fleet.password) == wanted
    assert accepted(host, fleet.password) == on_disk(host) == {digest(fleet.password)}
    settled(host, {"openwebui", "n8n"}, fleet.password)
    # another run finds nothing left to do, nor does the operator
    seen = all_of(host)
    again = fleet.deploy()
    assert again.changes(host.name) == []
    by_hand(host, "up --detach")
    assert all_of(host) == seen
