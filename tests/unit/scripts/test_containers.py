"""containers/list and its fact: what Docker's API tells of a project's containers, and that nothing else leaves the host."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

from operations.facts.bundle import Bundle, Questions
from operations.facts.machine import Metrics
from operations.facts.state import Containers
from operations.stack.snapshot import UNKNOWN, SeenContainer
from tests.unit.dockers_api import a_container, docker_answers, seen
from tests.unit.stubs import StubHost

SECRET = "Marker_Password-0123456789"
MISLEADING = [
    '"IPAddress":"6.6.6.6"',
    '","IPAddress":"6.6.6.6","x":"',
    '\\","IPAddress":"6.6.6.6',
    '"}],"Labels":{"com.docker.compose.service":"evil"},"x":["',
    "\t6.6.6.6\t\n6.6.6.6",
    "(unhealthy)",
    "<&>",
]


@pytest.fixture
def host(tmp_path: Path) -> StubHost:
    return StubHost(tmp_path)


def the_one(host: StubHost, **fields: Any) -> SeenContainer:
    docker_answers(host, a_container(**fields))
    found = seen(host)
    assert found is not UNKNOWN
    (container,) = found
    return container


def test_each_container_is_told_with_what_the_plan_asks_for(host: StubHost) -> None:
    mounts = [("/opt/erni-ki/data/redis", "/data"), ("/opt/erni-ki/secrets/redis", "/run/redis-auth")]
    exporter = a_container("redis-exporter", status="Exited (1) 2 minutes ago", state="exited", networks={"erni-ki_default": ""})
    docker_answers(host, a_container("redis", mounts=mounts), exporter)
    found = seen(host)
    assert found is not UNKNOWN
    assert [(c.id, c.service, c.state, c.health, c.config_hash, c.addresses, dict(c.mounts)) for c in found] == [
        (
            "id-of-redis", "redis", "running", "healthy", "hash-of-redis", ("172.18.0.7",),
            {"/data": "/opt/erni-ki/data/redis", "/run/redis-auth": "/opt/erni-ki/secrets/redis"},
        ),
        ("id-of-redis-exporter", "redis-exporter", "exited", "", "hash-of-redis-exporter", (), {}),
    ]  # fmt: skip


def test_docker_is_asked_once_for_all_containers_of_the_project_but_those_of_compose_run(host: StubHost) -> None:
    docker_answers(host)
    assert host.script("containers/list", project="erni-ki").returncode == 0
    (words,) = host.calls("curl")
    assert words[words.index("--unix-socket") + 1] == "/var/run/docker.sock"
    assert "http://docker/containers/json" in words
    assert [after for before, after in itertools.pairwise(words) if before == "--data-urlencode"] == [
        "all=true", 'filters={"label":["com.docker.compose.project=erni-ki","com.docker.compose.oneoff=False"]}',
        'filters={"label":["com.docker.compose.oneoff"]}',
    ]  # fmt: skip
    assert {"--get", "--fail"} <= set(words)
    assert int(words[words.index("--max-time") + 1]) <= 10


def test_a_host_without_containers_is_an_answer(host: StubHost) -> None:
    docker_answers(host)
    assert seen(host) == ()


@pytest.mark.parametrize("curl", ["exit 7", "exit 22", 'printf \'[{"Id":"id1",\'; exit 18', "exit 28"])
def test_an_api_that_fails_is_no_answer(host: StubHost, curl: str) -> None:
    host.stub("curl", curl)
    done = host.script("containers/list", project="erni-ki")
    assert (done.returncode != 0, done.stdout) == (True, "")
    assert seen(host) is UNKNOWN


def test_a_host_without_curl_is_no_answer(host: StubHost) -> None:
    host.only("awk", "cat")
    assert seen(host) is UNKNOWN


@pytest.mark.parametrize(
    ("status", "state", "health"),
    [
        ("Up 3 hours (healthy)", "running", "healthy"),
        ("Up 3 seconds (health: starting)", "running", "starting"),
        ("Up About a minute (unhealthy)", "running", "unhealthy"),
        ("Up 3 hours", "running", ""),
        ("Up 3 hours (Paused)", "paused", ""),
        ("Exited (0) 5 days ago", "exited", ""),
        ("Exited (143) Less than a second ago", "exited", ""),
        ("Restarting (1) 3 seconds ago", "restarting", ""),
        ("Created", "created", ""),
        ("Dead", "dead", ""),
        ("Removal In Progress", "removing", ""),
    ],
)
def test_state_and_health_are_told(host: StubHost, status: str, state: str, health: str) -> None:
    container = the_one(host, status=status, state=state)
    assert (container.state, container.health) == (state, health)


@pytest.mark.parametrize(
    ("networks", "addresses"),
    [
        ({"erni-ki_default": "172.18.0.7"}, ("172.18.0.7",)),
        ({"a": "172.18.0.7", "b": "172.19.0.2"}, ("172.18.0.7", "172.19.0.2")),
        ({"a": "", "b": "172.19.0.2"}, ("172.19.0.2",)),
        ({"host": ""}, ()),
        ({}, ()),
    ],
)
def test_its_addresses_are_told(host: StubHost, networks: dict[str, str], addresses: tuple[str, ...]) -> None:
    assert the_one(host, networks=networks).addresses == addresses


@pytest.mark.parametrize(
    ("mounts", "expected"),
    [
        ([], {}),
        ([("vol", "/var/lib/x")], {"/var/lib/x": ""}),
        ([("vol", "/x"), ("/opt/data", "/data"), ("other", "/y")], {"/x": "", "/data": "/opt/data", "/y": ""}),
        ([("/opt/a b/it's", "/data")], {"/data": "/opt/a b/it's"}),
        ([("/opt/<a>&<b>", "/data"), ("/x", "/y")], {"/data": "/opt/<a>&<b>", "/y": "/x"}),
        ([('/opt/"q"', "/data")], {"/data": '/opt/"q"'}),
        ([("/opt/a\\nb", "/data")], {"/data": "/opt/a\\nb"}),
        ([("/opt/a;b>c", "/data"), ("/x", "/y")], {"/data": "/opt/a;b>c", "/y": "/x"}),
        ([("/opt/ü", "/data")], {"/data": "/opt/ü"}),
        ([("/opt/[{,:}]", "/data")], {"/data": "/opt/[{,:}]"}),
    ],
)
def test_mounts_are_told_whatever_their_folders_are_called(
    host: StubHost, mounts: list[tuple[str, str]], expected: dict[str, str]
) -> None:
    assert the_one(host, mounts=mounts).mounts == expected


# What misleads


@pytest.mark.parametrize("text", MISLEADING)
def test_no_text_of_a_container_is_taken_for_another_field(host: StubHost, text: str) -> None:
    plain = the_one(host, mounts=[("/opt/data", "/data")])
    misled = the_one(host, command=f"server {text} --x", labels={"a.note": text, text: text}, mounts=[("/opt/data", "/data")])
    assert misled == plain


@pytest.mark.parametrize("name", ["IPAddress", "x/IPAddress", "Id", "State", "Status", "Source", "Mounts/0/Source", "service"])
def test_no_label_is_taken_for_another_field(host: StubHost, name: str) -> None:
    assert the_one(host, labels={name: "6.6.6.6"}) == the_one(host)


@pytest.mark.parametrize("name", ["a/IPAddress", "Mounts", "x/Source"])
def test_no_networks_name_is_taken_for_another_field(host: StubHost, name: str) -> None:
    container = the_one(host, networks={name: "172.18.0.7"}, mounts=[("/opt/data", "/data")])
    assert (container.addresses, container.mounts) == (("172.18.0.7",), {"/data": "/opt/data"})


def test_neither_a_command_nor_a_label_leaves_the_host(host: StubHost) -> None:
    docker_answers(
        host,
        a_container("redis", command=f"redis-server --requirepass {SECRET}", labels={"note": SECRET, f"a/{SECRET}": "x"}),
        a_container("web", command=f'sh -c "REDIS_URL=redis://:{SECRET}@redis run"'),
    )
    done = host.script("containers/list", project="erni-ki")
    assert len(done.stdout.splitlines()) == 2
    assert SECRET not in done.stdout + done.stderr
    assert SECRET not in host.shown_to_processes()


@pytest.mark.parametrize(
    ("published", "place"),
    [
        ([], "172.18.0.7:9121"),
        ([("127.0.0.1", 8000)], "127.0.0.1:8000"),
        ([("::", 8000), ("0.0.0.0", 8000)], "127.0.0.1:8000"),
        ([("::1", 8000)], "[::1]:8000"),
        ([("::", 8000)], "[::1]:8000"),
        ([("fd00::7", 8000)], "[fd00::7]:8000"),
    ],
)
def test_a_service_is_asked_where_it_is_published(host: StubHost, published: list[tuple[str, int]], place: str) -> None:
    exporter = a_container("exporter")
    exporter["Ports"] = [{"IP": ip, "PrivatePort": 9121, "PublicPort": port, "Type": "tcp"} for ip, port in published]
    docker_answers(host, a_container("redis"), exporter)
    page = {"url": "http://127.0.0.1:9121/metrics", "names": ["x"], "project": "erni-ki", "service": "exporter", "port": 9121}
    host.command(Bundle().command(Questions(containers=(Containers, {"project": "erni-ki"}), page=(Metrics, page))))
    assert host.calls("curl")[-1][-1] == f"http://{place}/metrics"
