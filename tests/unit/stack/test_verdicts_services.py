"""The checks of the services: whether they run, answer, and are let in by redis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from operations.services.redis.seen import SeenClient
from operations.stack.check import Check, Verdict
from operations.stack.snapshot import UNKNOWN, SeenLog, Snapshot
from tests.unit.stack.checked import CLIENT, STACK, not_ok, the_bad_one, the_check, with_logs, with_metrics, with_probe
from tests.unit.stack.hosts import Drift, metrics_page, unseen, with_answer, with_container, with_key, with_redis, without_container

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


def test_refused_logins_in_open_webuis_log_fail() -> None:
    check = the_bad_one(with_logs(openwebui=SeenLog(refused=3)))
    assert (check.id, check.verdict) == ("logs.auth_errors", Verdict.FAILED)
    assert check.detail == "3 lines since its start are about a refused login"


@pytest.mark.parametrize(
    ("drift", "detail"),
    [
        (with_metrics(redis_up=0), "redis_up 0, 4 clients, 1.5 MiB, 0 denied logins"),
        (
            with_metrics(**{'redis_exporter_last_scrape_error{err="dial"}': 1}),
            'redis_up 1, 4 clients, 1.5 MiB, 0 denied logins; redis_exporter_last_scrape_error{err="dial"}',
        ),
        (with_answer(metrics_page(STACK), {}), "no metrics"),
        (unseen(metrics_page(STACK)), "no metrics"),
    ],
)
def test_an_exporter_that_cannot_read_redis_fails(drift: Drift, detail: str) -> None:
    check = the_bad_one(drift)
    assert (check.id, check.verdict, check.detail) == ("exporter.scrape", Verdict.FAILED, detail)


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
