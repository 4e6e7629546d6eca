"""The facts: what their scripts' lines mean, and that hostile arguments reach the programs unchanged.

The scripts run here against stand-ins for docker and curl; the lab shows that the real programs answer like these.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.facts.base import END, ScriptFact
from operations.facts.bundle import Bundle, Questions
from operations.facts.engine import Engine
from operations.facts.files import EnvKeys, Files
from operations.facts.logs import Logs
from operations.facts.machine import Literals, Machine, Metrics
from operations.facts.past import Backups, History
from operations.facts.probe import Probe
from operations.facts.project import Project
from operations.facts.redis import Redis, _replies
from operations.facts.state import Containers, SeenState, State
from operations.observe import questions, snapshot
from operations.stack.lock import Owner
from operations.stack.snapshot import (
    UNKNOWN,
    Applied,
    SeenClient,
    SeenContainer,
    SeenEngine,
    SeenFile,
    SeenLog,
    SeenMachine,
    SeenProject,
    SeenRedis,
)
from operations.stack.stack import EnvFile
from tests.unit.dockers_api import a_container, docker_answers
from tests.unit.redis_server import RedisServer, running
from tests.unit.stack.hosts import a_client, a_stack
from tests.unit.stubs import HOSTILE_FOLDERS, StubHost

H1, H2 = hashlib.sha256(b"one").hexdigest(), hashlib.sha256(b"two").hexdigest()

ALL: list[Callable[[], ScriptFact[Any]]] = [
    Backups, Containers, Engine, EnvKeys, Files, History, Literals, Logs, Machine, Metrics, Probe, Project, Redis, State,
]  # fmt: skip


def read(fact: ScriptFact[Any], *lines: str) -> Any:
    """What a fact makes of a script's lines."""
    return fact.process([*lines, END])


def env_keys(*paths: str) -> EnvKeys:
    fact = EnvKeys()
    fact.command(root="/opt/erni-ki", files=dict.fromkeys(paths, ("A", "B")))
    return fact


@pytest.fixture
def host(tmp_path: Path) -> StubHost:
    return StubHost(tmp_path)


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


# a probe's answer is any text, redis' protocol and a history skip what they do not know
STRICT = [fact for fact in ALL if fact not in (EnvKeys, Probe, Redis, History)]


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

    script = "containers.sh"

    def command(self) -> Any:
        return self.run("project")

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


# Engine


@pytest.mark.parametrize(
    ("lines", "engine"),
    [
        (
            ["docker=yes", "curl=yes", "server=28.2.2", "compose=2.26.1-4"],
            SeenEngine(cli=True, server="28.2.2", compose="2.26.1-4", curl=True),
        ),
        (
            ["docker=yes", "curl=no", "server=", "compose="],
            SeenEngine(cli=True, server=None, compose=None, curl=False),
        ),
        (
            ["docker=no", "curl=yes", "server=", "compose="],
            SeenEngine(cli=False, server=None, compose=None, curl=True),
        ),
    ],
)
def test_engine_tells_what_is_there_and_in_which_version(lines: list[str], engine: SeenEngine) -> None:
    assert read(Engine(), *lines) == engine


@pytest.mark.parametrize("missing", ["docker", "curl", "server", "compose"])
def test_engine_is_unknown_when_a_line_is_missing(missing: str) -> None:
    lines = ["docker=yes", "curl=yes", "server=28.2.2", "compose=2.26.1-4"]
    assert read(Engine(), *(line for line in lines if not line.startswith(missing))) is UNKNOWN


@pytest.mark.parametrize(("server", "knows"), [("28.2.2", True), ("25.0.0", True), ("24.0.9", False), (None, False)])
def test_engines_from_25_on_know_start_interval(server: str | None, knows: bool) -> None:
    assert SeenEngine(cli=True, server=server, compose=None, curl=True).start_interval is knows


# Files and keys


