"""The plan for redis and its password: accepted beside the old one, switched to and retired, wherever a run stopped."""

from __future__ import annotations

import pytest

from operations.stack.build import build
from operations.stack.plan import Plan, plan
from operations.stack.snapshot import Snapshot
from operations.stack.stack import Stack
from tests.unit.stack.hosts import (
    ACL_PATH,
    OLD_PASSWORD,
    PASSWORD,
    PASSWORD_PATH,
    Drift,
    a_client,
    a_stack,
    accepting,
    all_of,
    bare,
    converged,
    sha256,
    shared,
    unseen,
    with_acl_on_disk,
    with_answer,
    with_file,
    with_password_file_of,
    with_redis,
    without_container,
    without_file,
)
from tests.unit.stack.plans import (
    NEW,
    OLD,
    OPENWEBUI,
    STACK,
    a_plan,
    access,
    before_the_rollout,
    differs,
    due_after,
    missing,
    of_redis,
    rollout,
)


def test_a_changed_password_is_accepted_beside_the_old_one_which_is_then_retired() -> None:
    assert plan(STACK, before_the_rollout()) == rollout()


def test_a_changed_password_neither_starts_redis_nor_asks_compose() -> None:
    due = plan(STACK, before_the_rollout())
    assert "redis" not in dict(due.start)
    assert not due.recheck


def test_a_rollout_that_was_killed_after_accept_goes_on_with_the_switch() -> None:
    killed = all_of(with_acl_on_disk(NEW, OLD), with_redis(hashes=(NEW, OLD)))
    assert plan(STACK, killed(before_the_rollout())) == rollout(accept=())


def test_a_rollout_that_was_killed_before_redis_read_its_file_accepts_again() -> None:
    assert plan(STACK, with_acl_on_disk(NEW, OLD)(before_the_rollout())) == rollout(accept=(NEW, OLD))


def test_a_rollout_that_was_killed_before_retire_retires() -> None:
    switched = all_of(with_acl_on_disk(NEW, OLD), with_redis(hashes=(NEW, OLD)))
    assert due_after(switched) == a_plan(retire=True)


def test_a_retired_password_that_redis_still_accepts_is_retired_again() -> None:
    assert due_after(with_redis(hashes=(NEW, OLD))) == a_plan(retire=True)


def test_a_password_on_disk_that_redis_did_not_read_yet_is_retired() -> None:
    assert due_after(with_acl_on_disk(NEW, OLD)) == a_plan(retire=True)


def test_a_second_change_in_the_middle_of_a_rollout_keeps_every_password_that_clients_may_use() -> None:
    newest = "the-Password_of-tomorrow-5"
    halfway = all_of(with_acl_on_disk(NEW, OLD), with_redis(hashes=(NEW, OLD)))(before_the_rollout())
    due = plan(a_stack(newest), halfway)
    assert of_redis(due).accept == shared(sha256(newest), NEW, OLD)
    assert of_redis(due).retire


def test_a_password_that_only_the_running_redis_knows_is_kept_until_it_is_retired() -> None:
    other = sha256("set by hand with ACL SETUSER")
    due = plan(STACK, with_redis(hashes=(OLD, other))(before_the_rollout()))
    assert of_redis(due).accept == shared(NEW, OLD, other)


def test_a_redis_that_forgot_the_wanted_password_reads_its_file_again() -> None:
    assert due_after(with_redis(hashes=(OLD,))) == a_plan(accept=(NEW, OLD), retire=True)


def test_what_a_redis_that_is_no_longer_wanted_left_behind_is_nobodys_business() -> None:
    def left(seen: Snapshot) -> Snapshot:
        return with_answer("redis", converged(STACK).answer("redis"))(accepting(seen, OLD))

    assert due_after(left, stack=a_stack(services=["watchtower"])) == Plan()


def test_a_missing_acl_file_is_written_and_read_by_the_redis_that_runs() -> None:
    assert due_after(without_file(ACL_PATH)) == a_plan(accept=(NEW,))


def test_a_missing_acl_file_keeps_what_clients_of_the_redis_that_runs_may_still_use() -> None:
    due = plan(STACK, without_file(ACL_PATH)(before_the_rollout()))
    assert of_redis(due).accept == shared(NEW, OLD)


def test_a_missing_acl_file_of_a_redis_that_does_not_run_is_written_with_the_other_files() -> None:
    lost = all_of(without_file(ACL_PATH), without_container("redis"))
    assert due_after(lost) == a_plan(secrets=(missing(ACL_PATH),), start=(("redis", "it has no container"),))


def test_the_acl_file_of_a_redis_that_does_not_run_keeps_the_others() -> None:
    # its clients come back with what they were started with
    due = plan(STACK, without_container("redis")(before_the_rollout()))
    assert of_redis(due).accept == shared(NEW, OLD)
    assert of_redis(due).retire


@pytest.mark.parametrize(
    "drift",
    [
        with_file(ACL_PATH, mode="0644"),
        with_file(ACL_PATH, owner="1000:1000"),
        with_file(ACL_PATH, sha256=sha256("with another user")),
    ],
    ids=["mode", "owner", "content"],
)
def test_an_acl_file_that_is_not_as_wanted_is_written(drift: Drift) -> None:
    assert due_after(drift) == a_plan(accept=(NEW,))


