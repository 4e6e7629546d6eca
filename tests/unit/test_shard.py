"""One shard of the fleet, as runs of the real pyinfra see it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.test_preflight import Project

HOSTS = "web: {hosts: {a: , b: , c: {redis_host: a}, d: , e: }}\n"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


@pytest.fixture
def shard(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """The first of two shards of five hosts, of which two share a redis."""
    project.hosts(HOSTS)
    monkeypatch.setenv("FLEET_SHARD", "1/2")
    return project


def names(project: Project) -> list[str]:
    return [host["name"] for host in json.loads(project.run("--json", "debug-inventory").stdout)]


def test_the_shards_are_the_fleet(shard: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    assert names(shard) == ["a", "c", "e"]
    monkeypatch.setenv("FLEET_SHARD", "2/2")
    assert names(shard) == ["b", "d"]


def test_a_group_that_names_the_redis_is_in_one_shard(shard: Project) -> None:
    shard.hosts("web: {hosts: {a: , b: , c: }}\nusers: {hosts: {d: , e: }, data: {redis_host: b}}\n")
    assert names(shard) == ["b", "d", "e"]


def test_a_shard_may_be_a_file_of_names(shard: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "names").write_text("d\nb\n")
    monkeypatch.setenv("FLEET_SHARD", f"@{tmp_path}/names")
    assert names(shard) == ["b", "d"]


def test_a_limit_takes_hosts_of_the_shard(shard: Project) -> None:
    shard.hosts("web: {hosts: {'@local': {}, b: {wrong: this}, c: {wrong: this}}}\n")
    shard.works("deploy.py", "-y", "--limit", "@local")
    assert (shard.folder / "touched").exists()


@pytest.mark.parametrize("words", [("--limit", "b"), ("--limit", "d", "--limit", "b"), ("--exclude", "[ace]")])
def test_hosts_of_other_shards_are_nothing_to_do(shard: Project, words: tuple[str, ...]) -> None:
    said = shard.works("deploy.py", "-y", *words)
    assert "FLEET_SHARD=1/2: the hosts of this run are in other shards. There is nothing to do here." in said
    assert "Traceback" not in said
    assert not (shard.folder / "touched").exists()


def test_a_shard_without_a_host_is_nothing_to_do(shard: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLEET_SHARD", "5/5")
    assert "There is nothing to do here." in shard.works("deploy.py", "-y")


def test_a_limit_that_no_shard_has_is_still_an_error(shard: Project) -> None:
    assert "--limit erni-9 leaves no host." in shard.refused("--limit", "erni-9", "deploy.py", "-y")


@pytest.mark.parametrize("text", ["0/10", "11/10", "x", ""])
def test_what_is_no_shard_is_told_with_every_other_problem(shard: Project, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("FLEET_SHARD", text)
    shard.hosts("web: {hosts: {a: {ssh_port: x}}}\n")
    message = shard.refused("deploy.py", "-y")
    assert message.startswith("2 problems:\n")
    assert f'FLEET_SHARD: is "{text}", expected a shard and the number of shards, such as 3/10' in message
    assert 'ssh_port is "x"' in message


@pytest.mark.parametrize(
    ("content", "said"), [("a z y\n", "names z, y, which the inventory"), (None, "cannot be read (No such file")]
)
def test_a_file_of_names_that_is_wrong_is_told(
    shard: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str | None, said: str
) -> None:
    if content:
        (tmp_path / "names").write_text(content)
    monkeypatch.setenv("FLEET_SHARD", f"@{tmp_path}/names")
    assert said in shard.refused("deploy.py", "-y")


def test_a_redis_host_that_the_file_does_not_hold_is_refused(shard: Project) -> None:
    """Else the host with the redis would retire a password that users in other shards still have."""
    (shard.folder / "group_data").mkdir()
    (shard.folder / "group_data" / "web.py").write_text("redis_host = 'a'\n")
    assert "redis_host of the group web is 'a', and not in the file of the hosts" in shard.refused("deploy.py", "-y")
