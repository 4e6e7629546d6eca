"""Whatever a host says: names, labels, logs, files and their names are arbitrary bytes, with marks, tabs, line breaks, quotes and
JSON in them. What a fact makes of them is what a structured description gives, or UNKNOWN; never another.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from operations.controller.host_plan import HostPlan
from operations.controller.observe import questions, snapshot
from operations.controller.shown import shown as clean_for_all
from operations.facts.base import END, NONCE, shown
from operations.facts.bundle import Bundle, Questions
from operations.facts.files import EnvKeys, Files
from operations.facts.logs import Logs
from operations.facts.machine import Literals, Machine
from operations.facts.past import Backups, History
from operations.facts.state import Containers, SeenState, State
from operations.lock import problem
from operations.services.redis.credential import RedisAcl
from operations.stack.lock import owner
from operations.stack.probes import Probe as Declared
from operations.stack.snapshot import UNKNOWN, Applied, SeenLiteral
from tests.unit.dockers_api import a_container, docker_answers
from tests.unit.facts.answers import H1
from tests.unit.scripts.test_looks import at, entry
from tests.unit.stack.hosts import a_stack
from tests.unit.stubs import StubHost

FORGED = [
    END, f"\n{END}\n", f"{NONCE} 1", f"\n{NONCE} bundle-end\n", "##fleet:text", "##fleet:end", "#200", "\n#200\n", '"end"', "end",
    "=", "1 A 1 ", " .\n.fleet/lock/owner e30= .\n", "secrets/redis/users.acl ", f"#{H1}", "file\n", "base compose.yaml\n",
    "[]", '["x"]', '{"id": "x"}', '"}],"x":["', "\t", "\n", "\r\n", "\\", '"', "'", "\\n", "%0A", "%", "\0", "\x01", "\x1b[2J",
    "\x1b]0;x\x07", "\u202e", "\ud7ff", "ü", "\U0001f600", "$(touch x)", "`touch x`", "-x", "*", "ERROR ", " ", "é\x80",
]  # fmt: skip
texts = st.lists(st.one_of(st.sampled_from(FORGED), st.text(max_size=4)), max_size=4).map("".join)
contents = st.lists(st.one_of(texts.map(lambda text: text.encode(errors="replace")), st.binary(max_size=4)), max_size=5).map(
    b"".join
)
# what a file may be called
names = contents.map(lambda name: name.replace(b"/", b"").replace(b"\0", b"")[:80]).filter(
    lambda name: name not in (b"", b".", b"..", b"x")  # that which `touch x` would make
)
few = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@pytest.fixture
def host(tmp_path: Path) -> StubHost:
    return StubHost(tmp_path)


def asked(host: StubHost, **facts: tuple[Any, dict[str, Any]]) -> dict[str, Any]:
    """The answers of a bundle, in which each could be taken for another's."""
    bundle = Bundle()
    done = host.command(bundle.command(Questions(facts)))
    assert done.stdout.isascii()
    assert host.nothing_was_executed()
    found = bundle.process(done.stdout.splitlines())
    assert found is not UNKNOWN
    return found


def emptied(host: StubHost) -> str:
    shutil.rmtree(host.root)
    host.root.mkdir()
    return str(host.root)


def written(host: StubHost, path: str | bytes, content: bytes) -> None:
    file = host.root / os.fsdecode(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)


# Docker


@few
@given(name=texts, value=texts, command=texts, image=texts, network=texts, source=texts, target=texts)
def test_containers(
    host: StubHost, name: str, value: str, command: str, image: str, network: str, source: str, target: str
) -> None:
    described = a_container(
        "redis", command=command, labels={name: value}, networks={network: "172.18.0.7"}, mounts=[(f"/{source}", target)]
    )
    docker_answers(host, described | {"Image": image}, a_container("web"))
    host.root.mkdir(exist_ok=True)
    found = asked(host, containers=(Containers, {"project": "erni-ki"}), machine=(Machine, {"root": str(host.root)}))["containers"]
    meant = json.loads(json.dumps([image, source, target]).encode(errors="replace"))
    assert [(one.service, one.image, one.addresses, one.mounts) for one in found] == [
        ("redis", meant[0], ("172.18.0.7",), {meant[2]: f"/{meant[1]}"}), ("web", "web:latest", ("172.18.0.7",), {}),
    ]  # fmt: skip


