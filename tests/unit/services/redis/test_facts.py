"""Redis: its answers are told apart, whatever it refuses and wherever they were cut off."""

from __future__ import annotations

import time
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.services.redis.facts import Redis
from operations.services.redis.protocol import MOST, replies
from operations.services.redis.seen import SeenClient, SeenRedis
from operations.stack.snapshot import UNKNOWN
from tests.unit.facts.answers import H1, H2, read


def resp(*answers: Any) -> bytes:
    """Answers in redis' protocol."""
    data = b""
    for answer in answers:
        if isinstance(answer, list):
            data += f"*{len(answer)}\r\n".encode() + resp(*answer)
        elif answer is None:
            data += b"$-1\r\n"
        elif isinstance(answer, int):
            data += f":{answer}\r\n".encode()
        elif answer[:1] in ("+", "-"):
            data += f"{answer}\r\n".encode()
        else:
            data += f"${len(answer.encode())}\r\n{answer}\r\n".encode()
    return data


def told(data: bytes) -> Any:
    """What the fact makes of them."""
    return read(Redis(), b64encode(data).decode())


NOAUTH = "-NOAUTH Authentication required."
WRONGPASS = "-WRONGPASS invalid username-password pair or user is disabled."
LOADING = "-LOADING Redis is loading the dataset in memory"


NOPERM = "-NOPERM User default has no permissions to run the 'acl|list' command"


def user(*hashes: str, name: str = "default", flag: str = "on") -> list[Any]:
    """What ACL LIST tells of one user."""
    return [f"user {name} {flag} sanitize-payload {' '.join(f'#{one}' for one in hashes)} ~* &* +@all"]


@pytest.mark.parametrize(
    ("answers", "seen"),
    [
        (
            [NOAUTH, "+OK", "+PONG", ["dir", "/data"], user(H1, H2), "+OK"],
            SeenRedis(NOAUTH[1:], "PONG", "/data", {"default": (H1, H2)}),
        ),
        (
            [NOAUTH, WRONGPASS, NOAUTH, NOAUTH, NOAUTH, "+OK"],
            SeenRedis(NOAUTH[1:], WRONGPASS[1:], "", {}),
        ),
        (
            ["+PONG", "-ERR AUTH <password> called without any password configured", "+PONG", ["dir", "/"], user()],
            SeenRedis("PONG", "ERR AUTH <password> called without any password configured", "/", {"default": ()}),
        ),
        (
            [NOAUTH, "+OK", LOADING, LOADING, user(H1), "+OK"],
            SeenRedis(NOAUTH[1:], LOADING[1:], "", {"default": (H1,)}),
        ),
        (
            ["-DENIED Redis is running in protected mode"],
            SeenRedis("DENIED Redis is running in protected mode", "", "", {}),
        ),
        ([NOAUTH, "+OK", "+PONG", ["dir", "/data"], None], SeenRedis(NOAUTH[1:], "PONG", "/data", {})),
        ([NOAUTH, "+OK", "+PONG", [], user(H1)], SeenRedis(NOAUTH[1:], "PONG", "", {"default": (H1,)})),
        (
            [NOAUTH, "+OK", "+PONG", ["dir", None], [None, 3, "", "odd", ["user"], "user", *user(H1)], "+OK"],
            SeenRedis(NOAUTH[1:], "PONG", "", {"default": (H1,)}),
        ),
        (["-ERR max number of clients reached"], SeenRedis("ERR max number of clients reached", "", "", {})),
        (
            [NOAUTH, "+OK", "+PONG", ["dir", "/data"], NOPERM],
            SeenRedis(NOAUTH[1:], "PONG", "/data", {}, denied=NOPERM[1:]),
        ),
        (
            [NOAUTH, "+OK", "+PONG", NOPERM, user(H1)],
            SeenRedis(NOAUTH[1:], "PONG", "", {"default": (H1,)}),
        ),
    ],
    ids=[
        "all well", "wrong password", "no password set", "loading", "protected mode", "no such user", "no folder",
        "numbers and nulls",
        "too many clients", "an ACL that may not be read", "a configuration that may not be read",
    ],
)  # fmt: skip
def test_redis_answers_are_told_apart(answers: list[Any], seen: SeenRedis) -> None:
    assert told(resp(*answers)) == seen


