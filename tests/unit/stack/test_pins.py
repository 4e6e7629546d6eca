"""Which image a name stands for, and what a host lacks of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from operations.stack import pins
from operations.stack.build import build, registry_secret
from operations.stack.check import Check, Verdict
from operations.stack.pins import Pin
from operations.stack.plan import plan
from operations.stack.snapshot import SeenDefinition, SeenImage, SeenOwn, Snapshot
from operations.stack.stack import Stack
from operations.stack.verdicts import checks
from tests.unit.stack.hosts import a_stack, converged, with_container

NAME = "ghcr.io/open-webui/open-webui:latest"
OLD, NEW = (f"sha256:{letter * 64}" for letter in "ab")
OLD_ID, NEW_ID = (f"sha256:{letter * 64}" for letter in "cd")
OLD_IMAGE, NEW_IMAGE = SeenImage(OLD_ID, (OLD,), "2026-10-01T00:00:00Z"), SeenImage(NEW_ID, (NEW,), "2026-11-01T00:00:00Z")
BUILT = SeenImage(NEW_ID, (), "2026-11-20T00:00:00Z")


def pinned(digest: str = NEW, ids: tuple[str, ...] = (), **data: Any) -> Stack:
    return a_stack(**data).pinned({NAME: Pin(digest, frozenset(ids))})


def with_image(stack: Stack, image: SeenImage | None, running: SeenImage | None = None) -> Snapshot:
    """A host on which all is as desired but, perhaps, the image of one service."""
    seen = with_container("openwebui", image_id=(running or image or BUILT).id)(converged(stack))
    return replace(seen, images={**dict.fromkeys(stack.images(seen).values()), NAME: image})


def same(stack: Stack, seen: Snapshot) -> Check:
    return next(one for one in checks(stack, seen) if one.id == "image.same")


def test_a_host_that_runs_the_pinned_image_has_nothing_to_do() -> None:
    stack = pinned()
    seen = with_image(stack, NEW_IMAGE)
    assert not plan(stack, seen).due
    assert same(stack, seen).verdict is Verdict.OK


def test_a_host_with_another_one_gets_it_and_the_preview_names_both() -> None:
    stack = pinned()
    seen = with_image(stack, OLD_IMAGE)
    found = plan(stack, seen)
    assert f"image {NAME} for openwebui: {OLD[7:19]} → {NEW[7:19]}" in list(found.sentences())
    assert found.start == (("openwebui", "its image changes"),)
    assert not found.files
    assert same(stack, seen).verdict is Verdict.FAILED


def test_a_run_that_was_killed_between_the_name_and_the_container_is_ended() -> None:
    stack = pinned()
    seen = with_image(stack, NEW_IMAGE, running=OLD_IMAGE)
    found = plan(stack, seen)
    assert (found.images, found.start) == ((), (("openwebui", f"it runs another image than {NAME}"),))
    assert same(stack, seen).verdict is Verdict.FAILED


def test_a_copied_image_has_no_digest_and_is_told_by_its_id() -> None:
    stack = pinned(ids=(NEW_ID,))
    assert not plan(stack, with_image(stack, BUILT)).due


def test_without_a_pin_nothing_is_said_of_an_image_that_was_built_there() -> None:
    stack = a_stack()
    seen = with_image(stack, BUILT, running=OLD_IMAGE)
    assert not plan(stack, seen).due
    assert same(stack, seen) == Check("image.same", Verdict.OK, "0 of 4 services have a pinned image, and run it")


@pytest.mark.parametrize("data", [{"pin": False}, {"pull": "never"}])
def test_a_host_that_keeps_its_images_is_left_alone(data: Mapping[str, Any]) -> None:
    stack = pinned(**data)
    assert not plan(stack, with_image(stack, OLD_IMAGE)).images


def test_what_a_project_runs_itself_keeps_its_image() -> None:
    stack = pinned()
    seen = replace(with_image(stack, OLD_IMAGE), own=SeenOwn({"openwebui": SeenDefinition()}))
    assert not changes(stack, seen)


def changes(stack: Stack, seen: Snapshot) -> list[pins.ImageChange]:
    return list(pins.changes(stack, seen))


def test_an_image_of_a_registry_with_a_login_is_pulled_here_and_not_by_compose() -> None:
    data = {"registries": {"ghcr.io": {"user": "erni", "password": "x"}}}
    stack = build(data, {"redis_password": "the-Password_of-these-tests-0", registry_secret("ghcr.io"): "x"})
    (change,) = changes(stack, with_image(stack, None))
    assert str(change) == f"{NAME} for openwebui: as its registry has it now"


# Which one


def hosts(*images: SeenImage | None, **data: Any) -> list[tuple[Stack, Snapshot]]:
    stack = a_stack(**data)
    return [(stack, with_image(stack, image)) for image in images]


def test_what_is_locked_stays() -> None:
    locked = {NAME: Pin(OLD)}
    assert pins.chosen(hosts(NEW_IMAGE), locked) == locked


def test_else_it_is_the_newest_that_a_host_has_so_that_none_goes_back() -> None:
    assert pins.chosen(hosts(OLD_IMAGE, NEW_IMAGE, None, BUILT), {}) == {NAME: Pin(NEW, frozenset([NEW_ID]))}


def test_what_was_built_on_a_host_has_no_pin_unless_hosts_copy_it() -> None:
    assert pins.chosen(hosts(BUILT), {}) == {}
    assert pins.chosen([*hosts(BUILT), *hosts(None, pull="copy")], {}) == {NAME: Pin("", frozenset([NEW_ID]))}


def test_a_host_that_pins_nothing_decides_nothing() -> None:
    assert pins.chosen(hosts(NEW_IMAGE, pin=False), {}) == {}


def test_what_docker_calls_it_on_a_host_is_learnt_where_it_runs() -> None:
    stack = pinned()
    assert pins.learnt(stack.pins, with_image(stack, NEW_IMAGE)) == {NAME: Pin(NEW, frozenset([NEW_ID]))}
    assert pins.learnt(stack.pins, with_image(stack, NEW_IMAGE, running=OLD_IMAGE)) == {}
    assert pins.learnt(stack.pins, with_image(stack, OLD_IMAGE)) == {}


def test_a_registry_that_did_not_answer_stops_a_run_that_asked_it() -> None:
    stack = a_stack(pull="always").pinned({NAME: Pin(OLD, why="unauthorized")})
    (problem,) = plan(stack, with_image(stack, OLD_IMAGE)).problems
    assert problem.startswith(f"{NAME}: its registry was not asked which image that is now (unauthorized).")


@pytest.mark.parametrize(
    ("image", "registry", "repository"),
    [
        ("redis", "docker.io", "redis"),
        ("redis:8.2", "docker.io", "redis"),
        ("team/app:1", "docker.io", "team/app"),
        ("localhost/app", "localhost", "localhost/app"),
        ("127.0.0.1:5000/team/app:1", "127.0.0.1:5000", "127.0.0.1:5000/team/app"),
        ("127.0.0.1:5000/app", "127.0.0.1:5000", "127.0.0.1:5000/app"),
    ],
)
def test_a_name_is_a_registry_a_repository_and_a_tag(image: str, registry: str, repository: str) -> None:
    assert (pins.domain(image), pins.repository(image)) == (registry, repository)