def test_files_tell_kind_mode_owner_and_content() -> None:
    assert read(
        Files(),
        f".env\tfile\t644\t0:0\t12\t1700000000\t{H1}",
        f"env/redis.env\tfile\t600\t1000:1000\t0\t1700000000\t{H2}",
        f"compose.d/redis.yml\tfile\t4755\t0:0\t9\t1700000000\t{H2}",
    ) == {
        ".env": SeenFile("file", "0644", "0:0", H1),
        "env/redis.env": SeenFile("file", "0600", "1000:1000", H2),
        "compose.d/redis.yml": SeenFile("file", "4755", "0:0", H2),
    }


def test_files_tell_when_they_were_changed_and_are_the_same_whenever_that_was() -> None:
    found = read(Files(), f".env\tfile\t644\t0:0\t12\t1700000000\t{H1}")[".env"]
    assert found.changed == 1_700_000_000
    assert found == SeenFile("file", "0644", "0:0", H1, changed=1)
    assert found.to_json()["changed"] == 1_700_000_000


@pytest.mark.parametrize("kind", ["missing", "dir", "symlink", "other", "denied"])
def test_what_is_no_file_has_no_mode_owner_or_content(kind: str) -> None:
    assert read(Files(), f".env\t{kind}\t755\t0:0\t4096\t1700000000\t") == {".env": SeenFile(kind)}


def test_no_path_asked_is_no_file_seen() -> None:
    assert read(Files()) == {}


def test_keys_tell_their_fingerprints() -> None:
    assert read(env_keys("one.env", "two.env"), f"one.env\tA\t1\t{H1}", f"one.env\tB\t1\t{H2}") == {
        "one.env": {"A": H1, "B": H2}, "two.env": {},
    }  # fmt: skip


def test_a_key_that_stands_there_twice_is_like_no_wanted_line() -> None:
    assert read(env_keys("one.env"), f"one.env\tA\t2\t{H1}") == {"one.env": {"A": ""}}


def test_a_file_that_cannot_be_parsed_has_no_keys_to_tell_apart() -> None:
    assert read(env_keys("one.env", "two.env"), "one.env\t!", f"two.env\tA\t1\t{H1}") == {
        "one.env": None, "two.env": {"A": H1},
    }  # fmt: skip


def test_one_word_stands_for_all_keys_of_files_that_are_as_wanted() -> None:
    one, two = EnvFile("one.env", "0600", {"A": "A=1", "B": "B=2"}), EnvFile("two.env", "0600", {"A": "A=3"})
    fact = EnvKeys()
    fact.command("/opt/erni-ki", {"one.env": ("A", "B"), "two.env": ("A",)}, [one, two])
    assert read(fact, "=") == {"one.env": dict(one.hashes), "two.env": dict(two.hashes)}


def test_what_is_wanted_reaches_the_host_as_a_digest_alone() -> None:
    file = EnvFile("one.env", "0600", {"A": "A=the-password"})
    command = EnvKeys().command("/opt/erni-ki", {"one.env": ("A",)}, [file]).get_raw_value()
    assert "the-password" not in command
    assert hashlib.sha256(b"one.env\nA\t1\tA=the-password\n").hexdigest() in command


def test_keys_of_a_file_that_nobody_asked_for_are_unknown() -> None:
    assert read(env_keys("one.env"), f"other.env\tA\t1\t{H1}") is UNKNOWN


# State

APPLIED = {
    "inputs": H1,
    "services": {"redis": {"definition": "d", "env": "", "label": "l", "container": "c"}},
}


def applied_lines(text: str) -> list[str]:
    return [f"applied\t{line}" for line in text.splitlines()]


def test_state_tells_what_was_applied_written_and_accepted() -> None:
    acl = f"acl\tuser default on sanitize-payload ~* &* +@all #{H1} #{H2}"
    seen = read(State(), *applied_lines(json.dumps(APPLIED, indent=1)), "fragment\tredis", "fragment\tweb", acl)
    assert seen == SeenState(
        applied=Applied(inputs=H1, services={"redis": APPLIED["services"]["redis"]}),  # type: ignore[index]
        fragments=("redis", "web"),
        acl=(H1, H2),
    )