def a_client_line(number: int, address: str, **fields: Any) -> str:
    """A line of CLIENT LIST, as redis 7.4 writes it."""
    known = {"id": number, "addr": address, "laddr": "172.18.0.3:6379", "fd": 8, "name": "", "sub": 0, "psub": 0, "user": "default"}
    return " ".join(f"{key}={value}" for key, value in (known | fields).items()) + " lib-name=redis-py lib-ver=5.2.1"


WELL = [NOAUTH, "+OK", "+PONG", ["dir", "/data"], user(H1)]
ME = a_client_line(9, "172.18.0.1:40000")


def test_redis_tells_who_is_connected_but_for_the_one_who_asks() -> None:
    lines = [a_client_line(3, "172.18.0.5:51000", sub=1, psub=2), ME, a_client_line(4, "[fd00::5]:52000", user="app")]
    seen = told(resp(*WELL, ME + "\n", "\n".join(lines) + "\n", ["socketio", 2], [], "+OK"))
    assert seen.me == "172.18.0.1"
    assert seen.clients == (SeenClient("172.18.0.5", "default", 3, 6379), SeenClient("[fd00::5]", "app", 0, 6379))
    assert seen.listeners == 2
    assert (seen.login, seen.users) == ("PONG", {"default": (H1,)})


def test_redis_tells_whose_logins_it_refused_and_how_long_ago() -> None:
    def entry(reason: str, age: str, address: str) -> list[Any]:
        return [
            "count", 1, "reason", reason, "context", "toplevel", "object", "AUTH", "username", "default",
            "age-seconds", age, "client-info", a_client_line(5, address),
        ]  # fmt: skip

    log = [entry("auth", "12.5", "172.18.0.5:1"), entry("command", "3", "172.18.0.5:2"), entry("auth", "0.25", "10.0.0.9:3"), "odd"]
    seen = told(resp(*WELL, ME, ME, ["socketio", 0], log, "+OK"))
    assert seen.refused == (("172.18.0.5", 12.5), ("10.0.0.9", 0.25))
    assert seen.clients == ()


@pytest.mark.parametrize("answer", [NOPERM, "-ERR unknown command", None, "", 7, [], "+OK"])
def test_a_redis_that_does_not_tell_of_its_clients_tells_the_rest(answer: Any) -> None:
    seen = told(resp(*WELL, answer, answer, answer, answer, "+OK"))
    assert (seen.login, seen.directory, seen.users) == ("PONG", "/data", {"default": (H1,)})
    assert (seen.clients, seen.listeners, seen.refused) == ((), 0, ())


@pytest.mark.parametrize("text", ["one", "one\ntwo", "one\r\ntwo\r\n", "\n", "\n\n", "ü\n€\n", "a\r", "*3\n+OK\n", ""])
def test_a_text_of_several_lines_is_one_answer(text: str) -> None:
    assert replies(f"+A\r\n${len(text.encode())}\r\n{text}\r\n+B\r\n".encode()) == ["A", text, "B"]


def test_a_redis_that_says_nothing_at_all_is_unknown() -> None:
    assert read(Redis()) is UNKNOWN


WHOLE = resp(NOAUTH, "+OK", "+PONG", ["dir", "/data"], user(H1))


@pytest.mark.parametrize("length", range(len(resp(NOAUTH)), len(WHOLE)))
def test_answers_that_were_cut_off_never_look_like_a_login(length: int) -> None:
    seen = told(WHOLE[:length])
    assert seen is not UNKNOWN
    assert (seen.login == "PONG") == (length >= len(resp(NOAUTH, "+OK", "+PONG")))
    assert (seen.directory == "/data") == (length >= len(resp(NOAUTH, "+OK", "+PONG", ["dir", "/data"])) - 2)
    assert (seen.users == {}) == (length < len(WHOLE) - 2)


# A redis that means no good


