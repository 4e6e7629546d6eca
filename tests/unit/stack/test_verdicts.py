"""The checks: all ok where all is as wanted; for each thing that is wrong exactly its check, with cause and remedy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.stack.check import Check, Verdict
from operations.stack.snapshot import UNKNOWN, SeenClient, SeenLog, SeenMachine, Snapshot
from operations.stack.stack import Stack
from operations.stack.verdicts import checks
from tests.unit.stack.hosts import (
    NOW,
    OLD_ENGINE,
    OLD_PASSWORD,
    PASSWORD,
    Drift,
    a_client,
    a_stack,
    all_of,
    bare,
    converged,
    sha256,
    unseen,
    with_acl_on_disk,
    with_container,
    with_file,
    with_key,
    with_password_file_of,
    with_redis,
    without_container,
    without_file,
)

STACK, CLIENT = a_stack(), a_client()
NEW, OLD = STACK.password_hash, sha256(OLD_PASSWORD)
PASSWORD_CHECKS = ("password.consistent", "url.form")
REDIS_CHECKS = (
    "redis.ping",
    "redis.anonymous_refused",
    "redis.data_on_volume",
    "redis.single_password",
    "redis.old_password_refused",
)
WEBUI_CHECKS = ("openwebui.health", "openwebui.websocket", "settings.websocket", "openwebui.redis_login", "logs.auth_errors")
HOST_CHECKS = ("logs.errors", "compose.no_literal_password", "clock.skew", "disk.space")
IDS = (
    "files.in_sync",
    "container.watchtower",
    "container.redis",
    "container.redis-exporter",
    "container.openwebui",
    "password.rule",
    *PASSWORD_CHECKS,
    *REDIS_CHECKS,
    "exporter.redis_up",
    *WEBUI_CHECKS,
    "exporter.scrape",
    *HOST_CHECKS,
)
CLIENT_IDS = ("files.in_sync", "container.openwebui", "password.rule", *PASSWORD_CHECKS, "redis.ping", *WEBUI_CHECKS, *HOST_CHECKS)
ABOUT_NO_HOST = {"password.rule"}


def with_probe(ident: str, value: str | None) -> Drift:
    """The probe answers `value`; None: it could not be asked."""

    def drift(seen: Snapshot) -> Snapshot:
        probes = {name: answer for name, answer in seen.probes.items() if name != ident}
        return replace(seen, probes=probes if value is None else {**probes, ident: value})

    return drift


def verdicts(seen: Snapshot, stack: Stack = STACK) -> Mapping[str, Verdict]:
    return {check.id: check.verdict for check in checks(stack, seen)}


def not_ok(*drifts: Drift, stack: Stack = STACK) -> tuple[Check, ...]:
    """The checks that are not ok on a host where all was as wanted before these drifts."""
    found = checks(stack, all_of(*drifts)(converged(stack)))
    return tuple(check for check in found if check.verdict is not Verdict.OK)


def the_bad_one(*drifts: Drift, stack: Stack = STACK) -> Check:
    (check,) = not_ok(*drifts, stack=stack)
    return check


def the_check(name: str, *drifts: Drift, stack: Stack = STACK) -> Check:
    """What this check says on such a host, whatever the others say."""
    (check,) = (check for check in checks(stack, all_of(*drifts)(converged(stack))) if check.id == name)
    return check


# All is as wanted


@pytest.mark.parametrize(
    ("stack", "ids"),
    [
        (STACK, IDS),
        (a_stack(redis_image="redis:8"), IDS),
        (a_stack(services=["watchtower"]), ("files.in_sync", "container.watchtower", *HOST_CHECKS)),
        (
            a_stack(services=["watchtower", "redis"]),
            (
                "files.in_sync",
                "container.watchtower",
                "container.redis",
                "password.rule",
                *PASSWORD_CHECKS,
                *REDIS_CHECKS,
                *HOST_CHECKS,
            ),
        ),
        (CLIENT, CLIENT_IDS),
    ],
    ids=["all", "official redis", "without redis", "redis alone", "another host's redis"],
)
def test_every_check_is_ok_where_all_is_as_wanted(stack: Stack, ids: tuple[str, ...]) -> None:
    assert verdicts(converged(stack), stack) == dict.fromkeys(ids, Verdict.OK)


def test_an_older_engine_is_as_good() -> None:
    assert set(verdicts(converged(STACK, OLD_ENGINE)).values()) == {Verdict.OK}


def test_checks_come_in_the_order_of_the_services() -> None:
    assert tuple(check.id for check in checks(STACK, converged(STACK))) == IDS


def test_a_check_that_is_ok_says_what_was_found() -> None:
    details = {check.id: check.detail for check in checks(STACK, converged(STACK))}
    assert details == {
        "files.in_sync": "13 files are as wanted",
        "container.watchtower": "running, healthy",
        "container.redis": "running, healthy",
        "container.redis-exporter": "running",
        "container.openwebui": "running, healthy",
        "password.rule": "letters, digits, - and _, at least 20 of them",
        "password.consistent": f"fingerprint {NEW[:12]} in 7 places",
        "url.form": "3 URLs are redis://:<password>@<host>:<port>",
        "redis.ping": "PONG",
        "redis.anonymous_refused": "NOAUTH",
        "redis.data_on_volume": "/opt/erni-ki/data/redis at /data",
        "redis.single_password": f"accepts {NEW[:12]} alone",
        "redis.old_password_refused": f"accepts {NEW[:12]}",
        "exporter.redis_up": "redis_up 1",
        "openwebui.health": "status 200",
        "openwebui.websocket": "connected",
        "settings.websocket": "ENABLE_WEBSOCKET_SUPPORT, WEBSOCKET_MANAGER, WEBSOCKET_REDIS_URL are as they must be",
        "openwebui.redis_login": "2 connections, 1 of them subscribed; 1 on Socket.IO's channel",
        "logs.auth_errors": "0 since its start",
        "exporter.scrape": "redis_up 1, 4 clients, 1.5 MiB, 0 denied logins",
        "logs.errors": "none in 300 s",
        "compose.no_literal_password": "none",
        "clock.skew": "within 10 s",
        "disk.space": "10,000 MB free on /",
    }


@pytest.mark.parametrize("name", IDS)
def test_a_check_may_be_skipped_whatever_it_would_say(name: str) -> None:
    stack = a_stack(skip_checks=[name])
    for seen in (converged(stack), bare(stack), Snapshot()):
        found = {check.id: check for check in checks(stack, seen)}
        assert tuple(found) == IDS
        assert found[name] == Check(name, Verdict.SKIPPED, "by the setting skip_checks")
        assert [check.id for check in found.values() if check.verdict is Verdict.SKIPPED] == [name]


# Files


@pytest.mark.parametrize(
    ("drift", "detail"),
    [
        (without_file("compose.d/redis.yml"), "compose.d/redis.yml: is missing"),
        (with_file("env/openwebui.env", mode="0644"), "env/openwebui.env: mode is 0644, expected 0600"),
        (with_key("env/redis.env", "REDIS_LOG_LEVEL", None), "env/redis.env: REDIS_LOG_LEVEL is missing"),
        (with_key("env/openwebui.env", "MINE", "MINE=2"), "env/openwebui.env: MINE differs"),
        (with_file("secrets/redis/password", mode="0644"), "secrets/redis/password: mode is 0644, expected 0600"),
        (with_file("secrets/redis/users.acl", mode="0644"), "secrets/redis/users.acl"),
        (
            all_of(without_file(".env"), without_file("compose.yml")),
            "compose.yml: is missing; .env: is missing",
        ),
    ],
)
def test_files_that_are_not_as_wanted_are_named(drift: Drift, detail: str) -> None:
    check = the_bad_one(drift, stack=a_stack(openwebui_env={"MINE": "1"}))
    assert (check.id, check.verdict, check.detail) == ("files.in_sync", Verdict.FAILED, detail)
    assert check.cause == "The files on the host are not as the settings want them."
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


# Containers


@pytest.mark.parametrize(
    ("changes", "detail"),
    [
        ({"state": "exited", "health": ""}, "exited"),
        ({"state": "paused", "health": "unhealthy"}, "paused, unhealthy"),
        ({"health": "unhealthy"}, "running, unhealthy"),
    ],
)
def test_a_container_that_is_not_up_fails_with_its_state(changes: Mapping[str, str], detail: str) -> None:
    check = the_bad_one(with_container("openwebui", **changes))
    assert (check.id, check.verdict, check.detail) == ("container.openwebui", Verdict.FAILED, detail)
    assert check.cause
    assert "docker compose logs" in (check.remedy or "")


def test_a_container_that_is_not_healthy_yet_fails() -> None:
    assert the_bad_one(with_container("openwebui", health="starting")) == Check(
        "container.openwebui",
        Verdict.FAILED,
        "running, starting",
        "openwebui does not run, or its healthcheck fails.",
        "Read `docker compose logs openwebui` in the stack's folder, then run the deploy again.",
    )


def test_a_container_that_is_not_there_fails() -> None:
    assert the_bad_one(without_container("watchtower")) == Check(
        "container.watchtower",
        Verdict.FAILED,
        "there is no container",
        "watchtower was never started, or was removed.",
        "Run the deploy again.",
    )


def test_one_of_two_containers_that_is_down_fails() -> None:
    def scaled(seen: Snapshot) -> Snapshot:
        assert seen.containers is not UNKNOWN
        first = replace(seen.of("openwebui")[0], state="dead", health="")
        return replace(seen, containers=(first, *seen.containers))

    assert the_bad_one(scaled).detail == "dead"


# Redis


@pytest.mark.parametrize(
    ("login", "detail"),
    [
        ("WRONGPASS invalid username-password pair or user is disabled.", None),
        ("NOAUTH Authentication required.", None),
        ("LOADING Redis is loading the dataset in memory", None),
        ("", "no answer, expected PONG"),
    ],
)
def test_a_login_that_does_not_work_fails_with_what_redis_says(login: str, detail: str | None) -> None:
    check = the_bad_one(with_redis(login=login))
    assert (check.id, check.verdict) == ("redis.ping", Verdict.FAILED)
    assert check.detail == (detail or f"{login}, expected PONG")
    assert check.cause
    assert check.remedy


def test_a_redis_that_answers_to_anybody_fails() -> None:
    check = the_bad_one(with_redis(anonymous="PONG"))
    assert (check.id, check.verdict) == ("redis.anonymous_refused", Verdict.FAILED)
    assert check.detail == "PONG, expected NOAUTH"
    assert check.cause == "redis answers without a password: it was not started with the ACL file."


@pytest.mark.parametrize(
    ("drift", "detail"),
    [
        (
            with_redis(directory="/var/lib/redis-stack"),
            "redis keeps its data in /var/lib/redis-stack, /data is /opt/erni-ki/data/redis",
        ),
        (with_container("redis", mounts={}), "redis keeps its data in /data, /data is not mounted"),
        (
            with_container("redis", mounts={"/data": "/var/lib/docker/volumes/x/_data"}),
            "redis keeps its data in /data, /data is /var/lib/docker/volumes/x/_data",
        ),
    ],
)
def test_data_that_is_not_on_the_volume_fails(drift: Drift, detail: str) -> None:
    check = the_bad_one(drift)
    assert (check.id, check.verdict, check.detail) == ("redis.data_on_volume", Verdict.FAILED, detail)


def test_a_redis_that_does_not_say_where_its_data_is_may_still_have_it_on_the_volume() -> None:
    check = the_bad_one(with_redis(directory=""))
    assert (check.id, check.verdict) == ("redis.data_on_volume", Verdict.UNKNOWN)
    assert check.detail == "redis did not say where it keeps its data"


@pytest.mark.parametrize("folder", ["/opt/erni-ki/", "/opt//erni-ki", "/opt/./erni-ki"])
def test_the_volume_is_found_however_the_folder_is_written(folder: str) -> None:
    stack = a_stack(stack_dir=folder)
    on_docker = with_container("redis", mounts={"/data": "/opt/erni-ki/data/redis"})
    assert verdicts(on_docker(converged(stack)), stack)["redis.data_on_volume"] is Verdict.OK


# The one password


@pytest.mark.parametrize("password", ["too-short", "with/a-slash-and-enough-letters", "with a blank and enough letters", "ü" * 30])
def test_a_password_that_breaks_the_rule_fails_and_is_not_shown(password: str) -> None:
    stack = a_stack(password)
    check = the_check("password.rule", stack=stack)
    assert (check.verdict, check.detail) == (Verdict.FAILED, "breaks the rule")
    assert "python -m operations.secrets new" in (check.remedy or "")
    assert password not in repr(check)


@pytest.mark.parametrize(
    ("drift", "places", "urls"),
    [
        (with_key("env/redis.env", "REDIS_PASSWORD", "REDIS_PASSWORD=x"), ["REDIS_PASSWORD in env/redis.env"], []),
        (with_key("env/redis.env", "REDIS_PASSWORD", None), ["REDIS_PASSWORD in env/redis.env"], []),
        (
            with_key("env/openwebui.env", "REDIS_URL", "REDIS_URL=redis://redis:6379"),
            ["REDIS_URL in env/openwebui.env"],
            ["REDIS_URL in env/openwebui.env"],
        ),
        (
            all_of(
                with_key("env/redis-exporter.env", "REDIS_ADDR", None),
                with_key("env/openwebui.env", "WEBSOCKET_REDIS_URL", "WEBSOCKET_REDIS_URL="),
            ),
            ["REDIS_ADDR in env/redis-exporter.env", "WEBSOCKET_REDIS_URL in env/openwebui.env"],
            ["REDIS_ADDR in env/redis-exporter.env", "WEBSOCKET_REDIS_URL in env/openwebui.env"],
        ),
        (with_password_file_of(OLD_PASSWORD), ["secrets/redis/password"], []),
        (without_file("secrets/redis/password"), ["secrets/redis/password"], []),
        (with_acl_on_disk(OLD), ["secrets/redis/users.acl"], []),
        (with_redis(hashes=(OLD,)), ["redis itself"], []),
    ],
)
def test_every_place_with_another_password_is_named(drift: Drift, places: list[str], urls: list[str]) -> None:
    for name, wrong, what in (("password.consistent", places, "another password"), ("url.form", urls, "another URL")):
        check = the_check(name, drift)
        if not wrong:
            assert check.verdict is Verdict.OK
            continue
        assert (check.verdict, check.detail) == (Verdict.FAILED, f"{what} in {', '.join(wrong)}")
        assert check.cause == "It was changed by hand, or a rollout has not ended."
        assert check.remedy == "Run the deploy again."


def test_a_password_in_a_further_key_of_open_webui_counts_too() -> None:
    stack = a_stack(openwebui_env={"CELERY_BROKER": f"redis://:{PASSWORD}@redis:6379/2"})
    assert the_check("url.form", stack=stack).detail.startswith("4 URLs")
    check = the_check("password.consistent", with_key("env/openwebui.env", "CELERY_BROKER", "CELERY_BROKER=x"), stack=stack)
    assert check.detail == "another password in CELERY_BROKER in env/openwebui.env"


def test_a_redis_that_does_not_tell_what_it_accepts_is_no_place() -> None:
    assert the_check("password.consistent", with_redis(hashes=(), denied="NOPERM no")).detail.endswith(" in 6 places")


def test_a_client_has_no_acl_file_and_no_redis_itself() -> None:
    assert the_check("password.consistent", stack=CLIENT).detail == f"fingerprint {NEW[:12]} in 3 places"
    assert the_check("password.consistent", with_redis(hashes=(OLD,)), stack=CLIENT).verdict is Verdict.OK


def test_no_password_is_shown_by_any_check() -> None:
    for seen in (converged(STACK), converged(a_stack(OLD_PASSWORD)), bare(STACK), Snapshot()):
        said = repr(checks(STACK, seen))
        assert PASSWORD not in said
        assert OLD_PASSWORD not in said


# That no other password is accepted


@pytest.mark.parametrize(
    ("drift", "names"),
    [
        (all_of(with_acl_on_disk(NEW, OLD), with_redis(hashes=(NEW, OLD))), ["single_password", "old_password_refused"]),
        (with_redis(hashes=(NEW, OLD)), ["single_password", "old_password_refused"]),
        (with_acl_on_disk(NEW, OLD), ["single_password"]),
    ],
    ids=["on disk and in memory", "in memory alone", "on disk alone"],
)
def test_a_former_password_that_is_still_accepted_fails_with_its_fingerprint(drift: Drift, names: list[str]) -> None:
    bad = {check.id.removeprefix("redis."): check for check in not_ok(drift)}
    assert list(bad) == names
    assert {check.verdict for check in bad.values()} == {Verdict.FAILED}
    assert bad["single_password"].detail == f"2 passwords are accepted, also {OLD[:12]}"
    assert "rollout has not ended" in (bad["single_password"].cause or "")
    if "old_password_refused" in bad:
        assert bad["old_password_refused"].detail == f"accepts {NEW[:12]}, {OLD[:12]}, expected {NEW[:12]}"


def test_since_when_it_is_accepted_is_told_from_the_acl_file() -> None:
    since = with_file("secrets/redis/users.acl", changed=1_764_000_000)
    other = sha256("a third")
    check = the_check("redis.single_password", with_acl_on_disk(NEW, OLD, other), with_redis(hashes=(NEW, OLD)), since)
    assert check.detail == f"3 passwords are accepted since 2025-11-24T16:00:00Z, also {OLD[:12]}, {other[:12]}"


def test_a_redis_that_accepts_only_another_password_fails() -> None:
    check = the_check("redis.old_password_refused", with_redis(hashes=(OLD,)))
    assert (check.verdict, check.detail) == (Verdict.FAILED, f"accepts {OLD[:12]}, expected {NEW[:12]}")


def test_passwords_that_are_accepted_are_counted_without_the_wanted_one_where_it_is_not() -> None:
    alone = the_check("redis.single_password", with_acl_on_disk(OLD), with_redis(hashes=(OLD,)))
    assert (alone.verdict, alone.detail) == (Verdict.FAILED, f"accepts {OLD[:12]}, expected {NEW[:12]}")


def test_a_redis_that_does_not_tell_what_it_accepts_is_unknown() -> None:
    check = the_bad_one(with_redis(hashes=(), denied="NOPERM User default has no permissions"))
    assert (check.id, check.verdict) == ("redis.old_password_refused", Verdict.UNKNOWN)
    assert check.detail == "redis does not tell: NOPERM User default has no permissions"
    assert check.remedy


def test_a_redis_that_does_not_let_in_is_never_called_the_only_one_that_accepts() -> None:
    refused = with_redis(login="WRONGPASS no", hashes=(), directory="")
    assert the_check("redis.old_password_refused", refused).verdict is Verdict.FAILED


# Another host's redis


def test_another_hosts_redis_that_does_not_answer_is_unknown_and_named() -> None:
    check = the_check("redis.ping", unseen("redis"), stack=CLIENT)
    assert check == Check(
        "redis.ping",
        Verdict.UNKNOWN,
        "redis at 10.0.0.5:6379 did not answer",
        "It does not run, or 10.0.0.5:6379 cannot be reached from this host.",
        "Look at redis-1.",
    )


def test_another_hosts_redis_that_refuses_the_password_fails_and_names_both_hosts() -> None:
    check = the_check("redis.ping", with_redis(login="LOADING Redis is loading"), stack=CLIENT)
    assert check == Check(
        "redis.ping",
        Verdict.FAILED,
        "LOADING Redis is loading, expected PONG",
        "The password in secrets/redis/password is not one that redis at 10.0.0.5:6379 accepts.",
        "Run the deploy for redis-1 and this host together.",
    )


def test_what_only_redis_own_host_can_see_is_not_asked_of_a_client() -> None:
    found = with_redis(anonymous="PONG", directory="/", hashes=(NEW, OLD))
    assert not_ok(found, stack=CLIENT) == ()


# Open WebUI and the exporter as clients of redis


def webui(address: str = "172.18.0.5", channels: int = 0) -> SeenClient:
    return SeenClient(address, "default", channels)


@pytest.mark.parametrize(
    ("changes", "detail"),
    [
        ({"clients": ()}, "0 connections, 0 of them subscribed; 1 on Socket.IO's channel"),
        ({"clients": (webui("172.18.0.4", 1),)}, "0 connections, 0 of them subscribed; 1 on Socket.IO's channel"),
        ({"clients": (webui(), webui())}, "2 connections, 0 of them subscribed; 1 on Socket.IO's channel"),
        ({"listeners": 0}, "2 connections, 1 of them subscribed; 0 on Socket.IO's channel"),
        (
            {"refused": (("172.18.0.5", 9_000.0), ("172.18.0.5", 3.5))},
            "2 connections, 1 of them subscribed; 1 on Socket.IO's channel; 2 logins refused since its start",
        ),
    ],
    ids=["none", "the exporter's alone", "none listens", "nobody on the channel", "some were refused"],
)
def test_an_open_webui_that_redis_does_not_know_fails(changes: dict[str, Any], detail: str) -> None:
    check = the_bad_one(with_redis(**changes))
    assert (check.id, check.verdict, check.detail) == ("openwebui.redis_login", Verdict.FAILED, detail)
    assert check.cause
    assert check.remedy


@pytest.mark.parametrize(
    "refused",
    [("172.18.0.4", 3.0), ("172.18.0.1", 3.0), ("172.18.0.5", 10_001.0), ("", 0.0)],
    ids=["the exporter's", "this check's own", "from before its start", "of nobody"],
)
def test_a_refused_login_of_another_or_from_before_does_not_count(refused: tuple[str, float]) -> None:
    assert not_ok(with_redis(refused=(refused,))) == ()


def test_on_another_hosts_redis_a_client_is_known_by_its_hosts_address() -> None:
    others = with_redis(clients=(SeenClient("10.0.0.22", "default", 1),))
    assert the_bad_one(others, stack=CLIENT).id == "openwebui.redis_login"


def test_a_websocket_setting_that_is_otherwise_fails() -> None:
    check = the_check("settings.websocket", with_key("env/openwebui.env", "WEBSOCKET_MANAGER", "WEBSOCKET_MANAGER="))
    assert (check.verdict, check.detail) == (Verdict.FAILED, "another value in WEBSOCKET_MANAGER in env/openwebui.env")


def with_logs(**logs: SeenLog) -> Drift:
    """Services complain; a service whose name has a dash is written with an underscore."""

    def drift(seen: Snapshot) -> Snapshot:
        assert seen.logs is not UNKNOWN
        return replace(seen, logs={**seen.logs, **{name.replace("_", "-"): log for name, log in logs.items()}})

    return drift


def test_refused_logins_in_open_webuis_log_fail() -> None:
    check = the_bad_one(with_logs(openwebui=SeenLog(refused=3)))
    assert (check.id, check.verdict) == ("logs.auth_errors", Verdict.FAILED)
    assert check.detail == "3 lines since its start tell of a refused login"


def test_an_error_in_any_log_fails_with_its_last_line() -> None:
    log = SeenLog(errors=("ERROR one", "ERROR two \n"))
    check = the_bad_one(with_logs(redis_exporter=log, watchtower=SeenLog(errors=("level=error three",)), litellm=log))
    assert (check.id, check.verdict) == ("logs.errors", Verdict.FAILED)
    assert check.detail == "1 of watchtower, the last: level=error three; 2 of redis-exporter, the last: ERROR two"
    assert "docker compose logs watchtower redis-exporter" in (check.remedy or "")


def with_metrics(**metrics: float) -> Drift:
    def drift(seen: Snapshot) -> Snapshot:
        assert seen.metrics is not UNKNOWN
        return replace(seen, metrics={**seen.metrics, **metrics})

    return drift


@pytest.mark.parametrize(
    ("drift", "detail"),
    [
        (with_metrics(redis_up=0), "redis_up 0, 4 clients, 1.5 MiB, 0 denied logins"),
        (
            with_metrics(**{'redis_exporter_last_scrape_error{err="dial"}': 1}),
            'redis_up 1, 4 clients, 1.5 MiB, 0 denied logins; redis_exporter_last_scrape_error{err="dial"}',
        ),
        (lambda seen: replace(seen, metrics={}), "no metrics"),
        (unseen("metrics"), "no metrics"),
    ],
)
def test_an_exporter_that_cannot_read_redis_fails(drift: Drift, detail: str) -> None:
    check = the_bad_one(drift)
    assert (check.id, check.verdict, check.detail) == ("exporter.scrape", Verdict.FAILED, detail)


# The host


def test_a_literal_password_in_a_compose_file_fails_with_its_lines() -> None:
    found = (("compose.yml", 3), ("compose.yml", 9), ("compose.d/web.yml", 1))
    check = the_bad_one(lambda seen: replace(seen, literals=found))
    assert (check.id, check.verdict) == ("compose.no_literal_password", Verdict.FAILED)
    assert check.detail == "compose.yml: line 3, 9; compose.d/web.yml: line 1"


@pytest.mark.parametrize(
    ("ahead", "verdict", "detail"),
    [
        (0.0, Verdict.OK, "within 10 s"),
        (-10.0, Verdict.OK, "within 10 s"),
        (10.6, Verdict.FAILED, "11 s ahead of this machine"),
        (-4000.0, Verdict.FAILED, "4000 s behind this machine"),
    ],
)
def test_a_clock_that_differs_too_much_fails(ahead: float, verdict: Verdict, detail: str) -> None:
    check = the_check("clock.skew", lambda seen: replace(seen, machine=SeenMachine(NOW, ahead, {"/": 10**10})))
    assert (check.verdict, check.detail) == (verdict, detail)


@pytest.mark.parametrize(
    ("free", "verdict", "detail"),
    [
        ({"/": 500_000_000}, Verdict.OK, "500 MB free on /"),
        ({"/": 10**12, "/var": 499_999_999}, Verdict.FAILED, "500 MB free on /var, expected 500 (disk_min_free)"),
        ({"/": 0}, Verdict.FAILED, "0 MB free on /, expected 500 (disk_min_free)"),
    ],
)
def test_a_disk_that_is_nearly_full_fails(free: dict[str, int], verdict: Verdict, detail: str) -> None:
    check = the_check("disk.space", lambda seen: replace(seen, machine=SeenMachine(NOW, 0, free)))
    assert (check.verdict, check.detail) == (verdict, detail)


# Probes


@pytest.mark.parametrize(
    ("ident", "value", "detail"),
    [
        ("exporter.redis_up", "0", "redis_up 0, expected 1"),
        ("exporter.redis_up", "", "redis_up no answer, expected 1"),
        ("openwebui.health", "503", "status 503, expected 200"),
        ("openwebui.health", "", "status no answer, expected 200"),
        ("openwebui.websocket", "", "no answer, expected connected"),
        ("openwebui.websocket", "opened and refused", "opened and refused, expected connected"),
    ],
)
def test_a_probe_that_answers_otherwise_fails_with_cause_and_remedy_of_the_catalogue(ident: str, value: str, detail: str) -> None:
    check = the_bad_one(with_probe(ident, value))
    (probe,) = (probe for probe in STACK.probes if probe.id == ident)
    assert check == Check(ident, Verdict.FAILED, detail, probe.cause, probe.remedy)
    assert check.cause
    assert check.remedy


def test_a_probe_that_could_not_be_asked_is_unknown() -> None:
    check = the_bad_one(with_probe("openwebui.health", None))
    assert (check.id, check.verdict) == ("openwebui.health", Verdict.UNKNOWN)
    assert check.detail == "http://127.0.0.1:8080/health was not asked"


# What cannot be seen is never ok


@pytest.mark.parametrize(
    ("part", "unknown"),
    [
        ("engine", {"files.in_sync"}),
        ("files", {"files.in_sync", *PASSWORD_CHECKS}),
        ("env", {"files.in_sync", "settings.websocket", *PASSWORD_CHECKS}),
        ("applied", {"files.in_sync"}),
        ("acl", {"files.in_sync", *PASSWORD_CHECKS}),
        ("fragments", {"files.in_sync"}),
        (
            "containers",
            {
                "files.in_sync",
                "redis.data_on_volume",
                "openwebui.redis_login",
                *(ident for ident in IDS if ident.startswith("container.")),
            },
        ),
        ("redis", {"files.in_sync", "openwebui.redis_login", *REDIS_CHECKS}),
        ("logs", {"logs.auth_errors", "logs.errors"}),
        ("machine", {"clock.skew", "disk.space"}),
        ("literals", {"compose.no_literal_password"}),
    ],
)
def test_a_part_that_is_unknown_makes_its_checks_unknown(part: str, unknown: set[str]) -> None:
    found = verdicts(unseen(part)(converged(STACK)))
    assert found == {ident: Verdict.UNKNOWN if ident in unknown else Verdict.OK for ident in IDS}


@pytest.mark.parametrize(
    ("part", "ident", "detail"),
    [
        ("containers", "container.redis", "Docker was not observed"),
        ("containers", "redis.data_on_volume", "Docker was not observed"),
        ("redis", "redis.ping", "redis did not answer"),
        ("redis", "redis.single_password", "redis did not answer"),
        ("redis", "redis.old_password_refused", "redis did not answer"),
        ("redis", "openwebui.redis_login", "redis did not answer"),
        ("acl", "password.consistent", "not observed"),
        ("logs", "logs.errors", "logs were not read"),
        ("machine", "disk.space", "not observed"),
    ],
)
def test_what_could_not_be_seen_is_said(part: str, ident: str, detail: str) -> None:
    check = the_check(ident, unseen(part))
    assert check.detail == detail
    assert check.remedy


def test_the_files_that_could_not_be_seen_are_named() -> None:
    seen = replace(converged(STACK), acl=UNKNOWN, applied=UNKNOWN)
    assert checks(STACK, seen)[0].detail == "not observed: applied, acl"


def test_nothing_is_ok_on_a_host_that_did_not_answer() -> None:
    for stack, ids in ((STACK, IDS), (CLIENT, CLIENT_IDS)):
        found = verdicts(Snapshot(), stack)
        # an exporter that gives no metrics does not do its work, whatever the reason
        assert {name for name, verdict in found.items() if verdict is not Verdict.UNKNOWN} <= {"exporter.scrape", *ABOUT_NO_HOST}
        assert {name for name, verdict in found.items() if verdict is Verdict.OK} <= ABOUT_NO_HOST
        assert tuple(found) == ids


def test_a_log_that_is_not_there_tells_nothing() -> None:
    check = the_check("logs.auth_errors", lambda seen: replace(seen, logs={}))
    assert (check.verdict, check.detail) == (Verdict.UNKNOWN, "Open WebUI does not run")


def test_nothing_is_ok_on_a_bare_host() -> None:
    assert {name for name, verdict in verdicts(bare(STACK)).items() if verdict is Verdict.OK} == ABOUT_NO_HOST


# All together

PARTS: Mapping[str, Drift] = {
    "files.in_sync": with_file("env/redis.env", mode="0666"),
    "container.watchtower": with_container("watchtower", state="dead"),
    "container.openwebui": with_container("openwebui", health="unhealthy"),
    "container.redis-exporter": without_container("redis-exporter"),
    "redis.ping": with_redis(login="WRONGPASS no"),
    "redis.anonymous_refused": with_redis(anonymous="PONG"),
    "redis.data_on_volume": with_redis(directory="/"),
    "redis.single_password": with_acl_on_disk(NEW, OLD),
    "redis.old_password_refused": with_redis(hashes=(), denied="NOPERM no"),
    "openwebui.redis_login": with_redis(listeners=0),
    "logs.auth_errors": with_logs(openwebui=SeenLog(refused=1)),
    "logs.errors": with_logs(redis=SeenLog(errors=("ERROR",))),
    "exporter.scrape": with_metrics(redis_up=0),
    "compose.no_literal_password": lambda seen: replace(seen, literals=(("compose.yml", 1),)),
    "disk.space": lambda seen: replace(seen, machine=SeenMachine(NOW, 0, {"/": 1})),
    "exporter.redis_up": with_probe("exporter.redis_up", "0"),
    "openwebui.health": with_probe("openwebui.health", None),
}


@given(st.sets(st.sampled_from(sorted(PARTS))))
def test_for_any_drifts_exactly_their_checks_are_not_ok(drifted: set[str]) -> None:
    assert {check.id for check in not_ok(*(PARTS[ident] for ident in sorted(drifted)))} == drifted


@given(st.sets(st.sampled_from(sorted(PARTS))))
def test_whatever_is_not_ok_has_a_remedy_and_what_failed_a_cause(drifted: set[str]) -> None:
    for check in not_ok(*(PARTS[ident] for ident in sorted(drifted))):
        assert check.remedy
        assert check.cause or check.verdict is Verdict.UNKNOWN
