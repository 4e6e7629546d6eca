"""Keys that no server takes: the same on every host, and who is logged out by another one is said before."""

from __future__ import annotations

from typing import Any

import pytest

from operations.controller.desired import stack_from
from operations.controller.secrets import Secret
from operations.stack.build import build
from operations.stack.check import Verdict
from operations.stack.errors import SettingsError
from operations.stack.fingerprint import fingerprint
from operations.stack.plan import plan
from operations.stack.shared_key import SharedKey
from operations.stack.snapshot import Snapshot
from operations.stack.stack import Stack
from operations.stack.verdicts import checks
from tests.unit.stack.catalogues import Put, definition, env_of, only_problem, web
from tests.unit.stack.hosts import PASSWORD, a_stack, converged, sha256, with_key, without_container

KEY, OTHER = "t0p/secret+key=of_all==", "another-Key_of-all-0"
ENV = "env/openwebui.env"
AUTH = {"auth": {"env/auth.env": {"JWT_SECRET": "{webui_key.value}"}}}


def keyed(key: str = KEY, **data: Any) -> Stack:
    return build(data, {"redis_password": PASSWORD, "webui_secret_key": key})


def said(stack: Stack, seen: Snapshot) -> list[str]:
    return [line for line in plan(stack, seen).sentences() if line.startswith("webui_key")]


def test_without_a_key_nothing_of_it_is_there() -> None:
    stack = a_stack()
    assert stack.credential("webui_key") is None
    assert "WEBUI_SECRET_KEY" not in env_of(stack, "openwebui")
    assert "SECRET_KEY" not in "".join(file.content for file in stack.fragments(True))


def test_a_key_is_in_the_env_file_alone_and_nothing_overrides_it() -> None:
    stack = keyed()
    assert env_of(stack, "openwebui")["WEBUI_SECRET_KEY"] == KEY
    assert definition(stack, "openwebui")["environment"]["WEBUI_SECRET_KEY"] is None
    assert KEY not in "".join(file.content for file in (*stack.fragments(True), *stack.secret_files()))
    assert "OAUTH_SESSION_TOKEN_ENCRYPTION_KEY" not in env_of(stack, "openwebui")


def test_another_key_says_before_the_run_whom_it_logs_out() -> None:
    (line,) = said(keyed(OTHER), converged(keyed()))
    assert line == "webui_key: openwebui gets another WEBUI_SECRET_KEY: whoever is logged in must log in again"


def test_the_first_key_of_one_that_runs_says_it_too() -> None:
    (line,) = said(keyed(), with_key(ENV, "WEBUI_SECRET_KEY", None)(converged(keyed())))
    assert "whoever is logged in must log in again, unless it is the one that openwebui has now" in line


def test_where_nobody_is_logged_in_nothing_is_said() -> None:
    seen = with_key(ENV, "WEBUI_SECRET_KEY", None)(converged(keyed()))
    assert said(keyed(), without_container("openwebui")(seen)) == []
    assert said(keyed(), converged(keyed())) == []


def test_every_place_holds_it_by_its_fingerprint() -> None:
    stack = keyed(clients=AUTH)
    assert stack.clients("webui_key") == ("openwebui", "auth")
    (check,) = (one for one in checks(stack, converged(stack)) if one.id.startswith("shared_key"))
    assert (check.id, check.verdict) == ("shared_key.consistent@webui_key", Verdict.OK)
    assert check.detail == f"fingerprint {fingerprint(sha256(KEY))} in 2 places"
    drifted = with_key("env/auth.env", "JWT_SECRET", f"JWT_SECRET={OTHER}")(converged(stack))
    (check,) = (one for one in checks(stack, drifted) if one.id.startswith("shared_key"))
    assert (check.verdict, check.detail) == (Verdict.FAILED, "another key in JWT_SECRET in env/auth.env")


def test_a_service_of_the_project_may_be_the_only_one_that_has_it() -> None:
    stack = keyed(services=["redis"], clients=AUTH)
    assert env_of(stack, "auth") == {"JWT_SECRET": KEY}
    assert stack.clients("webui_key") == ("auth",)


def test_who_wants_a_key_that_is_not_set_is_told_which() -> None:
    with pytest.raises(SettingsError, match=r"webui_secret_key is not set\. Add webui_secret_key = Secret"):
        a_stack(clients=AUTH)


def test_a_key_that_is_named_and_not_found_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_PASSWORD", PASSWORD)
    monkeypatch.delenv("WEBUI_SECRET_KEY", raising=False)
    data = {"redis_password": Secret("REDIS_PASSWORD"), "webui_secret_key": Secret("WEBUI_SECRET_KEY")}
    with pytest.raises(Exception, match="WEBUI_SECRET_KEY: there is no such secret"):
        stack_from(data)
    monkeypatch.setenv("WEBUI_SECRET_KEY", KEY)
    assert env_of(stack_from(data), "openwebui")["WEBUI_SECRET_KEY"] == KEY


@pytest.mark.parametrize("value", ["short", "fifteen-letters", "a blank in the middle", "non-ASCII-ß-key-of-all"])
def test_a_key_that_is_short_or_not_plain_is_refused_and_not_shown(value: str) -> None:
    (problem,) = SharedKey.rule(value, "webui_secret_key")
    assert problem.startswith("webui_secret_key: ")
    assert value not in problem


def test_one_that_open_webui_made_itself_may_be_kept() -> None:
    assert list(SharedKey.rule("q83vEjRWeJq83vE=", "webui_secret_key")) == []


def test_a_key_of_ones_own_is_two_lines_of_a_file(put: Put, folder: str) -> None:
    put("web", web('provides:\n  api_key: {kind: shared-key, secret: web_api_key}\nenv: {API_KEY: "{api_key.value}"}'))
    data = {"services": ["web"], "catalog_dirs": [folder]}
    stack = build(data, {"web_api_key": KEY})
    assert env_of(stack, "web") == {"API_KEY": KEY}
    lines = list(plan(build(data, {"web_api_key": OTHER}), converged(stack)).sentences())
    assert "api_key: web gets another API_KEY: what was made with the previous one is worth nothing" in lines


def test_no_port_belongs_to_it(put: Put) -> None:
    path = put("web", web("provides:\n  api_key: {kind: shared-key, secret: web_api_key, port: 80}"))
    assert only_problem(path) == "x-fleet: provides: api_key: no server takes a shared-key, so it has no `port`. Remove it."