def test_state_tells_what_compose_said_of_the_project() -> None:
    project = {"definitions": {"redis": "r1", "db": "d1"}, "needs": {"redis": [], "db": ["redis"]}, "starter": "compose"}
    text = json.dumps({**APPLIED, "compose": "2.26.1", "project": project})
    told = read(State(), *applied_lines(text)).applied
    assert told.compose == "2.26.1"
    assert told.project == SeenProject({"redis": "r1", "db": "d1"}, {"redis": (), "db": ("redis",)}, "compose")
    assert json.loads(json.dumps(told.project.to_json())) == project
    assert read(State(), *applied_lines(json.dumps({**APPLIED, "project": None}))).applied.project is None


@pytest.mark.parametrize("project", ["text", ["a"], {"definitions": {}}, {"definitions": 7, "needs": {}, "starter": "docker"}])
def test_an_answer_of_compose_that_was_edited_is_as_good_as_none(project: object) -> None:
    assert read(State(), *applied_lines(json.dumps({**APPLIED, "project": project}))).applied == Applied()


def test_a_host_without_a_past_has_an_empty_state() -> None:
    assert read(State()) == SeenState(applied=Applied(), fragments=(), acl=(), lock=None)


OWNER = Owner("20261124T150102Z-3f9a", "ann", "laptop", "4711:99", "2026-11-24T15:01:02Z")


def test_state_tells_who_holds_the_lock() -> None:
    lines = [f"lock\t{line}" for line in json.dumps(OWNER.to_json(), indent=1).splitlines()]
    assert read(State(), *lines, "fragment\tredis") == SeenState(Applied(), ("redis",), (), OWNER)


@pytest.mark.parametrize("text", ["", "{}", "null", json.dumps(OWNER.to_json())[:40]])
def test_a_lock_that_names_nobody_is_held_by_nobody(text: str) -> None:
    assert read(State(), f"lock\t{text}").lock is None


def test_state_is_shown_with_its_owner() -> None:
    shown = json.dumps(read(State(), f"lock\t{json.dumps(OWNER.to_json())}").to_json(), default=lambda part: part.to_json())
    assert json.loads(shown)["lock"] == OWNER.to_json()


def test_a_line_of_no_known_kind_is_unknown() -> None:
    assert read(State(), "more\tx") is UNKNOWN


@pytest.mark.parametrize("length", range(0, len(json.dumps(APPLIED)), 7))
def test_a_truncated_applied_json_is_as_good_as_none(length: int) -> None:
    text = json.dumps(APPLIED)[:length]
    assert read(State(), *applied_lines(text), "fragment\tredis") == SeenState(Applied(), ("redis",), ())


@pytest.mark.parametrize(
    "text",
    [
        "[]", "7", "null", "text", '{"inputs": "x"}', '{"services": {}}', '{"inputs": "x", "services": []}',
        '{"inputs": "x", "services": {"redis": "text"}}', '{"inputs": "x", "services": {"redis": null}}',
    ],
)  # fmt: skip
def test_an_applied_json_that_was_edited_is_as_good_as_none(text: str) -> None:
    assert read(State(), *applied_lines(text)).applied == Applied()


# Containers


def container_line(mounts: str = "", health: str = "healthy") -> str:
    fields = ["c1", "redis", "running", health, "hash", "172.18.0.7", "1764020000", mounts, "redis:latest", "127.0.0.1:6379"]
    return "\t".join(fields)


def test_containers_tell_what_the_plan_asks_for() -> None:
    found = read(Containers(), container_line("/opt/erni-ki/data/redis>/data;/opt/erni-ki/secrets/redis>/run/redis-auth;"))
    assert found == (
        SeenContainer(
            id="c1",
            service="redis",
            state="running",
            health="healthy",
            config_hash="hash",
            addresses=("172.18.0.7",),
            mounts={"/data": "/opt/erni-ki/data/redis", "/run/redis-auth": "/opt/erni-ki/secrets/redis"},
            created=1_764_020_000,
            image="redis:latest",
            ports=("127.0.0.1:6379",),
        ),
    )


