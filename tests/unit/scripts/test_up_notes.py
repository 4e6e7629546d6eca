"""up.sh notes what runs, and of what it was made: whole or not at all, and for its owner alone."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from pathlib import Path

import pytest

from operations.facts.state import State
from operations.stack.plan import inputs_digest
from operations.stack.snapshot import SeenFile, Snapshot
from tests.unit.scripts.up_sh import DOCKER_UP, INPUTS, TOLD, applied, fleet_files, up, ups, with_a_stack, with_compose
from tests.unit.stack.hosts import a_stack, converged
from tests.unit.stubs import StubHost


@pytest.fixture
def host(tmp_path: Path) -> StubHost:
    return with_compose(tmp_path)


@pytest.fixture
def stack_host(host: StubHost) -> StubHost:
    return with_a_stack(host)


def mode(path: Path) -> str:
    return f"{stat.S_IMODE(path.stat().st_mode):04o}"


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_nothing_to_start_is_noted_all_the_same(stack_host: StubHost) -> None:
    words = [
        str(stack_host.root),
        "erni-ki",
        "300",
        "missing",
        "no",
        "compose",
        "",
        "",
        "null",
        "",
        *INPUTS,
        "--",
        "--",
        "--",
        "redis=d1=env/redis.env",
    ]
    assert stack_host.script("up.sh", *words).returncode == 0
    assert ups(stack_host) == []
    assert applied(stack_host)["services"]["redis"]["definition"] == "d1"


def test_what_runs_is_noted(stack_host: StubHost) -> None:
    up(stack_host, "redis", "web")
    env = sha256(stack_host.root / "env" / "web.env")
    assert applied(stack_host)["services"] == {
        "redis": {
            "definition": "definition-of-redis", "env": "", "label": "label-of-redis", "container": "id-of-redis",
        },
        "web": {"definition": "definition-of-web", "env": env, "label": "label-of-web", "container": "id-of-web"},
    }  # fmt: skip


def test_what_compose_said_is_noted(stack_host: StubHost) -> None:
    up(stack_host, "redis")
    assert (applied(stack_host)["compose"], applied(stack_host)["project"]) == ("2.26.1", json.loads(TOLD))


@pytest.mark.parametrize(
    "line",
    [
        "include:",
        "    extends: base.yml",
        "x: {extends: {file: a}}",
        '  "label_file": a',
        "{include: [a]}",
        '{"include":["a"]}',
        "'extends': a",
    ],
)
def test_what_compose_said_is_not_noted_where_further_files_have_a_part_in_it(stack_host: StubHost, line: str) -> None:
    stack_host.write("compose.yml", f"# a project\n{line}\n")
    up(stack_host, "redis")
    assert applied(stack_host)["project"] is None


@pytest.mark.parametrize("line", ["# include what you like", "  image: extends:1", "    command: [--include]"])
def test_words_that_name_no_further_file_are_no_reason_to_ask_again(stack_host: StubHost, line: str) -> None:
    stack_host.write("compose.yml", f"{line}\n")
    up(stack_host, "redis")
    assert applied(stack_host)["project"] == json.loads(TOLD)


def test_the_env_file_that_a_service_reads_is_the_one_that_is_given(stack_host: StubHost) -> None:
    file = stack_host.write("conf/n8n=1.env", "A=1\n")
    words = [str(stack_host.root), "erni-ki", "300", "missing", "no", "compose", "", "", "null", "", *INPUTS, "--", "--", "--"]
    assert stack_host.script("up.sh", *words, "web=d1=conf/n8n=1.env", "redis=d2=conf/none.env").returncode == 0
    noted = applied(stack_host)["services"]
    assert (noted["web"]["definition"], noted["web"]["env"]) == ("d1", sha256(file))
    assert (noted["redis"]["definition"], noted["redis"]["env"]) == ("d2", "")


def test_what_is_noted_can_be_read_by_the_state_fact(stack_host: StubHost) -> None:
    up(stack_host, "redis", "web")
    fact = State()
    seen = fact.process(stack_host.command(fact.command(str(stack_host.root))).stdout.splitlines())
    assert seen.applied.services == applied(stack_host)["services"]  # type: ignore[union-attr]
    assert seen.applied.inputs == applied(stack_host)["inputs"]  # type: ignore[union-attr]


def test_the_digest_of_the_inputs_is_the_one_that_the_plan_computes(host: StubHost) -> None:
    stack = a_stack()
    host.stub("docker", DOCKER_UP)
    files = {}
    for path in stack.inputs():
        file = host.write(path, f"this is {path}\n")
        files[path] = SeenFile("file", "0644", "0:0", sha256(file))
    words = [str(host.root), "erni-ki", "300", "missing", "no", "compose", "", "", "null", "", *stack.inputs(), "--", "--", "--"]
    assert host.script("up.sh", *words).returncode == 0
    assert applied(host)["inputs"] == inputs_digest(stack, Snapshot(files=files))
    assert applied(host)["inputs"] != inputs_digest(stack, converged(stack))


def test_what_is_noted_is_for_its_owner_alone(stack_host: StubHost) -> None:
    up(stack_host, "redis")
    assert mode(stack_host.root / ".fleet" / "applied.json") == "0600"
    assert mode(stack_host.root / ".fleet") == "0700"
    assert fleet_files(stack_host) == {"applied.json"}


@pytest.mark.parametrize("broken", ["sync", "mv"])
def test_what_was_noted_before_stays_whole_when_the_disk_fails(stack_host: StubHost, broken: str) -> None:
    before = stack_host.write(".fleet/applied.json", '{"old": 1}')
    stack_host.stub(broken, "exit 1")
    assert up(stack_host, "redis").returncode != 0
    assert before.read_text() == '{"old": 1}'


def composes_version(host: StubHost) -> str:
    """The version that engine.sh tells after the stack was started."""
    lines = host.script("engine/seen", root=str(host.root)).stdout.splitlines()
    (version,) = [line.removeprefix("compose=") for line in lines if line.startswith("compose=")]
    return version


def test_composes_version_is_noted_and_its_file_not_asked_again(stack_host: StubHost) -> None:
    up(stack_host, "redis")
    seen = stack_host.plugin.stat()
    stack_host.plugin.write_text("#!/bin/sh\necho 6.66\n")
    os.utime(stack_host.plugin, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    assert stack_host.plugin.stat().st_size == seen.st_size
    assert composes_version(stack_host) == "2.99"


def test_another_file_in_its_place_is_asked(stack_host: StubHost) -> None:
    up(stack_host, "redis")
    stack_host.plugin.write_text("#!/bin/sh\necho 3.0.0 # newer\n")
    assert composes_version(stack_host) == "3.0.0"
