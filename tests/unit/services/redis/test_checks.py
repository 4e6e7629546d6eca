"""The checks of the password and of redis: it is the same at all its places, and redis accepts no other."""

from __future__ import annotations

import pytest

from operations.stack.check import Check, Verdict
from operations.stack.fingerprint import fingerprint
from operations.stack.snapshot import Snapshot
from operations.stack.verdicts import checks
from tests.unit.stack.checked import CLIENT, NEW, OLD, STACK, not_ok, the_bad_one, the_check, verdicts
from tests.unit.stack.hosts import (
    OLD_PASSWORD,
    PASSWORD,
    Drift,
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
    without_file,
)

# Redis


@pytest.mark.parametrize(
    ("login", "detail"),
    [
        ("WRONGPASS invalid username-password pair or user is disabled.", None),
        ("NOAUTH Authentication required.", None),
        ("", "no answer, expected PONG"),
    ],
)
def test_a_login_that_does_not_work_fails_with_what_redis_says(login: str, detail: str | None) -> None:
    check = the_bad_one(with_redis(login=login))
    assert (check.id, check.verdict) == ("redis.ping", Verdict.FAILED)
    assert check.detail == (detail or f"{login}, expected PONG")
    assert check.cause
    assert check.remedy


@pytest.mark.parametrize("said", ["LOADING Redis is loading the dataset in memory", "ERR max number of clients reached"])
@pytest.mark.parametrize(("name", "field"), [("redis.ping", "login"), ("redis.anonymous_refused", "anonymous")])
def test_what_is_about_no_login_is_no_verdict_on_one(name: str, field: str, said: str) -> None:
    check = the_check(name, with_redis(**{field: said}))
    assert (check.verdict, check.detail) == (Verdict.UNKNOWN, f"redis says: {said}")
    assert check.cause is not None
    assert "password is not" not in check.cause


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
    assert ".venv/bin/python -m operations secrets new" in (check.remedy or "")
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


def test_a_password_in_the_env_file_of_a_client_of_the_projects_own_counts_too() -> None:
    stack = a_stack(clients={"n8n": {"env/n8n.env": {"CELERY_BROKER": "{redis.url}", "HOST": "{redis.host}"}}})
    assert the_check("url.form", stack=stack).detail.startswith("4 URLs")
    check = the_check("password.consistent", with_key("env/n8n.env", "CELERY_BROKER", "CELERY_BROKER=x"), stack=stack)
    assert check.detail == "another password in CELERY_BROKER in env/n8n.env"


def test_a_redis_that_does_not_tell_what_it_accepts_is_no_place() -> None:
    assert the_check("password.consistent", with_redis(hashes=(), denied="NOPERM no")).detail.endswith(" in 6 places")


def test_a_client_has_no_acl_file_and_no_redis_itself() -> None:
    assert the_check("password.consistent", stack=CLIENT).detail == f"fingerprint {fingerprint(NEW)} in 3 places"
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
    assert bad["single_password"].detail == f"2 passwords are accepted, also {fingerprint(OLD)}"
    assert "rollout has not ended" in (bad["single_password"].cause or "")
    if "old_password_refused" in bad:
        assert bad["old_password_refused"].detail == f"accepts {fingerprint(NEW)}, {fingerprint(OLD)}, expected {fingerprint(NEW)}"


def test_since_when_it_is_accepted_is_told_from_the_acl_file() -> None:
    since = with_file("secrets/redis/users.acl", changed=1_764_000_000)
    other = sha256("a third")
    check = the_check("redis.single_password", with_acl_on_disk(NEW, OLD, other), with_redis(hashes=(NEW, OLD)), since)
    assert check.detail == f"3 passwords are accepted since 2025-11-24T16:00:00Z, also {fingerprint(OLD)}, {fingerprint(other)}"


def test_a_redis_that_accepts_only_another_password_fails() -> None:
    check = the_check("redis.old_password_refused", with_redis(hashes=(OLD,)))
    assert (check.verdict, check.detail) == (Verdict.FAILED, f"accepts {fingerprint(OLD)}, expected {fingerprint(NEW)}")
    assert the_check("redis.single_password", with_redis(hashes=(OLD,))).verdict is Verdict.FAILED


def test_a_redis_that_does_not_accept_the_wanted_password_is_not_said_to_accept_two() -> None:
    alone = the_check("redis.single_password", with_acl_on_disk(OLD), with_redis(hashes=(OLD,)))
    assert (alone.verdict, alone.detail) == (Verdict.FAILED, f"accepts {fingerprint(OLD)}, expected {fingerprint(NEW)}")


def test_a_redis_that_does_not_tell_what_it_accepts_is_unknown() -> None:
    check = the_bad_one(with_redis(hashes=(), denied="NOPERM User default has no permissions"))
    assert (check.id, check.verdict) == ("redis.old_password_refused", Verdict.UNKNOWN)
    assert check.detail == "redis does not say: NOPERM User default has no permissions"
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
    check = the_check("redis.ping", with_redis(login=""), stack=CLIENT)
    assert check == Check(
        "redis.ping",
        Verdict.FAILED,
        "no answer, expected PONG",
        "The password in secrets/redis/password is not one that redis at 10.0.0.5:6379 accepts.",
        "Run the deploy for redis-1 and this host together.",
    )


def test_what_only_redis_own_host_can_see_is_not_asked_of_a_client() -> None:
    found = with_redis(anonymous="PONG", directory="/", hashes=(NEW, OLD))
    assert not_ok(found, stack=CLIENT) == ()