@pytest.mark.parametrize(
    "data",
    [
        b"*1\r\n" * 3000,
        b"*1\r\n" * 17 + b"+x\r\n",
        b"*30000000\r\n" + b"+x\r\n" * 10,
        b"*-5\r\n*99999999999999999999999\r\n",
        b"$30000000\r\nx",
        b"+" + b"x" * 2_000_000 + b"\r\n",
        b"HTTP/1.1 200 OK\r\n",
        b":1e9\r\n",
        b"\xff\xfe\r\n",
    ],
)
def test_a_redis_that_answers_without_end_or_sense_is_unknown_at_once(data: bytes) -> None:
    before = time.monotonic()
    assert told(data) is UNKNOWN
    assert time.monotonic() - before < 1


def test_a_list_that_promises_more_than_comes_is_left_out() -> None:
    assert replies(b"+A\r\n*30000000\r\n+x\r\n") == ["A"]


@given(st.binary(max_size=300))
def test_whatever_it_answers_nothing_is_raised(data: bytes) -> None:
    assert told(data) is UNKNOWN or isinstance(told(data), SeenRedis)


@given(st.text(max_size=60), st.text(max_size=60))
def test_a_name_in_its_log_of_logins_changes_nothing_else(name: str, client: str) -> None:
    entry = ["reason", "auth", "username", name, "age-seconds", "1", "client-info", a_client_line(5, "172.18.0.5:1", name=client)]
    seen = told(resp(*WELL, ME, ME, ["socketio", 0], [entry], "+OK"))
    assert (seen.login, seen.users, seen.clients) == ("PONG", {"default": (H1,)}, ())


def test_a_digest_counts_only_where_redis_lists_a_password() -> None:
    seen = told(resp(*WELL[:4], [f"user x on ~{H2} #{H1} +@all", f"user y on ~* #{H2}0 ##{H2} #{H2[:63]}Z"]))
    assert seen.users == {"x": (H1,), "y": ()}


def test_from_a_user_that_is_off_nothing_is_accepted() -> None:
    assert told(resp(*WELL[:4], user(H1, name="app", flag="off"))).users == {"app": ()}


def test_what_a_user_may_run_is_told_beside_what_was_asked() -> None:
    fact = Redis()
    dry = ["app ACL SETUSER x", "app GET y", "app CONFIG SET z"]
    fact.command("/opt/erni-ki", "erni-ki", dry=dry)
    said = ["+OK", "This user has no permissions to access the 'y' key"]
    seen = read(fact, b64encode(resp(*WELL, ME, ME, ["socketio", 0], [], *said)).decode())
    assert seen is not UNKNOWN
    assert seen.dry == {dry[0]: "OK", dry[1]: said[1], dry[2]: ""}
    assert seen.allowed == (dry[0],)


INFO = (
    "# Server\r\nredis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:8.1.1\r\n# Memory\r\nused_memory:386000000\r\n"
    "role:master\r\n# Keyspace\r\ndb0:keys=7,expires=2,avg_ttl=5\r\ndb12:keys=1,expires=0,avg_ttl=0,subexpiry=0\r\n"
)


def test_what_the_server_is_and_how_much_it_holds() -> None:
    before: list[Any] = [*WELL, ME, ME, ["socketio", 0], []]
    modules = [["name", "ReJSON", "ver", 20609, "args", []], ["name", "bf", "ver", 2], "name", ["name"]]
    seen = told(resp(*before, INFO, modules, "+OK")).server
    assert (seen.product, seen.version, seen.role, seen.keys, seen.memory) == ("valkey", "8.1.1", "master", 8, 386_000_000)
    assert seen.modules == ("ReJSON", "bf")
    refused = told(resp(*before, NOPERM, NOPERM, "+OK")).server
    assert (refused.product, refused.version, refused.modules, refused.keys) == ("", "", (), 0)


def test_what_is_cut_off_where_no_more_is_read_is_unknown() -> None:
    # as many connections as a peer likes, none of which knows a password
    clients = "\n".join(a_client_line(number, "172.18.0.66:1", user="(none)") for number in range(12_000))
    whole = resp(*WELL, ME, clients, ["socketio", 0], [], "+OK")
    assert told(whole[:MOST]) is UNKNOWN
