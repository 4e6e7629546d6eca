"""pyinfra gives the same answers as before, and the functions that are made quicker are still there."""

from __future__ import annotations

import gc
import inspect
from collections.abc import Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from pyinfra.api import Config, Inventory, State, arguments, facts, inventory, util

from operations.controller import pyinfra_patches as quicker


@pytest.fixture
def armed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for module, name, _ in quicker._QUICKER:
        monkeypatch.setattr(module, name, getattr(module, name))  # taken back after the test
    before = gc.get_threshold()
    quicker.arm()
    yield
    gc.set_threshold(*before)


def answers() -> list[Any]:
    state: Any = SimpleNamespace(current_deploy_filename=__file__, current_op_file_number=0)
    called = [util.get_operation_order_from_stack(state), util.get_call_location()]
    return [*called, arguments.all_global_arguments(), inventory.get_all_connectors(), started(), told()]


def started() -> list[Any]:
    """What pyinfra's start gives hosts whose names differ in length."""
    hosts = Inventory((["a", "@local", "a-longer-name"], {}))
    begun = State(hosts, Config())
    return [(host.name, host.print_prefix_padding, host.state is begun, type(host.connector), host.connector.host is host)
            for host in hosts]  # fmt: skip


def told() -> list[Any]:
    """The arguments of an operation of hosts that have them in their own data, that of a group, of the deploy and of a call."""
    hosts = Inventory(
        (["a", ("b", {"_sudo": True})], {}),
        elsewhere=(["b"], {"_sudo": False, "_env": {"IN": "group"}, "_su_user": "x", "more": 1}),
    )
    begun = State(hosts, Config(SHELL="ash"))
    begun.init(hosts, begun.config)
    found: list[Any] = []
    each: Any
    for each in hosts:
        each.data._timeout = 3
        each.current_deploy_kwargs = {"_retries": 2}
        kwargs = {"_su_user": "y", "its_own": 1}
        found.append((facts.pop_global_arguments(begun, each, kwargs), kwargs))
        found[-1][0][0]["_env"]["later"] = "not kept"
        assert "later" not in each.data.get("_env", {})
    return found


def test_everything_that_is_made_quicker_is_there() -> None:
    assert [name for module, name, _ in quicker._QUICKER if not hasattr(module, name)] == []


def test_the_answers_are_the_same(request: pytest.FixtureRequest) -> None:
    found = []
    for arm in (False, True):
        if arm:
            request.getfixturevalue("armed")
        found.append(answers())
    assert found[0] == found[1]


@pytest.mark.usefixtures("armed")
def test_no_source_is_looked_for() -> None:
    stack: Any = vars(util)["stack"]
    assert isinstance(stack, partial)
    assert {frame.code_context for frame in stack()} == {None}
    assert inspect.stack()[0].code_context


@pytest.mark.usefixtures("armed")
def test_a_second_call_does_nothing() -> None:
    before = [getattr(module, name) for module, name, _ in quicker._QUICKER]
    quicker.arm()
    assert [getattr(module, name) for module, name, _ in quicker._QUICKER] == before
