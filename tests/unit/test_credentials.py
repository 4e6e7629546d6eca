"""What a server accepts before and after its clients are switched, and when the previous password is not retired."""

from __future__ import annotations

import base64
from types import SimpleNamespace

import pytest

from operations import credentials, lock
from operations.controller.host_plan import HostPlan
from tests.unit.generators import AHost, Ran, Stage
from tests.unit.stack.hosts import a_stack, converged
from tests.unit.stack.plans import NEW, OLD, before_the_rollout

STACK = a_stack()
ROLLOUT = HostPlan(STACK, before_the_rollout())


def acl(ran: Ran) -> str:
    """The ACL file that is written."""
    return base64.b64decode(ran.words("files/put", "files")[4]).decode()


def test_the_new_password_is_accepted_beside_the_old_one(stage: Stage) -> None:
    ran = stage.on(AHost(), credentials.accept, ROLLOUT)
    assert ran.scripts == ["services/redis/set_users", "files/put"]
    assert (NEW in acl(ran), OLD in acl(ran)) == (True, True)


def test_at_the_end_it_alone_is_accepted_and_the_old_one_must_be_refused(stage: Stage) -> None:
    ran = stage.on(AHost(), credentials.retire, ROLLOUT)
    assert (NEW in acl(ran), OLD in acl(ran)) == (True, False)
    assert ran.parameters("services/redis/set_users")["retired"] is True


@pytest.mark.parametrize(
    ("operation", "says"), [("accept", "the desired passwords are accepted"), ("retire", "no other password is accepted")]
)
def test_where_it_is_accepted_alone_nothing_is_done(stage: Stage, operation: str, says: str) -> None:
    ran = stage.on(AHost(), getattr(credentials, operation), HostPlan(STACK, converged(STACK)))
    assert (ran.yielded, ran.host.told) == ([], [says])


def test_others_are_refused_only_while_the_lock_is_this_runs_own(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "_owners", {"erni-1": '{"run": "this-run"}'})
    ran = stage.on(AHost(), credentials.retire, ROLLOUT)
    assert ran.scripts == ["lock/ours"]
    assert ran.parameters("lock/ours")["then"] == "services/redis/set_users files/put"


@pytest.mark.parametrize(
    ("here", "well", "retired"),
    [(True, True, True), (True, False, False), (False, False, False)],
    ids=["well", "failed", "no part of the run"],
)
def test_while_a_host_that_shares_the_server_is_not_verified_both_stay(stage: Stage, here: bool, well: bool, retired: bool) -> None:
    host, other = AHost(), AHost("erni-2")
    host.state.inventory = SimpleNamespace(hosts={"erni-1": host, **({"erni-2": other} if here else {})})
    host.state.active_hosts = {host, other} if well else {host}
    ran = stage.on(host, credentials.retire, ROLLOUT, ("erni-1", "erni-2"))
    assert (ran.scripts != []) is retired
    assert any("erni-2 uses the same server and was not verified" in text for text in host.told) is not retired


def test_a_host_that_was_unwell_before_too_keeps_nobody_waiting(stage: Stage) -> None:
    stage.run.as_before.add("erni-2")
    assert stage.on(AHost(), credentials.retire, ROLLOUT, ("erni-2",)).scripts != []
