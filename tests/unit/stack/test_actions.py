"""What a plan does, compared with what another one for the same stack would do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from operations.stack.fingerprint import fingerprint
from operations.stack.plan import Plan, plan
from operations.stack.snapshot import Snapshot
from tests.unit.stack.hosts import (
    ENGINE,
    OLD_PASSWORD,
    PASSWORD,
    a_stack,
    all_of,
    bare,
    converged,
    sha256,
    unseen,
    with_acl_on_disk,
    with_container,
    with_file,
    with_redis,
    without_container,
    without_file,
)
from tests.unit.stack.plans import OPENWEBUI, STACK, before_the_rollout

NEW, OLD, THEIRS = sha256(PASSWORD), sha256(OLD_PASSWORD), sha256("Another_Operators-0123456789")


def more(now: Snapshot, shown: Snapshot) -> list[str]:
    """What a host takes now besides what was shown, as a person reads it."""
    return sorted(map(str, plan(STACK, now).actions - plan(STACK, shown).actions))


def test_a_converged_host_takes_nothing() -> None:
    assert plan(STACK, converged(STACK)).actions == frozenset()


@pytest.mark.parametrize("host", [before_the_rollout(), bare(STACK)])
def test_whatever_is_due_is_an_action(host: Snapshot) -> None:
    due = plan(STACK, host)
    assert due.actions
    words = " ".join(map(str, due.actions))
    assert all(change.path in words for change in due.files)
    assert all(f"start {service}" in words for service, _ in due.start)


def test_the_same_and_less_is_no_more() -> None:
    shown = before_the_rollout()
    assert more(shown, shown) == []
    assert more(converged(STACK), shown) == []
    assert more(all_of(with_file(OPENWEBUI, sha256="edited"))(shown), shown) == []


def test_another_reason_is_no_other_action() -> None:
    stopped = with_container("openwebui", state="exited")(converged(STACK))
    gone = without_container("openwebui")(converged(STACK))
    assert plan(STACK, stopped).start != plan(STACK, gone).start
    assert more(gone, stopped) == []


def test_a_password_that_another_operator_rolled_out_is_more() -> None:
    theirs = all_of(with_acl_on_disk(THEIRS), with_redis(hashes=(THEIRS,)))(before_the_rollout())
    told = more(theirs, before_the_rollout())
    assert f"accept redis's password (default {fingerprint(THEIRS)})" in told
    assert f"refuse redis's password (default {fingerprint(THEIRS)})" in told


def test_a_password_that_would_be_refused_and_was_not_shown_is_more() -> None:
    """The wanted one is accepted already, so nothing is written before the retirement."""
    shown = all_of(with_acl_on_disk(NEW, OLD), with_redis(hashes=(NEW, OLD)))(converged(STACK))
    theirs = all_of(with_acl_on_disk(NEW, THEIRS), with_redis(hashes=(NEW, THEIRS)))(converged(STACK))
    assert plan(STACK, theirs).accept == plan(STACK, shown).accept == ()
    assert more(theirs, shown) == [f"refuse redis's password (default {fingerprint(THEIRS)})"]


def test_a_password_that_somebody_else_retired_meanwhile_is_less() -> None:
    shown = all_of(with_acl_on_disk(NEW, OLD), with_redis(hashes=(NEW, OLD)))(converged(STACK))
    assert more(converged(STACK), shown) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (with_file("compose.d/redis.yml", sha256="edited"), "write compose.d/redis.yml"),
        (without_file("env/redis-exporter.env"), "write env/redis-exporter.env"),
        (without_container("redis-exporter"), "start redis-exporter"),
        (with_file("env/openwebui.env", mode="0644"), "write env/openwebui.env (mode and owner)"),
    ],
)
def test_what_was_changed_by_hand_meanwhile_is_more(change: object, told: str) -> None:
    shown = with_file("compose.d/watchtower.yml", sha256="edited")(converged(STACK))
    assert callable(change)
    assert told in more(change(shown), shown)


def test_a_file_whose_content_is_written_gets_its_mode_too() -> None:
    shown = without_file("env/openwebui.env")(before_the_rollout())
    assert more(with_file("env/openwebui.env", mode="0644")(before_the_rollout()), shown) == []


def test_with_the_engine_come_actions_that_could_not_be_shown() -> None:
    blind = replace(unseen("containers", "redis")(before_the_rollout()), engine=replace(ENGINE, jq=False))
    other = with_redis(hashes=(OLD, THEIRS))(before_the_rollout())
    assert f"accept redis's password (default {fingerprint(THEIRS)})" in more(other, blind)


def test_wording_and_order_do_not_count() -> None:
    assert Plan(start=(("a", "x"), ("b", "y"))).actions == Plan(start=(("b", "z"), ("a", "z"))).actions
    assert plan(a_stack(), before_the_rollout()).actions == plan(STACK, before_the_rollout()).actions
