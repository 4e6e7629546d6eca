"""Images whose end is known, and the check that names their successors."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

import pytest

from operations.stack.catalogue import catalogue
from operations.stack.check import Check, Verdict
from operations.stack.images import Ended, ended, repository, table
from operations.stack.snapshot import UNKNOWN, SeenContainer, Snapshot
from tests.unit.stack.checked import the_check
from tests.unit.stack.hosts import Drift, a_stack, unseen, with_container


def maintained(*drifts: Drift, **data: Any) -> Check:
    return the_check("image.maintained", *drifts, stack=a_stack(**data))


@pytest.mark.parametrize("row", table(), ids=lambda row: row.images[0])
def test_every_row_is_dated_and_says_where_it_is_known_from(row: Ended) -> None:
    assert re.fullmatch(r"20\d\d-(0\d|1[0-2])", row.ended)
    assert row.ended < datetime.now(timezone.utc).strftime("%Y-%m")
    assert row.source.startswith("https://")
    assert all(text == text.strip() and text.endswith(".") for text in (row.reason, row.move) if text)


@pytest.mark.parametrize("row", table(), ids=lambda row: row.images[0])
def test_no_successor_has_a_known_end(row: Ended) -> None:
    assert ended(row.successor) is None
    assert ":" in row.successor


def test_the_only_default_that_has_an_end_is_the_guides_redis() -> None:
    defaults = {name: service.settings.get(f"{name.replace('-', '_')}_image") for name, service in catalogue().items()}
    assert [name for name, image in defaults.items() if image and ended(image)] == ["redis"]


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("redis", "redis"),
        ("redis:8", "redis"),
        ("library/redis:8", "redis"),
        ("docker.io/library/redis:8-alpine", "redis"),
        ("redis/redis-stack@sha256:" + "a" * 64, "redis/redis-stack"),
        ("mirror.example:5000/redis/redis-stack:7.4.0-v3", "redis/redis-stack"),
        ("localhost/redis/redis-stack", "redis/redis-stack"),
        ("ghcr.io/containrrr/watchtower:1.7.1@sha256:" + "a" * 64, "containrrr/watchtower"),
        ("mirror.example:5000/redis", "redis"),
        ("team/redis/redis-stack:1", "team/redis/redis-stack"),
        ("", ""),
    ],
)
def test_an_image_is_known_by_its_whole_name_from_any_registry(image: str, name: str) -> None:
    assert repository(image) == name


def test_an_image_with_a_known_end_is_named_with_its_successor() -> None:
    check = maintained()
    assert check.detail == "redis: redis/redis-stack:latest had its last release in 2025-12"
    assert (check.remedy or "").startswith('Set redis_image = "redis:8.2". Its keys move along.')
    assert check.verdict is Verdict.WARNING


def test_without_such_an_image_nothing_is_said() -> None:
    assert maintained(redis_image="redis:8.2") == Check(
        "image.maintained", Verdict.OK, "no end is known of the images of 4 services"
    )


def test_what_runs_counts_and_not_what_is_to_run() -> None:
    running = with_container("redis", image="redis/redis-stack:7.2.0-v9")
    assert "redis/redis-stack:7.2.0-v9" in maintained(running, redis_image="redis:8.2").detail
    # Docker has no name for it any more
    assert "redis-stack" not in maintained(with_container("redis", image="sha256:" + "a" * 64), redis_image="redis:8.2").detail


def test_an_image_of_the_projects_own_is_named_too() -> None:
    kept = maintained(with_container("redis", image="redis/redis-stack:latest"), redis_image=None, redis_flavour="stack")
    assert "redis_image" in (kept.remedy or "")

    def beside(seen: Snapshot) -> Snapshot:
        assert seen.containers is not UNKNOWN
        other = SeenContainer("id", "updater", "running", "", "", (), {}, image="containrrr/watchtower")
        return replace(seen, containers=(*seen.containers, other))

    check = maintained(beside, redis_image="redis:8.2")
    assert check.remedy == 'Set the image of updater in the project\'s own file = "nickfedor/watchtower:1".'


def test_before_the_first_start_what_is_to_run_counts() -> None:
    assert "redis/redis-stack:latest" in maintained(lambda seen: replace(seen, containers=())).detail


def test_without_docker_nobody_can_tell() -> None:
    assert maintained(unseen("containers")).verdict is Verdict.UNKNOWN
