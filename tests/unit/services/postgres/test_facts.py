"""What is made of the words of a PostgreSQL that may be anybody."""

from __future__ import annotations

import json
import re
import subprocess
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.facts.base import END
from operations.services.postgres.credential import PostgresRole
from operations.services.postgres.facts import Postgres
from operations.services.postgres.seen import SeenPostgres, SeenRole, SeenSession
from operations.stack.snapshot import UNKNOWN, Unknown

STATE = {"version": "17.6 (Debian 17.6-1)", "owner": True, "database": True, "roles": [], "sessions": []}
DIGEST = "ab" * 32


def fact() -> Postgres:
    made = Postgres()
    made.command("/opt/erni-ki", "erni-ki", "postgres", "app_1234", "app", "app")
    return made


def told(asks: str = "82 10", login: str = "app", kind: str = "told", state: object = STATE) -> SeenPostgres | Unknown:
    encoded = [b64encode(text.encode()).decode() for text in (login, state if isinstance(state, str) else json.dumps(state))]
    return fact().process([f"asks {asks}".strip(), f"login {encoded[0]}", f"{kind} {encoded[1]}", END])


def known(**state: Any) -> SeenPostgres:
    found = told(state={**STATE, **state})
    assert found is not UNKNOWN
    return found


@pytest.mark.parametrize(
    ("asks", "meant"),
    [
        ("82 10", "scram"),
        ("82 0", "nothing"),
        ("82 5", "md5"),
        ("82 3", "password"),
        ("82 7", "error"),
        ("69 29505", "error"),
        ("", ""),
    ],
)
def test_what_it_wants_is_told_by_its_first_message(asks: str, meant: str) -> None:
    found = told(asks)
    assert found is not UNKNOWN
    assert found.asks == meant


def test_what_it_tells_is_read() -> None:
    found = known(
        roles=[["app_1234", True, DIGEST, True], ["app", False, "", False]], sessions=[["app_1234", "172.18.0.3", 1764000000]]
    )
    assert (found.login, found.version, found.owner, found.database, found.denied) == ("app", "17.6", True, True, "")
    assert found.roles == (SeenRole("app_1234", True, DIGEST, True), SeenRole("app", False, "", False))
    assert found.sessions == (SeenSession("app_1234", "172.18.0.3", 1764000000),)


@pytest.mark.parametrize("name", ["postgres", "app_12345", "app_123g", 'app"; drop role x; --', "app_1234\n", "xapp_1234", ""])
def test_a_role_of_another_name_is_nobody_that_a_statement_is_made_for(name: str) -> None:
    assert known(roles=[[name, True, DIGEST, True]]).roles == ()


@pytest.mark.parametrize(
    "state",
    [
        {"roles": [["app", True, "no digest", True]]}, {"roles": [["app"]]}, {"roles": [[1, 2, 3, 4]]}, {"roles": None},
        {"sessions": [["a", "b", "c"]]}, {"sessions": {"a": 1}}, {"version": 17},
    ],
)  # fmt: skip
def test_what_has_another_form_is_unknown(state: dict[str, Any]) -> None:
    assert told(state={**STATE, **state}) is UNKNOWN


def test_why_it_tells_nothing_is_kept_without_what_steers_a_terminal() -> None:
    found = told(kind="denied", state="psql: error: FATAL:\x1b[31m role")
    assert found is not UNKNOWN
    assert found.denied == "psql: error: FATAL:?[31m role"


@given(st.lists(st.text(max_size=40), max_size=4), st.text(max_size=80))
def test_no_words_bring_it_down(lines: list[str], state: str) -> None:
    for output in (
        [*lines, END],
        ["asks 82 10", *lines, END],
        ["asks 82 10", "login", f"told {b64encode(state.encode()).decode()}", END],
    ):
        found = fact().process(output)
        assert found is UNKNOWN or isinstance(found, SeenPostgres)


@pytest.mark.parametrize(
    ("line", "counts"),
    [
        ('2026-11-28 03:27:53.557 UTC [264] FATAL:  password authentication failed for user "openwebui"', False),
        ('2026-11-28 03:30:38.206 UTC [2558] FATAL:  role "openwebui_0a7a" is not permitted to log in', False),
        ("2026-11-28 03:30:38.206 UTC [2558] FATAL:  the database system is starting up", False),
        ("2026-11-28 03:30:38.206 UTC [2558] FATAL:  could not open file", True),
        ('psycopg2.OperationalError: FATAL:  password authentication failed for user "openwebui"', True),
    ],
)
def test_who_is_not_let_in_is_no_error_of_the_servers(line: str, counts: bool) -> None:
    # as awk on a host reads it
    words = ["awk", '$0 !~ ENVIRON["harmless"]']
    given = {"harmless": PostgresRole.harmless, "PATH": "/usr/bin:/bin"}
    found = subprocess.run(words, input=line, env=given, capture_output=True, text=True, check=True)
    assert (found.stdout != "") is counts
    assert bool(re.search(PostgresRole.refused, line)) is ("not permitted" in line or "authentication" in line)