def test_the_official_image_gets_files_of_its_own_user() -> None:
    stack = a_stack(redis_image="redis:8")
    due = due_after(with_file(ACL_PATH, owner="0:0"), with_file(PASSWORD_PATH, owner="0:0"), stack=stack)
    assert due == a_plan(accept=(NEW,), secrets=(access(PASSWORD_PATH, "owner is 0:0, expected 999:999"),))


def test_a_password_file_of_another_password_is_written() -> None:
    assert due_after(with_password_file_of(OLD_PASSWORD)) == a_plan(secrets=(differs(PASSWORD_PATH),))


def test_a_password_file_that_others_can_read_is_put_right() -> None:
    assert due_after(with_file(PASSWORD_PATH, mode="0644")) == a_plan(
        secrets=(access(PASSWORD_PATH, "mode is 0644, expected 0600"),)
    )


def test_a_missing_password_file_is_written() -> None:
    assert due_after(without_file(PASSWORD_PATH)) == a_plan(secrets=(missing(PASSWORD_PATH),))


def test_a_redis_that_takes_no_password_on_the_host_is_restarted_to_read_its_file() -> None:
    due = due_after(with_redis(hashes=(), nowhere=True))
    assert due == a_plan(restarts=True)
    assert list(due.sentences()) == [
        "redis: its server is restarted, which takes some seconds: it accepts no password that is on this host"
    ]


def test_such_a_redis_that_is_started_anyway_is_not_restarted_too() -> None:
    due = due_after(with_redis(hashes=(), nowhere=True), without_file("compose.d/redis.yml"))
    assert set(dict(due.start)) == {"redis"}
    assert not of_redis(due).restarts


def test_a_restart_would_not_help_a_redis_whose_file_has_another_password() -> None:
    assert not of_redis(plan(STACK, with_redis(hashes=(), nowhere=True)(before_the_rollout()))).restarts


# A redis that does not let its ACL be changed

DENIED = "NOPERM User default has no permissions to run the 'acl|getuser' command"


def strict(hashes_on_disk: tuple[str, ...]) -> Drift:
    """redis does not tell what it accepts; that is seen from its file alone."""
    return all_of(with_acl_on_disk(*hashes_on_disk), with_redis(hashes=(), denied=DENIED))


def test_a_redis_that_does_not_let_its_acl_be_read_is_as_its_file_says() -> None:
    assert due_after(strict((NEW,))) == a_plan(denied=DENIED)
    assert not due_after(strict((NEW,))).due
    assert list(due_after(strict((NEW,))).sentences()) == []


def test_a_rollout_tells_that_such_a_redis_is_restarted() -> None:
    due = plan(STACK, strict((OLD,))(before_the_rollout()))
    assert due == rollout(denied=DENIED)
    assert list(due.sentences())[:2] == [
        "redis: accept, switch redis-exporter and openwebui, retire",
        f"redis: its server is restarted, which takes some seconds: it does not let what it accepts be changed ({DENIED})",
    ]


def test_only_where_its_acl_changes_a_restart_is_told() -> None:
    due = due_after(strict((NEW,)), without_file(OPENWEBUI))
    assert [line for line in due.sentences() if "restarted" in line] == []


# Another host's redis

CLIENT = a_client()


def client_after(*drifts: Drift, stack: Stack = CLIENT) -> Plan:
    """The plan for a host that uses another's redis, on which all was as wanted before these drifts."""
    return plan(stack, all_of(*drifts)(converged(stack)))


def test_a_client_is_switched_and_neither_accepts_nor_retires() -> None:
    due = plan(CLIENT, converged(a_client(OLD_PASSWORD)))
    assert due == a_plan(
        env=(differs(OPENWEBUI, "REDIS_URL differs", "WEBSOCKET_REDIS_URL differs"),),
        secrets=(differs(PASSWORD_PATH),),
        start=(("openwebui", "its env file changes"),),
    )


def test_that_another_hosts_redis_accepts_two_passwords_is_not_the_clients_business() -> None:
    assert client_after(with_redis(hashes=(NEW, OLD))) == a_plan()


def test_a_clients_password_file_is_its_own() -> None:
    assert client_after(without_file(PASSWORD_PATH)) == a_plan(secrets=(missing(PASSWORD_PATH),))
    assert client_after(with_file(PASSWORD_PATH, owner="1000:1000")) == a_plan()


def test_a_client_whose_redis_cannot_be_reached_is_changed_all_the_same() -> None:
    # the redis of a host that is bare itself is not there yet
    assert client_after(unseen("redis"), without_file(OPENWEBUI)) == client_after(without_file(OPENWEBUI))


def test_everything_is_due_on_a_bare_client() -> None:
    due = plan(CLIENT, bare(CLIENT))
    assert due.secrets == (missing(PASSWORD_PATH),)
    assert due.start == (("openwebui", "it has no container"),)
    assert (of_redis(due).accept, of_redis(due).retire) == ((), False)


def test_another_address_of_the_redis_is_written_to_the_urls() -> None:
    moved = build({"services": ["openwebui"], "redis_host": "redis-1"}, {"redis_password": PASSWORD}, {"redis": "10.0.0.6:6379"})
    assert plan(moved, converged(CLIENT)).env == (differs(OPENWEBUI, "REDIS_URL differs", "WEBSOCKET_REDIS_URL differs"),)


def test_a_redis_that_others_use_is_published() -> None:
    due = plan(a_stack(redis_publish="10.0.0.5", redis_tls="off"), converged(STACK))
    assert due == a_plan(
        project=(differs("compose.d/redis.yml"),),
        start=(("redis", "its fragment changes"),),
        recheck=True,
    )