@few
@given(lines=st.lists(contents, max_size=6), terminal=st.booleans(), padding=st.sampled_from([0, 9, 200, 226, 2000, 16350, 17000]))
def test_logs(host: StubHost, lines: list[bytes], terminal: bool, padding: int) -> None:
    # what ends in a line break is a line of its own for Docker, too
    said = [one for line in lines for one in (b"ERROR " + line).replace(b"\0", b"\x01").split(b"\n")] or [b"ERROR"]
    said = [line.ljust(padding, b"x") for line in said]
    log = b"".join(entry(at(100 - number), line, terminal and len(line) < 16000) for number, line in enumerate(said))
    containers = [a_container("evil"), a_container("web")]
    logs = {"id-of-evil": log, "id-of-web": entry(at(50), "ERROR of web")}
    docker_answers(host, *containers, logs=logs, state={"Status": "running", "StartedAt": at(3000)})
    answers = asked(host, logs=(Logs, {"root": str(host.root), "project": "erni-ki"}), machine=(Machine, {"root": str(host.root)}))
    found = answers["logs"]
    assert found is not UNKNOWN
    assert answers["machine"] is not UNKNOWN
    assert (found["web"].refused, found["web"].errors) == (0, ("ERROR of web",))
    assert found.keys() == {"evil", "web"}
    assert len(found["evil"].errors) <= min(20, len(said))
    for line in found["evil"].errors:
        assert line == shown(line)
        assert len(line.encode()) <= 900  # 300 bytes, each of which may be none of UTF-8
    plain = [line.decode() for line in said if line.isascii() and line.decode().isprintable() and b"://" not in line]
    errors = [line[:300] for line in plain if line.startswith("ERROR")]
    # others, once cleaned, may be the same as one of these
    told = iter(found["evil"].errors)
    assert all(line in told for line in errors[-20:]) or len(said) > 20


# Files