@pytest.mark.parametrize(
    ("mounts", "expected"),
    [
        ("", {}),
        (">/tmp;", {"/tmp": ""}),
        ("/opt/a;b/data>/data;", {"/data": "/opt/a;b/data"}),
        ("/opt/a>b/data>/data;", {"/data": "/opt/a>b/data"}),
        ("/opt/a>/b;c/data>/data;/x>/y;", {"/data": "/opt/a>/b;c/data", "/y": "/x"}),
        ("/run/docker.sock>/run/docker.sock;/opt/a b/it's>/data;", {
            "/run/docker.sock": "/run/docker.sock", "/data": "/opt/a b/it's",
        }),
    ],
)  # fmt: skip
def test_mounts_are_told_apart_whatever_their_folders_are_called(mounts: str, expected: dict[str, str]) -> None:
    (container,) = read(Containers(), container_line(mounts))
    assert container.mounts == expected


def test_no_container_is_an_answer() -> None:
    assert read(Containers()) == ()


@pytest.mark.parametrize(
    ("state", "health", "up"),
    [
        ("running", "healthy", True),
        ("running", "", True),
        ("running", "starting", False),
        ("running", "unhealthy", False),
        ("exited", "", False),
        ("restarting", "", False),
    ],
)
def test_a_container_is_up_when_it_runs_and_is_not_unwell(state: str, health: str, up: bool) -> None:
    assert SeenContainer("c", "s", state, health, "h", ("a",), {}).up is up


# Redis


def resp(*answers: Any) -> list[str]:
    """Answers in redis' protocol as they reach a fact, line by line: without line feeds, with carriage returns."""
    lines: list[str] = []
    for answer in answers:
        if isinstance(answer, list):
            lines += [f"*{len(answer)}\r", *resp(*answer)]
        elif answer is None:
            lines.append("$-1\r")
        elif isinstance(answer, int):
            lines.append(f":{answer}\r")
        elif answer[:1] in ("+", "-"):
            lines.append(f"{answer}\r")
        else:
            lines += [f"${len(answer.encode())}\r", *f"{answer}\r".split("\n")]
    return lines


NOAUTH = "-NOAUTH Authentication required."
WRONGPASS = "-WRONGPASS invalid username-password pair or user is disabled."
LOADING = "-LOADING Redis is loading the dataset in memory"


NOPERM = "-NOPERM User default has no permissions to run the 'acl|getuser' command"


def user(*hashes: str) -> list[Any]:
    return [
        "flags", ["on", "sanitize-payload"], "passwords", list(hashes), "commands", "+@all", "keys", "~*",
        "channels", "&*", "selectors", [],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("answers", "seen"),
    [
        (
            [NOAUTH, "+OK", "+PONG", ["dir", "/data"], user(H1, H2), "+OK"],
            SeenRedis(NOAUTH[1:], "PONG", "/data", (H1, H2)),
        ),
        (
            [NOAUTH, WRONGPASS, NOAUTH, NOAUTH, NOAUTH, "+OK"],
            SeenRedis(NOAUTH[1:], WRONGPASS[1:], "", ()),
        ),
        (
            ["+PONG", "-ERR AUTH <password> called without any password configured", "+PONG", ["dir", "/"], user()],
            SeenRedis("PONG", "ERR AUTH <password> called without any password configured", "/", ()),
        ),
        (
            [NOAUTH, "+OK", LOADING, LOADING, user(H1), "+OK"],
            SeenRedis(NOAUTH[1:], LOADING[1:], "", (H1,)),
        ),
        (
            ["-DENIED Redis is running in protected mode"],
            SeenRedis("DENIED Redis is running in protected mode", "", "", ()),
        ),
        ([NOAUTH, "+OK", "+PONG", ["dir", "/data"], None], SeenRedis(NOAUTH[1:], "PONG", "/data", ())),
        ([NOAUTH, "+OK", "+PONG", [], user(H1)], SeenRedis(NOAUTH[1:], "PONG", "", (H1,))),
        (
            [NOAUTH, "+OK", "+PONG", ["dir", None], ["flags", 3, None, "passwords", [H1]], "+OK"],
            SeenRedis(NOAUTH[1:], "PONG", "", (H1,)),
        ),
        (["-ERR max number of clients reached"], SeenRedis("ERR max number of clients reached", "", "", ())),
        (
            [NOAUTH, "+OK", "+PONG", ["dir", "/data"], NOPERM],
            SeenRedis(NOAUTH[1:], "PONG", "/data", (), denied=NOPERM[1:]),
        ),
        (
            [NOAUTH, "+OK", "+PONG", NOPERM, user(H1)],
            SeenRedis(NOAUTH[1:], "PONG", "", (H1,)),
        ),
    ],
    ids=[
        "all well", "wrong password", "no password set", "loading", "protected mode", "no such user", "no folder",
        "numbers and nulls",
        "too many clients", "an ACL that may not be read", "a configuration that may not be read",
    ],
)  # fmt: skip
def test_redis_answers_are_told_apart(answers: list[Any], seen: SeenRedis) -> None:
    assert read(Redis(), *resp(*answers)) == seen


