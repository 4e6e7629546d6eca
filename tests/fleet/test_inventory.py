"""A wrong list of hosts ends the run before a connection, with an error that says what to correct and exit status 1."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.fleet.fleet import Fleet, Run

WRONG = {
    "zero hosts": ("fleet: {hosts: {}}\n", "there is no host in it"),
    "nothing at all": ("", "there is no host in it"),
    "a duplicate host": ("fleet:\n  hosts:\n    a: {ssh_port: 22}\n    a: {ssh_port: 23}\n", "a is there twice"),
    "a host that two groups describe": (
        "one: {hosts: {a: {ssh_port: 22}}}\ntwo: {hosts: {a: {ssh_port: 23}}}\n",
        "has other data here than in one",
    ),
    "a port that is no number": ("fleet: {hosts: {a: {ssh_port: 22o1}}}\n", 'ssh_port is "22o1", expected a number'),
    "a setting of the wrong type": ("fleet: {hosts: {a: {start_timeout: soon}}}\n", "start_timeout: is 'soon', expected a whole"),
    "a setting that is misspelt": ("fleet: {hosts: {a: {stack_dirr: /opt/x}}}\n", "stack_dir is one"),
    "YAML that is no mapping": ("- a\n- b\n", "is a list, expected a mapping"),
    "YAML that is none": ("fleet: [\n", "is no valid YAML"),
    "YAML that would run something": ("fleet: !!python/object/apply:os.system ['touch MARK']\n", "is no valid YAML"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_file_of_hosts_is_told(name: str, fleet: Fleet) -> None:
    text, said = WRONG[name]
    run, mark = with_hosts(fleet, text)
    assert run.status == 1
    assert said in run.output
    assert "Traceback" not in run.output
    assert not mark.exists()


def test_a_missing_file_of_hosts_is_told(fleet: Fleet) -> None:
    run = fleet.deploy(env={"FLEET_HOSTS": str(fleet.folder / "none.yml")})
    assert run.status == 1
    assert f"{fleet.folder}/none.yml: there is no such file. Correct FLEET_HOSTS." in run.output


def test_a_limit_that_matches_no_host_is_told(fleet: Fleet) -> None:
    run = fleet.deploy("--limit", "erni-99")
    assert run.status == 1
    assert "--limit erni-99 leaves no host. The hosts are " in run.output


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"stack_dir": "-rf"}, "'-rf' is not an absolute path"),
        ({"stack_dir": "/opt/../etc"}, "without '..'"),
        ({"stack_dir": "/opt/a\nb"}, "holds a control character"),
        ({"services": ["redis", "../../etc/passwd"]}, "'../../etc/passwd' is no service name"),
        ({"services": ["redis", "watchtower", "nginx"]}, "'nginx' is not in the catalogue"),
        ({"redis_image": "redis-stack; touch /tmp/x"}, "is no image name"),
        ({"openwebui_env": {"KEY": "two\nlines"}}, "a line break"),
        ({"catalog_dirs": ["/nowhere"]}, "/nowhere is no folder"),
    ],
)
def test_a_hostile_setting_is_refused_before_a_connection(settings: Mapping[str, object], said: str, fleet: Fleet) -> None:
    before = [host.sessions() for host in fleet.hosts]
    fleet.settings.update(settings)
    run = fleet.deploy()
    assert run.status == 1
    assert said in run.output
    assert "Traceback" not in run.output
    assert [host.sessions() for host in fleet.hosts] == before


CATALOGUE = {
    "no mapping": ("- a\n", "is a list, expected a mapping with `services`"),
    "no YAML": ("services: [\n", "cannot be read"),
    "another service": ("services: {other: {image: x}}\n", "must define exactly one service, called 'mine'"),
    "something to run": ("services: !!python/object/apply:os.system ['touch MARK']\n", "cannot be read"),
}


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_catalogue_file_that_is_none_is_refused_before_a_connection(name: str, fleet: Fleet) -> None:
    text, said = CATALOGUE[name]
    mark = fleet.folder / "mark"
    (fleet.folder / "mine.yml").write_text(text.replace("MARK", str(mark)))
    fleet.settings["catalog_dirs"] = [str(fleet.folder)]
    run = fleet.deploy()
    assert run.status == 1
    assert f"{fleet.folder}/mine.yml: " in run.output
    assert said in run.output
    assert not mark.exists()


def with_hosts(fleet: Fleet, text: str) -> tuple[Run, Path]:
    """A run with this file of hosts, and the file that is there if something in it was run."""
    mark, path = fleet.folder / "mark", fleet.folder / "own.yml"
    path.write_text(text.replace("MARK", str(mark)))
    return fleet.deploy(env={"FLEET_HOSTS": str(path), "REDIS_PASSWORD": fleet.password}), mark
