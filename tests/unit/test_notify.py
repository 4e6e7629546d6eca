"""Messages that a receiver on the loopback address really gets, by Apprise."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from operations.controller import notify
from operations.controller.desired import addresses
from operations.controller.secrets import Secret
from operations.report import HostReport, RunReport
from operations.report.mask import masked
from operations.stack.errors import SettingsError
from operations.stack.settings import Settings
from tests.page.fleets import NOW
from tests.receiver import Receiver

SECRET = "Marker_Password-0123456789"
CHANGED = HostReport("erni-1", "changed", changes=(f"set the password to {SECRET}",))


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()
    yield found
    found.shutdown()
    found.server_close()


def tell(receiver: Receiver, folder: Path, *hosts: HostReport, dry: bool = False, **settings: Any) -> str | None:
    report = masked(RunReport("20261124T150102Z-3f9a", NOW, NOW, {}, hosts, dry), {SECRET})
    page = folder / f"{report.id}.html"
    return notify.tell(report, Settings(report_dir=str(folder), **settings), [receiver.address], page, ["erni-1", "erni-2"])


def test_a_change_is_told_once_without_a_secret_and_with_the_page(receiver: Receiver, tmp_path: Path) -> None:
    assert tell(receiver, tmp_path, CHANGED, report_url="https://ci.example/reports/") is None
    (got,) = receiver.got
    assert (got["title"], got["type"]) == ("erni-ki: 1 host ok, 1 changed", "success")
    assert got["message"].splitlines()[-1] == "Report: https://ci.example/reports/20261124T150102Z-3f9a.html"
    assert SECRET not in json.dumps(got)
    assert tell(receiver, tmp_path, HostReport("erni-1", "ok")) is None
    assert len(receiver.got) == 1


def test_a_failure_is_told_once_and_so_is_its_end(receiver: Receiver, tmp_path: Path) -> None:
    bad, well = HostReport("erni-1", "unreachable", error="no route"), HostReport("erni-1", "ok")
    for host in (bad, bad, HostReport("erni-2", "ok"), bad, well, well):
        tell(receiver, tmp_path, host)
    assert [got["title"] for got in receiver.got] == ["erni-ki: 1 host of 1 failed", "erni-ki: 1 host ok"]


def test_a_message_that_did_not_arrive_is_sent_with_the_next_run(receiver: Receiver, tmp_path: Path) -> None:
    receiver.status = 500
    bad = HostReport("erni-1", "unreachable", error="no route")
    why = tell(receiver, tmp_path, bad)
    assert why is not None
    assert why.startswith("notify: the message could not be sent to every address.")
    assert "Marker_Token" not in why
    receiver.status = 200
    assert tell(receiver, tmp_path, bad) is None
    assert len(receiver.got) == 2


def test_a_preview_tells_nobody(receiver: Receiver, tmp_path: Path) -> None:
    tell(receiver, tmp_path, CHANGED, dry=True, notify_always=True)
    assert receiver.got == []
    assert list(tmp_path.iterdir()) == []


def test_an_address_that_is_none_is_told_without_its_token(receiver: Receiver) -> None:
    assert list(notify.problems([receiver.address])) == []
    (problem,) = notify.problems([receiver.address, "nothing://Marker_Token"])
    assert problem.startswith("notify: address 2 of 2 (nothing://…) is none that Apprise knows.")


def test_an_address_may_be_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAT_URL", "json://127.0.0.1/x")
    assert addresses({"notify": ("json://127.0.0.1/y", Secret("CHAT_URL"))}) == ("json://127.0.0.1/y", "json://127.0.0.1/x")


@pytest.mark.parametrize("value", ["json://x", [7], {"a": "b"}])
def test_what_is_no_list_of_addresses_is_told(value: object) -> None:
    with pytest.raises(SettingsError, match="notify: is no list of addresses"):
        addresses({"notify": value})
