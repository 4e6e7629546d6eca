"""The checks: all ok where all is as wanted; for each thing that is wrong exactly its check, with cause and remedy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.stack.check import Check, Verdict
from operations.stack.snapshot import UNKNOWN, Snapshot
from operations.stack.stack import Stack
from operations.stack.verdicts import checks
from tests.unit.stack.hosts import (
    OLD_ENGINE,
    OLD_PASSWORD,
    Drift,
    a_stack,
    all_of,
    bare,
    converged,
    sha256,
    with_acl_on_disk,
    with_container,
    with_file,
    with_key,
    with_redis,
    without_container,
    without_file,
)

STACK = a_stack()
IDS = (
    "files.in_sync",
    "container.watchtower",
    "container.redis",
    "container.redis-exporter",
    "container.openwebui",
    "redis.ping",
    "redis.anonymous_refused",
    "redis.data_on_volume",
    "exporter.redis_up",
    "openwebui.health",
)
REDIS_CHECKS = ("redis.ping", "redis.anonymous_refused", "redis.data_on_volume")


def with_probe(ident: str, value: str | None) -> Drift:
    """The probe answers `value`; None: it could not be asked."""

    def drift(seen: Snapshot) -> Snapshot:
        probes = {name: answer for name, answer in seen.probes.items() if name != ident}
        return replace(seen, probes=probes if value is None else {**probes, ident: value})

    return drift


def verdicts(seen: Snapshot, stack: Stack = STACK) -> Mapping[str, Verdict]:
    return {check.id: check.verdict for check in checks(stack, seen)}


def not_ok(*drifts: Drift) -> tuple[Check, ...]:
    """The checks that are not ok on a host where all was as wanted before these drifts."""
    found = checks(STACK, all_of(*drifts)(converged(STACK)))
    return tuple(check for check in found if check.verdict is not Verdict.OK)


def the_bad_one(*drifts: Drift) -> Check:
    (check,) = not_ok(*drifts)
    return check


# All is as wanted


@pytest.mark.parametrize(
    ("stack", "ids"),
    [
        (STACK, IDS),
        (a_stack(redis_image="redis:8"), IDS),
        (a_stack(services=["watchtower"]), ("files.in_sync", "container.watchtower")),
        (
            a_stack(services=["watchtower", "redis"]),
            ("files.in_sync", "container.watchtower", "container.redis", *REDIS_CHECKS),
        ),
    ],
    ids=["all", "official redis", "without redis", "redis alone"],
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
        "files.in_sync": "12 files are as wanted",
        "container.watchtower": "running, healthy",
        "container.redis": "running, healthy",
        "container.redis-exporter": "running",
        "container.openwebui": "running, healthy",
        "redis.ping": "PONG",
        "redis.anonymous_refused": "NOAUTH",
        "redis.data_on_volume": "/opt/erni-ki/data/redis at /data",
        "exporter.redis_up": "redis_up 1",
        "openwebui.health": "status 200",
    }


# Files


@pytest.mark.parametrize(
    ("drift", "detail"),
    [
        (without_file("compose.d/redis.yml"), "compose.d/redis.yml: is missing"),
        (with_file("env/openwebui.env", mode="0644"), "env/openwebui.env: mode is 0644, expected 0600"),
        (with_key("env/redis.env", "REDIS_PASSWORD", None), "env/redis.env: REDIS_PASSWORD is missing"),
        (with_file("secrets/redis/password", sha256=sha256("x")), "secrets/redis/password: content differs"),
        (with_file("secrets/redis/users.acl", mode="0644"), "secrets/redis/users.acl"),
        (
            all_of(without_file(".env"), without_file("compose.yml")),
            "compose.yml: is missing; .env: is missing",
        ),
    ],
)
def test_files_that_are_not_as_wanted_are_named(drift: Drift, detail: str) -> None:
    check = the_bad_one(drift)
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
    stack, old = STACK, sha256(OLD_PASSWORD)
    assert not_ok(with_acl_on_disk(stack.password_hash, old), with_redis(hashes=(stack.password_hash, old))) == ()


# Containers


@pytest.mark.parametrize(
    ("changes", "detail"),
    [
        ({"state": "exited", "health": ""}, "exited"),
        ({"state": "restarting", "health": "unhealthy"}, "restarting, unhealthy"),
        ({"health": "unhealthy"}, "running, unhealthy"),
        ({"health": "starting"}, "running, starting"),
    ],
)
def test_a_container_that_is_not_up_fails_with_its_state(changes: Mapping[str, str], detail: str) -> None:
    check = the_bad_one(with_container("openwebui", **changes))
    assert check == Check(
        "container.openwebui",
        Verdict.FAILED,
        detail,
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


# Probes


@pytest.mark.parametrize(
    ("ident", "value", "detail"),
    [
        ("exporter.redis_up", "0", "redis_up 0, expected 1"),
        ("exporter.redis_up", "", "redis_up no answer, expected 1"),
        ("openwebui.health", "503", "status 503, expected 200"),
        ("openwebui.health", "", "status no answer, expected 200"),
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
        ("files", {"files.in_sync"}),
        ("env", {"files.in_sync"}),
        ("applied", {"files.in_sync"}),
        ("acl", {"files.in_sync"}),
        ("fragments", {"files.in_sync"}),
        (
            "containers",
            {"files.in_sync", "redis.data_on_volume", *(ident for ident in IDS if ident.startswith("container."))},
        ),
        ("redis", {"files.in_sync", *REDIS_CHECKS}),
    ],
)
def test_a_part_that_is_unknown_makes_its_checks_unknown(part: str, unknown: set[str]) -> None:
    nothing: dict[str, Any] = {part: UNKNOWN}
    found = verdicts(replace(converged(STACK), **nothing))
    assert found == {ident: Verdict.UNKNOWN if ident in unknown else Verdict.OK for ident in IDS}


@pytest.mark.parametrize(
    ("part", "ident", "detail"),
    [
        ("containers", "container.redis", "Docker was not observed"),
        ("containers", "redis.data_on_volume", "Docker was not observed"),
        ("redis", "redis.ping", "redis did not answer"),
    ],
)
def test_what_could_not_be_seen_is_said(part: str, ident: str, detail: str) -> None:
    nothing: dict[str, Any] = {part: UNKNOWN}
    found = {check.id: check for check in checks(STACK, replace(converged(STACK), **nothing))}
    assert found[ident].detail == detail
    assert found[ident].remedy


def test_the_files_that_could_not_be_seen_are_named() -> None:
    seen = replace(converged(STACK), acl=UNKNOWN, applied=UNKNOWN)
    assert checks(STACK, seen)[0].detail == "not observed: applied, acl"


def test_nothing_is_ok_on_a_host_that_did_not_answer() -> None:
    assert set(verdicts(Snapshot()).values()) == {Verdict.UNKNOWN}
    assert tuple(verdicts(Snapshot())) == IDS


def test_nothing_is_ok_on_a_bare_host() -> None:
    assert Verdict.OK not in verdicts(bare(STACK)).values()


# All together

PARTS: Mapping[str, Drift] = {
    "files.in_sync": with_file("env/redis.env", mode="0666"),
    "container.watchtower": with_container("watchtower", state="dead"),
    "container.openwebui": with_container("openwebui", health="unhealthy"),
    "container.redis-exporter": without_container("redis-exporter"),
    "redis.ping": with_redis(login="WRONGPASS no"),
    "redis.anonymous_refused": with_redis(anonymous="PONG"),
    "redis.data_on_volume": with_redis(directory="/"),
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
