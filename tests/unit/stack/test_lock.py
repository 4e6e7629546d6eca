"""The owner of a lock, as its file names it."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.stack.lock import Owner, owner

NOW = datetime(2026, 11, 24, 15, 1, 2, tzinfo=timezone.utc)
ANN = Owner("20261124T150102Z-3f9a", "ann", "laptop", "4711:99", "2026-11-24T15:01:02Z")


def written(**changes: object) -> str:
    return json.dumps(ANN.to_json() | changes)


@given(*[st.text()] * 4)
def test_an_owner_is_read_back_as_it_was_written(run: str, operator: str, controller: str, process: str) -> None:
    one = Owner(run, operator, controller, process, ANN.since)
    assert owner(json.dumps(one.to_json())) == one


def test_a_person_reads_who_holds_it_from_where_and_since_when() -> None:
    assert str(ANN) == "run 20261124T150102Z-3f9a, by ann from laptop, since 2026-11-24T15:01:02Z"


@pytest.mark.parametrize("seconds", [0, 1, 3600, -5])
def test_its_age_is_told_in_seconds(seconds: int) -> None:
    assert ANN.age(NOW + timedelta(seconds=seconds)) == seconds


def test_its_age_is_the_same_in_every_time_zone() -> None:
    assert ANN.age((NOW + timedelta(minutes=1)).astimezone(timezone(timedelta(hours=5)))) == 60


@pytest.mark.parametrize("length", range(len(written())))
def test_a_file_that_was_cut_off_names_nobody(length: int) -> None:
    assert owner(written()[:length]) is None


@pytest.mark.parametrize(
    "text",
    [
        "", "null", "[]", "7", '"text"', "{}", '{"run": "x"}', "no JSON", written(since="yesterday"), written(since=""),
        written(since=None), written(since="2026-11-24"), written(since=7), "[" * 500,
    ],
)  # fmt: skip
def test_a_file_that_says_something_else_names_nobody(text: str) -> None:
    assert owner(text) is None


@pytest.mark.parametrize("name", ANN.to_json())
def test_every_field_is_needed(name: str) -> None:
    fields = ANN.to_json()
    del fields[name]
    assert owner(json.dumps(fields)) is None


def test_further_fields_are_left_alone() -> None:
    assert owner(written(more="x")) == ANN