def a_client_line(number: int, address: str, **fields: Any) -> str:
    """A line of CLIENT LIST, as redis 7.4 writes it."""
    known = {"id": number, "addr": address, "laddr": "172.18.0.3:6379", "fd": 8, "name": "", "sub": 0, "psub": 0, "user": "default"}
    return " ".join(f"{key}={value}" for key, value in (known | fields).items()) + " lib-name=redis-py lib-ver=5.2.1"


WELL = [NOAUTH, "+OK", "+PONG", ["dir", "/data"], user(H1)]
ME = a_client_line(9, "172.18.0.1:40000")


def test_redis_tells_who_is_connected_but_for_the_one_who_asks() -> None:
    lines = [a_client_line(3, "172.18.0.5:51000", sub=1, psub=2), ME, a_client_line(4, "[fd00::5]:52000", user="app")]
    seen = read(Redis(), *resp(*WELL, ME + "\n", "\n".join(lines) + "\n", ["socketio", 2], [], "+OK"))
    assert seen.me == "172.18.0.1"
    assert seen.clients == (SeenClient("172.18.0.5", "default", 3), SeenClient("[fd00::5]", "app", 0))
    assert seen.listeners == 2
    assert (seen.login, seen.hashes) == ("PONG", (H1,))


def test_redis_tells_whose_logins_it_refused_and_how_long_ago() -> None:
    def entry(reason: str, age: str, address: str) -> list[Any]:
        return [
            "count", 1, "reason", reason, "context", "toplevel", "object", "AUTH", "username", "default",
            "age-seconds", age, "client-info", a_client_line(5, address),
        ]  # fmt: skip

    log = [entry("auth", "12.5", "172.18.0.5:1"), entry("command", "3", "172.18.0.5:2"), entry("auth", "0.25", "10.0.0.9:3"), "odd"]
    seen = read(Redis(), *resp(*WELL, ME, ME, ["socketio", 0], log, "+OK"))
    assert seen.refused == (("172.18.0.5", 12.5), ("10.0.0.9", 0.25))
    assert seen.clients == ()


@pytest.mark.parametrize("answer", [NOPERM, "-ERR unknown command", None, "", 7, [], "+OK"])
def test_a_redis_that_does_not_tell_of_its_clients_tells_the_rest(answer: Any) -> None:
    seen = read(Redis(), *resp(*WELL, answer, answer, answer, answer, "+OK"))
    assert (seen.login, seen.directory, seen.hashes) == ("PONG", "/data", (H1,))
    assert (seen.clients, seen.listeners, seen.refused) == ((), 0, ())


@pytest.mark.parametrize("text", ["one", "one\ntwo", "one\r\ntwo\r\n", "\n", "\n\n", "ü\n€\n", "a\r", "*3\n+OK\n", ""])
def test_a_text_of_several_lines_is_one_answer(text: str) -> None:
    lines = f"+A\r\n${len(text.encode())}\r\n{text}\r\n+B\r\n".split("\n")[:-1]
    assert list(_replies(iter(lines))) == ["A", text, "B"]


def test_a_redis_that_says_nothing_at_all_is_unknown() -> None:
    assert read(Redis()) is UNKNOWN


@pytest.mark.parametrize("length", range(1, 12))
def test_answers_that_were_cut_off_never_look_like_a_login(length: int) -> None:
    lines = resp(NOAUTH, "+OK", "+PONG", ["dir", "/data"], user(H1))
    seen = read(Redis(), *lines[:length])
    assert seen is not UNKNOWN
    assert (seen.login == "PONG") == (length >= 3)
    assert (seen.directory == "/data") == (length >= 8)
    assert seen.hashes == ()


