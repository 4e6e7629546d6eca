"""A rollout in shards: who is run when, and what is told of a shard that did not come back as it should. Nothing is run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

import pytest

from operations.fleet.rollout import LOOK, Member, Rollout, results
from operations.fleet.worker import Outcome
from operations.report.model import HostReport, RunReport, Status, Step
from operations.stack.check import Check, Verdict

NOW = datetime(2026, 11, 24, tzinfo=timezone.utc)
BROKEN = Check("redis.ping", Verdict.FAILED, "no answer")
FULL = Check("disk.space", Verdict.FAILED, "12 MB free")


def host(
    name: str, status: Status = "changed", *checks: Check, error: str | None = None, steps: tuple[Step, ...] = ()
) -> HostReport:
    return HostReport(name, status, checks=checks, error=error, steps=steps)


def outcome(*hosts: HostReport, **more: Any) -> Outcome:
    return Outcome(RunReport("id", NOW, NOW, {}, hosts).to_dict(), where="controller-2", **more)


@dataclass
class Fleet:
    """Hosts, and what a preview and a run of each says; where nothing is said each needs a change, which then is well."""

    members: Sequence[Member]
    look: Mapping[str, HostReport] = field(default_factory=dict)
    change: Mapping[str, HostReport] = field(default_factory=dict)
    spoilt: Callable[[Sequence[str], Sequence[str]], Outcome | None] = lambda shard, words: None
    calls: list[tuple[str, list[tuple[str, ...]]]] = field(default_factory=list)

    def run(self, title: str, shards: Sequence[tuple[str, ...]], words: Sequence[str]) -> Iterator[tuple[tuple[str, ...], Outcome]]:
        self.calls.append((title, list(shards)))
        said = self.look if words == LOOK else self.change
        for shard in shards:
            yield shard, self.spoilt(shard, words) or outcome(*(said.get(name) or host(name) for name in shard))

    def rollout(self, shards: int = 2, **given: Any) -> Rollout:
        return Rollout(self.members, self.run, shards, **given)

    def changed(self, **given: Any) -> dict[str, HostReport]:
        return {one.name: one for one in self.rollout(**given).change()}

    @property
    def waves(self) -> list[list[str]]:
        """The hosts of each wave, with those that belong to them."""
        return [sorted(name for shard in shards for name in shard) for title, shards in self.calls if title != "Looking"]


def members(names: str, groups: Mapping[str, str] | None = None, **data: Any) -> list[Member]:
    """One for each letter; groups: a group → its members."""
    return [Member(n, tuple(g for g, of in (groups or {}).items() if n in of), data) for n in names]


def user(name: str, server: str) -> Member:
    return Member(name, (), {"redis_host": server})


# Who goes when


def test_waves_go_through_all_shards() -> None:
    fleet = Fleet(members("abcdefgh"))
    assert {one.status for one in fleet.changed().values()} == {"changed"}
    assert [title for title, _ in fleet.calls] == ["Looking", "Wave 1 of 3", "Wave 2 of 3", "Wave 3 of 3"]
    assert fleet.waves == [["a"], ["b"], ["c", "d", "e", "f", "g", "h"]]
    assert [len(shards) for _, shards in fleet.calls] == [2, 1, 1, 2]


def test_only_hosts_that_need_a_change_are_in_waves() -> None:
    fleet = Fleet(members("abcd"), look={"a": host("a", "ok"), "c": host("c", "ok", BROKEN), "d": host("d", "unreachable")})
    found = fleet.changed()
    assert fleet.waves == [["b"]]
    assert {name: one.status for name, one in found.items()} == {"a": "ok", "b": "changed", "c": "failed", "d": "unreachable"}


def test_a_fleet_that_is_as_wanted_is_looked_at_once() -> None:
    fleet = Fleet(members("ab"), look={"a": host("a", "ok"), "b": host("b", "ok")})
    fleet.changed()
    assert [title for title, _ in fleet.calls] == ["Looking"]


def test_canaries_go_first() -> None:
    fleet = Fleet(members("abcd", {"canary": "d"}, rollout_waves=["100%"]))
    fleet.changed()
    assert fleet.waves == [["d"], ["a", "b", "c"]]


def test_a_preview_changes_nothing() -> None:
    fleet = Fleet(members("ab"))
    assert [one.status for one in fleet.rollout().preview()] == ["changed", "changed"]
    assert [title for title, _ in fleet.calls] == ["Looking"]


def test_hosts_that_share_a_redis_are_in_one_shard_also_those_that_need_no_change() -> None:
    """Else the host with the redis could not know that its users are well, and would keep the former password."""
    fleet = Fleet([*members("ab"), user("c", "a")], look={"c": host("c", "ok")})
    fleet.changed()
    assert ("a", "c") in fleet.calls[0][1]
    assert fleet.waves == [["a", "c"], ["b"]]


def test_a_limit_is_kept_and_hosts_that_belong_to_it_are_known() -> None:
    fleet = Fleet([*members("ab"), user("c", "a")])
    assert list(fleet.changed(limit=["a"])) == ["a"]
    assert all(shards == [("a", "c")] for _, shards in fleet.calls)


# The gate


def failing(**data: Any) -> Fleet:
    return Fleet(members("abcd", **data), change={"a": host("a", "failed", error="it broke")})


def test_a_failure_stops_the_later_waves() -> None:
    fleet = failing()
    found = fleet.changed()
    assert fleet.waves == [["a"]]
    assert [one.status for one in found.values()] == ["failed"] * 4
    assert found["a"].error == "it broke"
    assert found["b"].error == (
        "Nothing was changed here: a failed in an earlier wave, and max_failures is 0. Put what failed right, then run again."
    )


def test_as_many_failures_as_are_allowed_stop_nothing() -> None:
    fleet = failing(max_failures=1)
    assert [one.status for one in fleet.changed().values()] == ["failed", "changed", "changed", "changed"]


def test_failures_in_different_shards_count_together() -> None:
    broken = {name: host(name, "failed", BROKEN) for name in "ab"}
    fleet = Fleet(members("abcdef", max_failures=1, rollout_waves=["2", "100%"]), change=broken)
    fleet.changed()
    assert fleet.waves == [["a", "b"]]
    assert fleet.calls[1][1] == [("a",), ("b",)]


@pytest.mark.parametrize(("counts", "waves"), [(False, [["a"], ["b", "c"]]), (True, [["a"]])])
def test_a_host_that_cannot_be_reached_counts_where_it_is_to(counts: bool, waves: list[list[str]]) -> None:
    fleet = Fleet(members("abcd", unreachable_counts=counts, rollout_waves=["1"]), look={"d": host("d", "unreachable")})
    fleet.changed()
    assert fleet.waves == waves


def test_a_host_that_was_looked_at_and_cannot_be_reached_in_its_wave_has_failed() -> None:
    fleet = Fleet(members("abc"), change={"a": host("a", "unreachable", error="no route")})
    found = fleet.changed()
    assert fleet.waves == [["a"]]
    assert [one.status for one in found.values()] == ["unreachable", "failed", "failed"]


def test_hosts_that_share_a_redis_are_left_alone_together() -> None:
    strict = Member("c", (), {"redis_host": "b", "max_failures": 0, "rollout_waves": ["1", "100%"]})
    fleet = Fleet([*members("ab", max_failures=1, rollout_waves=["1", "100%"]), strict], change={"a": host("a", "failed", BROKEN)})
    found = fleet.changed()
    assert fleet.waves == [["a"]]
    assert all(found[name].error.startswith("Nothing was changed here: a failed") for name in "bc")  # type: ignore[union-attr]


def test_what_was_wrong_before_stops_nothing() -> None:
    fleet = Fleet(members("ab"), look={"a": host("a", "changed", FULL)}, change={"a": host("a", "failed", FULL)})
    assert fleet.changed()["a"].status == "failed"
    assert fleet.waves == [["a"], ["b"]]


# What goes wrong with a shard


def test_nothing_is_changed_where_a_part_could_not_be_looked_at() -> None:
    fleet = Fleet(members("ab"), spoilt=lambda shard, words: Outcome(None, "It broke.") if "b" in shard else None)
    found = fleet.changed()
    assert fleet.waves == []
    assert found["b"].error == "It broke. Run again: what was begun is finished then."
    assert found["a"].error == "Nothing was changed here: b could not be looked at. Put that right, then run again."


def test_a_shard_that_is_lost_in_a_wave_stops_the_later_ones() -> None:
    fleet = Fleet(
        members("abc"), spoilt=lambda shard, words: Outcome(None, "It broke.") if shard == ("a",) and words != LOOK else None
    )
    found = fleet.changed()
    assert fleet.waves == [["a"]]
    assert [one.status for one in found.values()] == ["failed"] * 3


@pytest.mark.parametrize("looking", [True, False])
def test_an_interruption_leaves_the_later_waves_alone(looking: bool) -> None:
    def spoilt(shard: Sequence[str], words: Sequence[str]) -> Outcome | None:
        return outcome(*map(host, shard), stopped=True) if "a" in shard and (words == LOOK) is looking else None

    fleet = Fleet(members("ab"), spoilt=spoilt)
    rollout = fleet.rollout()
    assert {one.status for one in rollout.change()} == {"failed"}
    assert rollout.interrupted
    assert fleet.waves == ([] if looking else [["a"]])


DONE, LEFT = Step("Done", "changed", NOW, NOW), Step("Left", "skipped")


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (outcome(host("a", steps=(DONE,))), "changed"),
        (outcome(host("a", steps=(DONE, LEFT))), "failed"),
        (outcome(host("a", steps=(DONE,)), stopped=True), "changed"),
        (outcome(host("a", steps=(DONE, LEFT)), stopped=True), "failed"),
        (outcome(host("a"), stopped=True), "failed"),
        (outcome(host("a", steps=(DONE,)), said="It was killed."), "failed"),
        (outcome(), "failed"),
        (outcome(host("a", "unreachable", error="no route"), said="It was killed."), "unreachable"),
    ],
)
def test_a_host_is_well_only_where_its_run_came_to_its_end(found: Outcome, expected: str) -> None:
    told = results(["a"], found)["a"]
    assert told.status == expected
    assert (told.error is None) is (expected == "changed")
