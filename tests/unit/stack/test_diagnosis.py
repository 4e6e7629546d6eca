"""The table of symptoms: well formed, and applied to what failed alone."""

from __future__ import annotations

from dataclasses import replace
from fnmatch import fnmatch

import pytest

from operations.stack.build import build
from operations.stack.catalogue import catalogue
from operations.stack.check import Check, Verdict
from operations.stack.diagnosis import Row, explained, explanation, table
from operations.stack.settings import Settings
from operations.stack.snapshot import UNKNOWN, SeenLog, Snapshot
from operations.stack.verdicts import checks
from tests.unit.stack.hosts import PASSWORD, a_stack, converged, metrics_page, with_redis

START = "start"
STACK = a_stack()
WITH_POSTGRES = build({"services": [*Settings().services, "postgres"]}, {"redis_password": PASSWORD, "postgres_password": PASSWORD})
IDS = [check.id.partition("@")[0] for check in checks(WITH_POSTGRES, converged(WITH_POSTGRES))]


def failed(name: str, detail: str = "") -> Check:
    return Check(name, Verdict.FAILED, detail, "the check's own cause", "the check's own remedy")


def complaining(service: str, *errors: str) -> Snapshot:
    return Snapshot(logs={service: SeenLog(errors=errors)})


def row(name: str) -> Row:
    (found,) = (row for row in table() if row.id == name)
    return found


# The table


def test_every_row_has_an_id_of_its_own() -> None:
    names = [row.id for row in table()]
    assert len(set(names)) == len(names) > 10


@pytest.mark.parametrize("row", table(), ids=lambda row: row.id)
def test_every_row_says_what_it_is_about_what_it_means_and_where_it_is_known_from(row: Row) -> None:
    for text in (row.cause, row.remedy, row.source):
        assert text == text.strip() != ""
    assert row.cause.rstrip(")").endswith(".")
    assert row.remedy.rstrip(")").endswith(".")
    assert row.log is None or row.log in catalogue()


@pytest.mark.parametrize("row", table(), ids=lambda row: row.id)
def test_every_row_is_about_checks_that_there_are(row: Row) -> None:
    for pattern in row.checks:
        assert pattern == START or any(fnmatch(name, pattern) for name in IDS), pattern


@pytest.mark.parametrize("row", table(), ids=lambda row: row.id)
def test_no_row_fits_what_says_nothing(row: Row) -> None:
    assert not row.pattern.search("")
    assert not row.pattern.search("running, starting")


# A check that is not ok


@pytest.mark.parametrize("verdict", Verdict)
def test_what_is_ok_needs_no_explanation(verdict: Verdict) -> None:
    check = replace(failed("container.web", "restarting"), verdict=verdict)
    assert (explained(check, STACK, Snapshot()) == check) is verdict.silent


def test_a_symptom_in_what_a_check_found_is_explained() -> None:
    check = explained(failed("container.web", "restarting"), STACK, Snapshot())
    assert (check.cause, check.remedy) == (row("restart-loop").cause, row("restart-loop").remedy)
    assert (check.id, check.verdict, check.detail) == ("container.web", Verdict.FAILED, "restarting")


def test_a_symptom_in_a_log_is_explained_for_the_checks_of_that_service_alone() -> None:
    seen = complaining("redis-exporter", "all is well", 'level=error msg="dial tcp: connection refused"')
    assert explained(failed("exporter.scrape"), STACK, seen).cause == row("exporter-unreachable").cause
    assert explained(failed("redis.ping"), STACK, seen) == failed("redis.ping")
    assert explained(failed("exporter.scrape"), STACK, complaining("redis", "connection refused")) == failed("exporter.scrape")


def test_of_two_rows_that_fit_the_first_counts() -> None:
    seen = complaining("redis-exporter", "connection refused", "WRONGPASS")
    assert explained(failed("exporter.redis_up"), STACK, seen).cause == row("exporter-password").cause


def test_logins_that_redis_refused_to_a_service_explain_it_whatever_it_says_itself() -> None:
    seen = with_redis(refused=(("172.18.0.4", 3.0),))(converged(STACK))
    assert explained(failed("exporter.scrape"), STACK, seen).cause == row("exporter-password").cause
    of_another = with_redis(refused=(("172.18.0.9", 3.0),))(converged(STACK))
    assert explained(failed("exporter.scrape"), STACK, of_another) == failed("exporter.scrape")


def test_the_exporters_own_metrics_of_errors_explain_it() -> None:
    seen = Snapshot(answers={metrics_page(STACK): {'redis_exporter_last_scrape_error{err="dial tcp: i/o timeout"}': 1.0}})
    assert explained(failed("exporter.scrape"), STACK, seen).cause == row("exporter-unreachable").cause
    over = Snapshot(answers={metrics_page(STACK): {'redis_exporter_last_scrape_error{err="dial tcp: i/o timeout"}': 0.0}})
    assert explained(failed("exporter.scrape"), STACK, over) == failed("exporter.scrape")


def test_what_no_row_knows_keeps_its_own_cause() -> None:
    for seen in (Snapshot(), Snapshot(logs=UNKNOWN), complaining("redis-exporter"), complaining("openwebui", "something new")):
        assert explained(failed("exporter.scrape", "odd"), STACK, seen) == failed("exporter.scrape", "odd")


@pytest.mark.parametrize(
    ("detail", "name"),
    [
        ("0 connections, 0 of them subscribed; 0 on Socket.IO's channel", "no-connection"),
        ("2 connections, 0 of them subscribed; 0 on Socket.IO's channel", "no-manager"),
    ],
)
def test_whether_open_webui_does_not_connect_at_all_is_told_apart(detail: str, name: str) -> None:
    assert explained(failed("openwebui.redis_login", detail), STACK, Snapshot()).cause == row(name).cause


def test_ten_connections_are_not_taken_for_none() -> None:
    check = failed("openwebui.redis_login", "10 connections, 0 of them subscribed; 10 on Socket.IO's channel")
    assert explained(check, STACK, Snapshot()) == check


def test_a_watchtower_that_a_new_engine_does_not_answer_is_told_with_its_successor() -> None:
    words = 'level=error msg="Error response from daemon: client version 1.25 is too old. Minimum supported API version is 1.44"'
    for name in ("container.watchtower", "logs.errors"):
        check = explained(failed(name, "restarting"), STACK, complaining("watchtower", words))
        assert 'watchtower_image = "nickfedor/watchtower:1"' in (check.remedy or "")
    assert "nickfedor/watchtower:1" in (explanation(f"watchtower did not start\nwatchtower: log: {words}") or "")


# A start that failed


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Bind for 127.0.0.1:8080 failed: port is already allocated", "port-taken"),
        ("Error response from daemon: No such image: redis:77", "image-missing"),
        ("redis: last health output: NOAUTH Authentication required.", "redis-noauth"),
    ],
)
def test_the_words_of_a_start_that_failed_are_explained(text: str, name: str) -> None:
    assert explanation(f"redis did not start.\n{text}\nmore") == f"{row(name).cause} {row(name).remedy}"


def test_words_that_no_row_knows_are_not() -> None:
    assert explanation("redis did not start: nobody knows why") is None
    assert explanation("") is None