# Project and Probe


def test_project_tells_hashes_and_dependencies() -> None:
    lines = ["hash\twatchtower\tw1", "hash\tredis\tr1", "hash\tweb\tb1", "needs\tweb\tredis", "needs\tweb\twatchtower"]
    assert read(Project(), *lines, "needs\tredis\twatchtower") == SeenProject(
        definitions={"watchtower": "w1", "redis": "r1", "web": "b1"},
        needs={"watchtower": (), "redis": ("watchtower",), "web": ("redis", "watchtower")},
    )


def test_project_tells_who_can_start_it() -> None:
    assert read(Project(), "hash\tweb\tb1", "starts\tcompose\t") == SeenProject({"web": "b1"}, {"web": ()}, "compose")


@pytest.mark.parametrize(("lines", "answer"), [(["200"], "200"), ([], ""), (["1", "0"], "1")])
def test_probe_tells_the_first_value_or_none(lines: list[str], answer: str) -> None:
    assert read(Probe(), *lines) == answer


# Logs, Machine, Literals, Metrics


def test_logs_tell_refused_logins_and_the_last_error_lines_of_each_service() -> None:
    lines = [
        "auth\topenwebui\t3\t",
        "auth\tredis\t0\t",
        "line\topenwebui\t2026-11-24T15:00:00\tERROR a\tb",
        "line\topenwebui\t2026-11-24T15:00:01\tERROR c",
    ]
    assert read(Logs(), *lines) == {
        "openwebui": SeenLog(3, ("ERROR a\tb", "ERROR c")), "redis": SeenLog(0, ()),
    }  # fmt: skip


def test_what_a_service_complains_about_while_another_is_replaced_does_not_count() -> None:
    times = ["14:59:59", "15:00:00", "15:00:05", "15:00:06"]
    lines = [f"line\tweb\t2026-11-24T{time}\t{time}" for time in times]
    assert read(Logs(), "auth\tweb\t0\t2026-11-24T15:00:00", *lines)["web"].errors == ("15:00:06",)


def test_a_machine_tells_its_clock_and_its_free_space() -> None:
    before = time.time()
    seen = read(Machine(), f"time\t{before + 30}", "free\t/\t2", "free\t/var\t1000")
    assert isinstance(seen, SeenMachine)
    assert seen.free == {"/": 2048, "/var": 1_024_000}
    assert seen.time == before + 30
    assert 29 < seen.ahead <= 30


@pytest.mark.parametrize("lines", [["free\t/\t2"], ["time\t1700000000.5"], ["time\t", "free\t/\t2"], ["time\t1", "free\t/\t-"]])
def test_a_machine_without_a_clock_or_a_disk_is_unknown(lines: list[str]) -> None:
    assert read(Machine(), *lines) is UNKNOWN


def test_metrics_are_told_with_their_labels() -> None:
    assert read(Metrics(), "redis_up 1", 'redis_errors_total{err="WRONG PASS"} 3e2') == {
        "redis_up": 1.0, 'redis_errors_total{err="WRONG PASS"}': 300.0,
    }  # fmt: skip


def test_literals_are_told_by_file_and_line() -> None:
    assert read(Literals(), "compose.yml\t3", "compose.d/a b.yml\t12") == (("compose.yml", 3), ("compose.d/a b.yml", 12))


# Hostile arguments


def commands(root: Path) -> dict[str, tuple[ScriptFact[Any], dict[str, Any]]]:
    return {
        "state": (State(), {"root": str(root)}),
        "project": (Project(), {"root": str(root)}),
        "redis": (Redis(), {"root": str(root), "project": "erni-ki"}),
        "files": (Files(), {"root": str(root), "paths": [".fleet/fragments"]}),
        "env": (EnvKeys(), {"root": str(root), "files": {"env/redis.env": ["A", "B"]}}),
        "history": (History(), {"root": str(root)}),
        "backups": (Backups(), {"root": str(root)}),
        "literals": (Literals(), {"root": str(root), "paths": ["compose.yml"]}),
        "machine": (Machine(), {"root": str(root)}),
        "engine": (Engine(), {"root": str(root)}),
    }


