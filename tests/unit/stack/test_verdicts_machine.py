"""The checks of the stack's files, of its logs, and of the host that carries it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from operations.stack.check import Verdict
from operations.stack.snapshot import SeenLiteral, SeenLog, SeenMachine
from tests.unit.stack.checked import NEW, OLD, not_ok, the_bad_one, the_check, with_logs
from tests.unit.stack.hosts import (
    NOW,
    Drift,
    a_stack,
    all_of,
    sha256,
    with_acl_on_disk,
    with_file,
    with_key,
    with_redis,
    without_file,
)

# Files


@pytest.mark.parametrize(
    ("drift", "detail"),
    [
        (without_file("compose.d/redis.yml"), "compose.d/redis.yml: is missing"),
        (with_file("env/openwebui.env", mode="0644"), "env/openwebui.env: mode is 0644, expected 0600"),
        (with_key("env/redis.env", "REDIS_LOG_LEVEL", None), "env/redis.env: REDIS_LOG_LEVEL is missing"),
        (with_key("env/openwebui.env", "MINE", "MINE=2"), "env/openwebui.env: MINE differs"),
        (with_file("secrets/redis/password", mode="0644"), "secrets/redis/password: mode is 0644, expected 0600"),
        (with_file("secrets/redis/users.acl", mode="0644"), "what redis accepts"),
        (
            all_of(without_file(".env"), without_file("compose.yml")),
            "compose.yml: is missing; .env: is missing",
        ),
    ],
)
def test_files_that_are_not_as_wanted_are_named(drift: Drift, detail: str) -> None:
    check = the_bad_one(drift, stack=a_stack(openwebui_env={"MINE": "1"}))
    assert (check.id, check.verdict, check.detail) == ("files.in_sync", Verdict.FAILED, detail)
    assert check.cause == "The files on the host differ from the settings."
    assert check.remedy == "Run the deploy again."


def test_a_folder_in_the_place_of_a_file_is_named() -> None:
    check = the_bad_one(with_file(".env", kind="dir"))
    assert check.id == "files.in_sync"
    assert check.detail.startswith("/opt/erni-ki/.env: is a folder, expected a regular file.")


def test_a_line_of_somebody_else_is_not_out_of_sync() -> None:
    assert not_ok(with_file("env/openwebui.env", sha256=sha256("MINE=1"))) == ()


def test_the_retired_password_beside_the_wanted_one_is_not_out_of_sync() -> None:
    check = the_check("files.in_sync", with_acl_on_disk(NEW, OLD), with_redis(hashes=(NEW, OLD)))
    assert check.verdict is Verdict.OK


# The host


def with_literals(*found: SeenLiteral) -> Drift:
    return lambda seen: replace(seen, literals=found)


PREVIOUS = SeenLiteral("compose.yml", 3, previous=True)


@pytest.mark.parametrize("first", [PREVIOUS, SeenLiteral("compose.yml", 3)])
def test_a_literal_password_in_a_compose_file_fails_with_its_lines(first: SeenLiteral) -> None:
    check = the_bad_one(with_literals(first, SeenLiteral("compose.yml", 9), SeenLiteral("compose.d/web.yml", 1)))
    assert (check.id, check.verdict) == ("compose.no_literal_password", Verdict.FAILED)
    assert check.detail == "compose.yml: line 3, 9; compose.d/web.yml: line 1"


def test_one_that_its_server_refuses_already_is_a_warning() -> None:
    check = the_bad_one(with_literals(PREVIOUS))
    assert (check.id, check.verdict) == ("compose.no_literal_password", Verdict.WARNING)
    assert check.detail == "compose.yml: line 3"
    assert check.cause == "A password is written out there that its server refuses already, so it opens nothing."


@pytest.mark.parametrize(
    "drift",
    [
        with_acl_on_disk(NEW, OLD),
        with_redis(hashes=(NEW, OLD)),
        with_acl_on_disk(OLD),
        all_of(with_redis(hashes=()), with_acl_on_disk()),
    ],
)
def test_while_another_may_be_accepted_it_fails(drift: Drift) -> None:
    assert the_check("compose.no_literal_password", drift, with_literals(PREVIOUS)).verdict is Verdict.FAILED


def test_in_a_stack_without_a_credential_nothing_is_known_to_be_refused() -> None:
    alone = a_stack(services=("watchtower",))
    assert the_check("compose.no_literal_password", with_literals(PREVIOUS), stack=alone).verdict is Verdict.FAILED


@pytest.mark.parametrize(
    ("ahead", "verdict", "detail"),
    [
        (0.0, Verdict.OK, "within 10 s"),
        (-10.0, Verdict.OK, "within 10 s"),
        (10.6, Verdict.WARNING, "11 s ahead of this machine"),
        (-300.0, Verdict.WARNING, "300 s behind this machine"),
        (301.0, Verdict.FAILED, "301 s ahead of this machine"),
        (-4000.0, Verdict.FAILED, "4000 s behind this machine"),
    ],
)
def test_a_clock_that_differs_is_a_warning_and_fails_beyond_a_limit(ahead: float, verdict: Verdict, detail: str) -> None:
    check = the_check("clock.skew", lambda seen: replace(seen, machine=SeenMachine(NOW, ahead, {"/": 10**10})))
    assert (check.verdict, check.detail) == (verdict, detail)


@pytest.mark.parametrize(
    ("free", "verdict", "detail"),
    [
        ({"/": 500_000_000}, Verdict.OK, "500 MB free on /"),
        ({"/": 10**12, "/var": 499_999_999}, Verdict.WARNING, "500 MB free on /var, expected 500 (disk_min_free)"),
        ({"/": 100_000_000}, Verdict.WARNING, "100 MB free on /, expected 500 (disk_min_free)"),
        ({"/": 99_999_999}, Verdict.FAILED, "100 MB free on /, expected 500 (disk_min_free)"),
        ({"/": 0}, Verdict.FAILED, "0 MB free on /, expected 500 (disk_min_free)"),
    ],
)
def test_a_disk_that_fills_is_a_warning_and_fails_below_a_limit(free: dict[str, int], verdict: Verdict, detail: str) -> None:
    check = the_check("disk.space", lambda seen: replace(seen, machine=SeenMachine(NOW, 0, free)))
    assert (check.verdict, check.detail) == (verdict, detail)


def test_an_error_in_any_log_is_a_warning_with_its_last_line() -> None:
    log = SeenLog(errors=("ERROR one", "ERROR two \n"))
    check = the_bad_one(with_logs(redis_exporter=log, watchtower=SeenLog(errors=("level=error three",)), litellm=log))
    assert (check.id, check.verdict) == ("logs.errors", Verdict.WARNING)
    assert check.detail == "1 of watchtower, the last: level=error three; 2 of redis-exporter, the last: ERROR two"
    assert "docker compose logs watchtower redis-exporter" in (check.remedy or "")


WARNED = {
    "logs.errors": with_logs(redis=SeenLog(errors=("ERROR",))),
    "compose.no_literal_password": with_literals(PREVIOUS),
    "clock.skew": lambda seen: replace(seen, machine=SeenMachine(NOW, 11.0, {"/": 10**10})),
    "disk.space": lambda seen: replace(seen, machine=SeenMachine(NOW, 0, {"/": 2 * 10**8})),
}


@pytest.mark.parametrize("name", WARNED)
def test_a_warning_lets_a_host_pass_and_with_strict_it_fails(name: str) -> None:
    usual, strict = (the_check(name, WARNED[name], stack=a_stack(strict=strict)) for strict in (False, True))
    assert (usual.verdict, usual.verdict.good, strict.verdict) == (Verdict.WARNING, True, Verdict.FAILED)
    assert usual.cause
    assert (strict.detail, strict.cause, strict.remedy) == (usual.detail, usual.cause, usual.remedy)