@few
@given(applied=contents, fragments=contents, lock=contents, acl=contents, volume=names)
def test_state(host: StubHost, applied: bytes, fragments: bytes, lock: bytes, acl: bytes, volume: bytes) -> None:
    root = emptied(host)
    for path, content in ((".fleet/applied.json", applied), (".fleet/fragments", fragments), (".fleet/lock/owner", lock)):
        written(host, path, content)
    if acl:
        written(host, "secrets/redis/users.acl", acl)
    written(host, b"data/redis/" + volume, b"x")
    found = asked(
        host,
        state=(State, {"root": root, "texts": ["secrets/redis/users.acl"], "folders": ["data/redis"]}),
        machine=(Machine, {"root": root}),
    )["state"]
    assert found.applied == Applied()
    lines = [line.split(" ") for line in fragments.decode(errors="replace").splitlines()]
    names = [
        words for words in lines if len(words) <= 2 and all(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", word) for word in words)
    ]
    assert found.fragments == tuple(words[0] for words in names)
    assert found.called == {words[1]: words[0] for words in names if len(words) == 2}
    assert found.lock == owner(lock.decode(errors="replace"))
    assert found.texts == ({"secrets/redis/users.acl": acl.decode(errors="replace")} if acl else {})
    assert found.started_with == ()
    assert found.entries == ({} if volume.startswith(b".") else {"data/redis": volume.decode(errors="replace")})


@pytest.mark.parametrize("name", [f"x\nlock {H1}", f"a\nusers.acl {H1} .", f"\n{END}\n"])
def test_a_files_name_forges_neither_a_hash_nor_a_lock(host: StubHost, name: str) -> None:
    written(host, f"data/redis/{name}", b"x")
    found = asked(host, state=(State, {"root": str(host.root), "folders": ["data/redis"]}))["state"]
    assert found == SeenState(Applied(), (), entries={"data/redis": name})


@few
@given(text=contents, key=st.sampled_from(["A", "B"]), other=names)
def test_env_keys(host: StubHost, text: bytes, key: str, other: bytes) -> None:
    root = emptied(host)
    written(host, "one.env", text + f"\n{key}=1\n".encode())
    written(host, other, b"A=1\nB=1\n")
    facts = {"env": (EnvKeys, {"root": root, "files": {"one.env": ["A", "B"], "none.env": ["A"]}, "known": ["A=1", "B=1"]})}
    found = asked(host, **facts, machine=(Machine, {"root": root}))["env"]
    assert found.keys() == {"one.env", "none.env"}
    assert found["none.env"] == {} or other == b"none.env"
    if keys := found["one.env"]:
        assert keys.keys() <= {"A", "B"}
        # A=1 is told only of a file in which the key has that line
        assert all(len(value) in (0, 64) for value in keys.values())


@few
@given(paths=st.lists(names, min_size=1, max_size=3, unique=True), content=contents)
def test_files_beside_those_that_are_asked_for(host: StubHost, paths: Sequence[bytes], content: bytes) -> None:
    root = emptied(host)
    for path in paths:
        written(host, path, content)
    found = asked(host, files=(Files, {"root": root, "paths": ["compose.yml", "env"]}), machine=(Machine, {"root": root}))["files"]
    assert {path: seen.kind for path, seen in found.items()} == {
        path: "file" if path.encode() in paths else "missing" for path in ("compose.yml", "env")
    }


@few
@given(name=names, text=contents)
def test_literals(host: StubHost, name: bytes, text: bytes) -> None:
    root = emptied(host)
    written(host, b"env/" + name + b".env", b"REDIS_PASSWORD=x\n")
    written(host, "compose.yml", text.replace(b"include", b"").replace(b"extends", b"") + b"\n--requirepass x\n")
    found = asked(
        host,
        literals=(Literals, {"root": root, "paths": ["compose.yml"], "in_env": RedisAcl.in_env, "in_files": RedisAcl.in_files}),
    )["literals"]
    assert SeenLiteral(f"env/{name.decode(errors='replace')}.env", 1, previous=True) in found
    assert SeenLiteral("compose.yml", text.count(b"\n") + 2, previous=True) in found
    assert {one.path for one in found} == {"compose.yml", f"env/{name.decode(errors='replace')}.env"}


@few
@given(lines=st.lists(contents, max_size=4), name=names)
def test_history_and_backups(host: StubHost, lines: Sequence[bytes], name: bytes) -> None:
    root = emptied(host)
    written(host, ".fleet/history.jsonl", b"\n".join([*lines, b'{"n": 1}', b""]))
    written(host, b"backups/" + name + b"/a\nb", b"x")
    written(host, "backups/20260101T000000Z/compose.yml", b"x")
    written(host, "backups/20260101T000000Z/.fleet-backup", b"20260101T000000Z\n")
    answers = asked(host, history=(History, {"root": root}), backups=(Backups, {"root": root}))
    assert answers["history"][-1] == {"n": 1}
    assert all(isinstance(entry, dict) for entry in answers["history"])
    assert answers["backups"]["20260101T000000Z"] == 1
    assert answers["backups"].keys() == {"20260101T000000Z"}


# A stack of any size


def many_checks() -> list[Declared]:
    return [Declared(f"s{n // 5}.c{n % 5}", f"s{n // 5}", "http", (f"http://127.0.0.1:{n}/",), "200") for n in range(500)]


def test_a_hundred_services_with_five_hundred_checks_are_one_program_in_one_exec(host: StubHost) -> None:
    (host.bin / "curl").symlink_to("/bin/true")  # stand-ins that note their words would take long
    asked = dict(questions(a_stack(stack_dir=str(host.root))))
    probe = next(fact for name, (fact, _) in asked.items() if name.startswith("probe:"))
    asked |= {f"probe:{one.id}": (probe, {"probe": one, "project": "erni-ki"}) for one in many_checks()}
    bundle = Bundle()
    command: Any = bundle.command(Questions(asked))
    assert len(command.get_raw_value()) < 100  # the rest goes over standard input, which knows no limit
    assert len(command.connector_arguments["_stdin"]) < 300 * len(asked) + 40_000
    found = bundle.process(host.command(command, timeout=200).stdout.splitlines())
    assert found is not UNKNOWN
    assert found.keys() == asked.keys()
    assert {found[f"probe:{one.id}"] for one in many_checks()} == {""}


@pytest.mark.parametrize("part", [n / 12 for n in range(12)])
def test_a_program_that_was_cut_off_on_its_way_does_nothing(host: StubHost, part: float) -> None:
    host.stub("curl", "exit 7")
    bundle = Bundle()
    command: Any = bundle.command(questions(a_stack(stack_dir=str(host.root))))
    program = command.connector_arguments["_stdin"]
    command.connector_arguments["_stdin"] = program[: int(len(program) * part)]
    done = host.command(command)
    assert done.stdout == ""
    assert bundle.process(done.stdout.splitlines()) is UNKNOWN
    assert host.calls("curl") == []


S = "\ud800\u202e\x1b]0;x\x07[bold]x[/]"
OWNER = {"run": S, "operator": S, "controller": S, "process": "4711:1", "since": "2026-11-24T15:01:02Z"}
NOTED = {
    "inputs": S, "services": {S: {S: S}, "redis": {"definition": S}}, "compose": S,
    "project": {"definitions": {S: S}, "needs": {S: [S]}, "starter": S},
    "own": {"services": {S: {"user": S, "keys": [S], "urls": {S: S}}}, "files": {S: S}},
}  # fmt: skip


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (".fleet/applied.json", json.dumps(NOTED)),
        (".fleet/applied.json", "[" * 60_000),
        (".fleet/lock/owner", "[" * 60_000),
        (".fleet/lock/owner", json.dumps(OWNER)),
        (".fleet/lock/owner", json.dumps({**OWNER, "since": "9999-12-31T23:59:59Z"})),
        (".fleet/lock/owner", json.dumps({**OWNER, "controller": socket.gethostname(), "process": "\0:1"})),
        (".fleet/lock/owner", json.dumps({**OWNER, "controller": socket.gethostname(), "process": "../../dev/stdin:1"})),
        ("secrets/redis/users.acl", f"user default on #{H1} ~* +@all\nuser \x1b[2J on #{H1} ~*\n"),
        (".env", 'COMPOSE_FILE="a\\nb.yml"\n'),
        (".env", "COMPOSE_FILE=../../etc/x\x85.yml\n"),
        (".env", 'COMPOSE_FILE="$(touch x).yml"\n'),
    ],
)
def test_what_lies_in_the_stacks_folder_ends_no_plan_and_steers_no_terminal(host: StubHost, path: str, text: str) -> None:
    written(host, path, text.encode())
    docker_answers(host, a_container("redis"))
    stack = a_stack(stack_dir=str(host.root))
    bundle = Bundle()
    answers = bundle.process(host.command(bundle.command(questions(stack)), timeout=120).stdout.splitlines())
    assert answers is not UNKNOWN
    planned = HostPlan(stack, snapshot(stack, answers))
    for told in (*planned.plan.problems, *map(str, planned.plan.actions), problem(planned) or ""):
        assert clean_for_all(told).isprintable()
        clean_for_all(told).encode()
    assert host.nothing_was_executed()