DOCKER = """
case "$*" in
"compose config --hash"*) pwd >>"$HOME/where"; echo "redis r1" ;;
"compose config") printf 'services:\\n  redis:\\n    image: x\\n' ;;
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
        assert found == SeenState(Applied(), ("redis",), ())
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
        assert found == (("compose.yml", 2),)
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
    assert words[-1] == "http://docker/containers/json"
    assert any(word.startswith(f'filters={{"label":["com.docker.compose.project={project}","com.') for word in words)
    assert host.nothing_was_executed()


# All facts in one round trip


def test_a_bare_host_answers_every_question_of_a_snapshot(host: StubHost) -> None:
    host.without("docker", "curl")
    stack = a_stack(stack_dir=str(host.root / "nowhere"))
    bundle = Bundle()
    asked: Questions = questions(stack)
    found = bundle.process(host.command(bundle.command(asked)).stdout.splitlines())
    assert found is not UNKNOWN
    seen = snapshot(stack, found)
    assert seen.unknown() == ()
    assert seen.engine is not UNKNOWN
    assert (seen.engine.cli, seen.engine.server, seen.engine.curl) == (False, None, False)
    assert seen.files == dict.fromkeys(stack.managed_paths(), SeenFile("missing"))
    assert seen.env == {file.path: {} for file in (stack.dotenv, *stack.env_files)}
    assert (seen.applied, seen.acl, seen.fragments, seen.lock) == (Applied(), (), (), None)
    assert seen.containers is UNKNOWN
    assert seen.redis is UNKNOWN
    assert seen.logs is UNKNOWN
    assert seen.literals == ()
    assert seen.machine is not UNKNOWN


def test_docker_is_asked_for_the_containers_once_whoever_needs_them(host: StubHost) -> None:
    docker_answers(host, a_container("redis", mounts=[(r"/srv/a\nb\\c", "/data")]))
    stack, bundle = a_stack(stack_dir=str(host.root)), Bundle()
    found = bundle.process(host.command(bundle.command(questions(stack))).stdout.splitlines())
    assert found is not UNKNOWN
    assert [container.service for container in found["containers"]] == ["redis"]
    assert found["engine"].server == "28.2.2"
    assert found["containers"][0].mounts == {"/data": r"/srv/a\nb\\c"}
    assert len([words for words in host.calls("curl") if words[-1].endswith("/containers/json")]) == 1


def test_a_list_of_containers_that_failed_is_nobodys_answer(host: StubHost) -> None:
    host.stub("curl", "exit 7")
    bundle = Bundle()
    found = bundle.process(host.command(bundle.command(questions(a_stack(stack_dir=str(host.root))))).stdout.splitlines())
    assert found is not UNKNOWN
    assert [found[part] for part in ("containers", "redis", "logs")] == [UNKNOWN] * 3
    assert found["engine"].server is None


def test_only_what_a_stack_has_is_asked_for() -> None:
    alone, whole, client = questions(a_stack(services=["watchtower"])), questions(a_stack()), questions(a_client())
    assert whole.keys() - alone.keys() == {
        "redis", "metrics:http://127.0.0.1:9121/metrics", "probe:openwebui.health", "probe:openwebui.websocket",
    }  # fmt: skip
    assert client.keys() - alone.keys() == {"redis", "probe:openwebui.health", "probe:openwebui.websocket"}


def test_a_client_asks_its_redis_at_its_address() -> None:
    _, arguments = questions(a_client())["redis"]
    assert arguments["address"] == "10.0.0.5:6379"
    _, arguments = questions(a_stack())["redis"]
    assert arguments["address"] is None


def test_the_logs_are_read_last_for_what_was_asked_before_may_make_a_service_complain() -> None:
    assert list(questions(a_stack()))[-1] == "logs"


def test_no_password_is_among_the_questions() -> None:
    for stack in (a_stack("Marker_Password-0123456789"), a_client("Marker_Password-0123456789")):
        command = Bundle().command(questions(stack)).get_raw_value()
        assert "Marker_Password-0123456789" not in command
