"""What holds for all facts: no answer is ever taken for another, and hostile arguments reach the programs unchanged.

The scripts run here against stand-ins for docker and curl; the lab shows that the real programs answer like these.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.facts.base import END, ScriptFact
from operations.facts.engine import Engine
from operations.facts.files import EnvKeys, Files
from operations.facts.logs import Logs
from operations.facts.machine import Literals, Machine, Metrics
from operations.facts.past import Backups, History
from operations.facts.probe import Probe
from operations.facts.project import Project
from operations.facts.state import Containers, SeenState, State
from operations.services.redis.facts import Redis
from operations.stack.snapshot import UNKNOWN, Applied, SeenLiteral, SeenProject
from tests.unit.dockers_api import a_container, docker_answers
from tests.unit.facts.answers import env_keys, read
from tests.unit.redis_server import RedisServer, running
from tests.unit.stubs import HOSTILE_FOLDERS, StubHost

ALL: list[Callable[[], ScriptFact[Any]]] = [
    Backups, Containers, Engine, EnvKeys, Files, History, Literals, Logs, Machine, Metrics, Probe, Project, Redis, State,
]  # fmt: skip


# What holds for all of them


@pytest.mark.parametrize("fact", ALL)
def test_no_output_is_unknown(fact: Callable[[], ScriptFact[Any]]) -> None:
    assert fact().process([]) is UNKNOWN
    assert fact.default() is UNKNOWN  # type: ignore[attr-defined]


@pytest.mark.parametrize("fact", ALL)
def test_an_output_that_was_cut_off_is_unknown(fact: Callable[[], ScriptFact[Any]]) -> None:
    assert fact().process(["docker=yes"]) is UNKNOWN
    assert fact().process([END[:-1]]) is UNKNOWN
    assert fact().process([END, "more"]) is UNKNOWN


# redis' protocol and a history skip what they do not know
STRICT = [fact for fact in ALL if fact not in (EnvKeys, Files, Redis, History, Literals, Metrics, Probe)]


@pytest.mark.parametrize("fact", [*STRICT, lambda: env_keys("a")])
@pytest.mark.parametrize("noise", ["Welcome to erni-1!", "a\tb", "", "\t\t\t\t\t\t\t\t\t\t"])
def test_lines_that_make_no_sense_are_unknown_and_end_no_run(fact: Callable[[], ScriptFact[Any]], noise: str) -> None:
    assert read(fact(), noise) is UNKNOWN


@pytest.mark.parametrize("fact", [*(fact for fact in ALL if fact is not EnvKeys), lambda: env_keys("a")])
@given(lines=st.lists(st.text("abc=\t#+-$*:1 0\r", max_size=9), max_size=4))
def test_whatever_a_host_prints_no_fact_raises(fact: Callable[[], ScriptFact[Any]], lines: list[str]) -> None:
    read(fact(), *lines)


class Broken(ScriptFact[list[str]]):
    """A script that ends in the middle."""

    script = "containers/list"

    def command(self) -> Any:
        return self.ask(project="project")

    def parse(self, lines: list[str]) -> list[str]:
        return lines


def test_a_script_that_fails_has_no_end_mark(host: StubHost) -> None:
    host.stub("curl", "echo half an answer; exit 1")
    done = host.command(Broken().command())
    assert done.returncode != 0
    assert Broken().process(done.stdout.splitlines()) is UNKNOWN


def test_a_script_that_succeeds_has_one(host: StubHost) -> None:
    docker_answers(host, a_container("redis"))
    done = host.command(Broken().command())
    *answer, end = done.stdout.splitlines()
    assert (done.returncode, len(answer), end) == (0, 2, END)
    assert Broken().process([*answer, end]) == answer


def test_every_fact_says_what_it_is_asked_for() -> None:
    assert all((fact.__doc__ or "").strip() for fact in ALL)


# Hostile arguments


def commands(root: Path) -> dict[str, tuple[ScriptFact[Any], dict[str, Any]]]:
    return {
        "state": (State(), {"root": str(root)}),
        "project": (Project(), {"root": str(root)}),
        "redis": (Redis(), {"root": str(root), "project": "erni-ki"}),
        "files": (Files(), {"root": str(root), "paths": [".fleet/fragments"]}),
        "env": (EnvKeys(), {"root": str(root), "files": {"env/redis.env": ["A", "B"]}, "known": ["A=1"]}),
        "history": (History(), {"root": str(root)}),
        "backups": (Backups(), {"root": str(root)}),
        "literals": (Literals(), {"root": str(root), "paths": ["compose.yml"]}),
        "machine": (Machine(), {"root": str(root)}),
        "engine": (Engine(), {"root": str(root)}),
    }


DOCKER = """
case "$*" in
"compose config --hash"*) pwd >>"$HOME/where"; echo "redis r1" ;;
"compose config"*) echo '{"services": {"redis": {"image": "x"}}}' ;;
esac
"""


@pytest.mark.parametrize("name", HOSTILE_FOLDERS)
@pytest.mark.parametrize("fact", commands(Path("/")))
def test_a_hostile_folder_is_one_word(tmp_path: Path, name: str, fact: str) -> None:
    host = StubHost(tmp_path, root=name)
    host.stub("docker", DOCKER)
    host.write(".fleet/fragments", "redis\n")
    host.write(".fleet/history.jsonl", '{"n": 1}\n')
    host.write("backups/20260101T000000Z/compose.yml", "x")
    host.write("backups/20260101T000000Z/.fleet-backup", "20260101T000000Z\n")
    host.write("compose.yml", "a: b\nc: redis://:the-password@redis\n")
    host.write("secrets/redis/password", "the-password\n")
    env = host.write("env/redis.env", "A=1\n")
    asked, arguments = commands(host.root)[fact]
    with contextlib.ExitStack() as started:
        server = started.enter_context(running(RedisServer("the-password"), host)) if fact == "redis" else None
        done = host.command(asked.command(**arguments))
    found: Any = asked.process(done.stdout.splitlines())
    assert done.stderr == ""
    assert host.nothing_was_executed()
    if fact == "state":
        assert found == SeenState(Applied(), ("redis",), started_with=("compose.yml",))
    elif fact == "project":
        assert found == SeenProject({"redis": "r1"}, {"redis": ()})
        assert (host.home / "where").read_text() == f"{host.root}\n"
    elif server:
        assert found.login == "PONG"
        assert ["AUTH", "the-password"] in server.commands
    elif fact == "files":
        assert found[".fleet/fragments"].sha256 == hashlib.sha256(b"redis\n").hexdigest()
    elif fact == "env":
        assert found == {"env/redis.env": {"A": hashlib.sha256(env.read_bytes().strip()).hexdigest()}}
    elif fact == "history":
        assert found == [{"n": 1}]
    elif fact == "backups":
        assert found == {"20260101T000000Z": 1}
    elif fact == "literals":
        assert found == (SeenLiteral("compose.yml", 2),)
    elif fact == "machine":
        assert found.free
    else:
        assert found.cli


HOSTILE_WORDS = ["a b", "it's", '"x"', "$(touch x)", "`touch x`", "a;touch x", "-x", "--help", "a\\nb", "*", ""]


@pytest.mark.parametrize("fact", [Containers(), Redis()], ids=["containers", "redis"])
@pytest.mark.parametrize("project", HOSTILE_WORDS)
def test_a_hostile_project_is_one_word(host: StubHost, project: str, fact: ScriptFact[Any]) -> None:
    docker_answers(host)
    arguments = {"root": str(host.root)} if isinstance(fact, Redis) else {}
    done = host.command(fact.command(project=project, **arguments))
    assert fact.process(done.stdout.splitlines()) == (UNKNOWN if isinstance(fact, Redis) else ())
    (words,) = host.calls("curl")
    assert "http://docker/containers/json" in words
    assert any(word.startswith(f'filters={{"label":["com.docker.compose.project={project}","com.') for word in words)
    assert host.nothing_was_executed()
