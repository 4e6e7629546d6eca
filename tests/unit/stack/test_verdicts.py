"""The checks together: all ok where all is as wanted, exactly those of what is wrong not ok, and none where nothing is seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.services.redis.seen import SeenClient
from operations.stack.check import Check, Verdict
from operations.stack.fingerprint import fingerprint
from operations.stack.snapshot import UNKNOWN, SeenLiteral, SeenLog, SeenMachine, Snapshot
from operations.stack.stack import Stack
from operations.stack.verdicts import checks
from tests.unit.stack.checked import (
    CLIENT,
    CLIENT_IDS,
    HOST_CHECKS,
    IDS,
    NEW,
    OLD,
    PASSWORD_CHECKS,
    REDIS_CHECKS,
    STACK,
    not_ok,
    the_check,
    verdicts,
    with_logs,
    with_metrics,
    with_probe,
)
from tests.unit.stack.hosts import (
    NOW,
    OLD_ENGINE,
    Drift,
    a_stack,
    bare,
    converged,
    unseen,
    with_acl_on_disk,
    with_container,
    with_file,
    with_redis,
    without_container,
)

ABOUT_NO_HOST = {"password.rule"}


# All is as wanted

# the guide's own redis gets no more releases
ENDED = {"image.maintained": Verdict.WARNING}


@pytest.mark.parametrize(
    ("stack", "ids"),
    [
        (STACK, IDS),
        (a_stack(redis_image="redis:8"), IDS),
        (
            a_stack(services=["watchtower"]),
            ("files.in_sync", "container.watchtower", "image.same", "image.maintained", *HOST_CHECKS),
        ),
        (
            a_stack(services=["watchtower", "redis"]),
            (
                "files.in_sync",
                "container.watchtower",
                "container.redis",
                "image.same",
                "image.maintained",
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
    of_the_guide = ENDED if stack.has("redis") and stack.settings.redis_image == STACK.settings.redis_image else {}
    assert verdicts(converged(stack), stack) == dict.fromkeys(ids, Verdict.OK) | of_the_guide


def test_an_older_engine_is_as_good() -> None:
    assert verdicts(converged(STACK, OLD_ENGINE)) == dict.fromkeys(IDS, Verdict.OK) | ENDED


def test_checks_come_in_the_order_of_the_services() -> None:
    assert tuple(check.id for check in checks(STACK, converged(STACK))) == IDS


def test_a_check_that_is_ok_says_what_was_found() -> None:
    details = {check.id: check.detail for check in checks(STACK, converged(STACK))}
    assert details == {
        "files.in_sync": "14 files are as desired",
        "container.watchtower": "running, healthy",
        "container.redis": "running, healthy",
        "container.redis-exporter": "running",
        "container.openwebui": "running, healthy",
        "image.same": "0 of 4 services have a pinned image, and run it",
        "image.maintained": "redis: redis/redis-stack:latest had its last release in 2025-12",
        "password.rule": "letters, digits, - and _, at least 20 of them",
        "password.consistent": f"fingerprint {fingerprint(NEW)} in 7 places",
        "url.form": "3 URLs are redis://:<password>@<host>:<port>",
        "redis.ping": "PONG",
        "redis.anonymous_refused": "NOAUTH",
        "redis.client_login": "openwebui as default, redis-exporter as default",
        "redis.data_on_volume": "/opt/erni-ki/data/redis at /data",
        "redis.single_password": f"accepts {fingerprint(NEW)} alone",
        "redis.old_password_refused": f"accepts {fingerprint(NEW)}",
        "redis.memory_policy": "no limit; allkeys-lru would hold where there is one",
        "redis.rejected_connections": "0 since its start",
        "redis.evicted_keys": "0 since its start",
        "redis.closed_buffers": "0 since its start",
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


# What cannot be seen is never ok


@pytest.mark.parametrize(
    ("part", "unknown"),
    [
        ("engine", {"files.in_sync"}),
        ("files", {"files.in_sync", *PASSWORD_CHECKS}),
        ("env", {"files.in_sync", "settings.websocket", *PASSWORD_CHECKS}),
        ("applied", {"files.in_sync"}),
        ("texts", {"files.in_sync", *PASSWORD_CHECKS}),
        ("fragments", {"files.in_sync"}),
        (
            "containers",
            {
                "files.in_sync",
                "image.same",
                "image.maintained",
                "redis.client_login",
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
    assert found == dict.fromkeys(IDS, Verdict.OK) | ENDED | dict.fromkeys(unknown, Verdict.UNKNOWN)


@pytest.mark.parametrize(
    ("part", "ident", "detail"),
    [
        ("containers", "container.redis", "Docker was not observed"),
        ("containers", "redis.data_on_volume", "Docker was not observed"),
        ("redis", "redis.ping", "redis did not answer"),
        ("redis", "redis.single_password", "redis did not answer"),
        ("redis", "redis.old_password_refused", "redis did not answer"),
        ("redis", "openwebui.redis_login", "redis did not answer"),
        ("texts", "password.consistent", "not observed"),
        ("logs", "logs.errors", "logs were not read"),
        ("machine", "disk.space", "not observed"),
    ],
)
def test_what_could_not_be_seen_is_said(part: str, ident: str, detail: str) -> None:
    check = the_check(ident, unseen(part))
    assert check.detail == detail
    assert check.remedy


def test_the_files_that_could_not_be_seen_are_named() -> None:
    seen = replace(converged(STACK), texts=UNKNOWN, applied=UNKNOWN)
    assert checks(STACK, seen)[0].detail == "not observed: applied, texts"


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
    "redis.client_login": lambda seen: with_redis(clients=(*seen.answer("redis").clients, SeenClient("172.18.0.5", "somebody", 0)))(
        seen
    ),
    "redis.data_on_volume": with_redis(directory="/"),
    "redis.single_password": with_acl_on_disk(NEW, OLD),
    "redis.old_password_refused": with_redis(hashes=(), denied="NOPERM no"),
    "openwebui.redis_login": with_redis(listeners=0),
    "logs.auth_errors": with_logs(openwebui=SeenLog(refused=1)),
    "logs.errors": with_logs(redis=SeenLog(errors=("ERROR",))),
    "exporter.scrape": with_metrics(redis_up=0),
    "compose.no_literal_password": lambda seen: replace(seen, literals=(SeenLiteral("compose.yml", 1),)),
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
