"""Redis' limits: options of redis as a setting has them, and what they cost since a run last looked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from operations.services.redis.acl import redis_args
from operations.services.redis.limits import COUNTERS
from operations.stack.check import Verdict
from operations.stack.settings import Settings
from tests.unit.stack.checked import STACK, the_check
from tests.unit.stack.hosts import Drift, a_stack, converged, redis_of, with_redis
from tests.unit.stack.plans import due_after
from tests.unit.stack.settings_told import only_problem

START = "f" * 40
CHECKS = [(counter, name) for counter, (name, _, _) in COUNTERS.items()]


def server(**changes: Any) -> Drift:
    return with_redis(server=replace(converged(STACK).answer("redis").server, **changes))


def noted(**counted: str) -> Drift:
    """A run noted this, of the redis that runs."""
    return lambda seen: replace(seen, counted={"redis": {"start": START, **counted}})


def test_without_further_options_redis_is_started_as_before() -> None:
    assert redis_args(Settings()).endswith("--maxmemory-policy allkeys-lru --loglevel notice")


def test_further_options_are_words_of_its_line() -> None:
    config = {"timeout": 1800, "client-output-buffer-limit": "normal 0 0 0 pubsub 64mb 16mb 60"}
    words = redis_args(Settings.parse({"redis_config": config}))
    assert words.endswith("--loglevel notice --timeout 1800 --client-output-buffer-limit normal 0 0 0 pubsub 64mb 16mb 60")


def test_another_option_is_shown_before_redis_is_recreated_for_it() -> None:
    changed = a_stack(redis_config={"maxclients": 20000})
    due = due_after(lambda _: converged(STACK), stack=changed)
    assert ("redis", "its fragment changes") in due.start
    assert "start redis: its fragment changes" in due.sentences()


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        ({"save": "60 1"}, "redis_config: save: is set by this library. Remove it; the setting is redis_save."),
        ({"dir": "/tmp"}, "redis_config: dir: is set by this library. Remove it."),
        ({"Timeout 5": 1}, "redis_config: Timeout 5: is no name of an option; see redis' configuration reference."),
        (
            {"timeout": "1; reboot"},
            "redis_config: timeout: is '1; reboot', expected a number, or plain words such as \"pubsub 64mb 16mb 60\".",
        ),
        (
            {"timeout": True},
            'redis_config: timeout: is True, expected a number, or plain words such as "pubsub 64mb 16mb 60".',
        ),
    ],
)
def test_what_would_not_be_one_option_is_refused(config: dict[str, Any], problem: str) -> None:
    assert only_problem(redis_config=config) == problem


@pytest.mark.parametrize(
    ("limit", "policy", "verdict"),
    [
        (0, "allkeys-lru", Verdict.OK),
        (2**30, "noeviction", Verdict.OK),
        (2**30, "allkeys-lru", Verdict.WARNING),
        (2**30, "volatile-ttl", Verdict.WARNING),
    ],
)
def test_a_policy_that_throws_keys_away_matters_where_memory_has_a_limit(limit: int, policy: str, verdict: Verdict) -> None:
    assert the_check("redis.memory_policy", server(limit=limit, policy=policy)).verdict is verdict


@pytest.mark.parametrize(("counter", "name"), CHECKS)
def test_what_was_counted_since_a_run_noted_it_is_a_warning(counter: str, name: str) -> None:
    check = the_check(name, server(counted={counter: 5}), noted(**{counter: "3"}))
    assert (check.verdict, check.detail) == (Verdict.WARNING, "2 since the last run that changed something")
    assert check.cause
    assert check.remedy
    assert the_check(name, server(counted={counter: 3}), noted(**{counter: "3"})).verdict is Verdict.OK


@pytest.mark.parametrize(("counter", "name"), CHECKS)
def test_a_restart_begins_to_count_anew(counter: str, name: str) -> None:
    check = the_check(name, server(counted={counter: 2}, start="e" * 40), noted(**{counter: "3"}))
    assert (check.verdict, check.detail) == (Verdict.WARNING, "2 since its start")


@pytest.mark.parametrize("written", ["99", "-1", "much", "9" * 30])
def test_a_note_that_cannot_be_counts_for_nothing(written: str) -> None:
    check = the_check("redis.evicted_keys", server(counted={"evicted_keys": 5}), noted(evicted_keys=written))
    assert check.detail.startswith("5 since")


def test_a_redis_that_does_not_count_one_of_them_is_not_asked_for_it() -> None:
    assert the_check("redis.closed_buffers", server(counted={})).verdict is Verdict.SKIPPED
    assert the_check("redis.memory_policy", server(start="")).verdict is Verdict.SKIPPED


def test_a_run_notes_what_was_counted() -> None:
    seen = server(counted={"evicted_keys": 5})(converged(STACK))
    assert redis_of(STACK).counters(seen) == {"start": START, "evicted_keys": "5"}
