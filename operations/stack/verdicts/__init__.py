"""The checks: what a snapshot says about a stack, each with a verdict and, where it failed, a cause and a remedy. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from .. import registry
from ..check import Check, Verdict
from ..credential import credentials_of
from ..diagnosis import explained
from ..plan import Plan, plan
from ..snapshot import Snapshot
from ..stack import Stack
from . import machine, services

# what is about the host and not about the stack's services
ABOUT_HOST = machine.ABOUT_HOST


def meanings() -> dict[str, str]:
    """What each check says when it is ok, by its id; but for those that catalogue files declare, which say it themselves."""
    brought = (*registry.kinds().values(), *registry.extras())
    return {**machine.MEANINGS, **services.MEANINGS, **{name: text for one in brought for name, text in one.meanings.items()}}


def about_retired() -> tuple[str, ...]:
    """What is meant to be so while a password is rolled out."""
    return tuple(name for kind in registry.kinds().values() for name in kind.about_retired)


def about_desired() -> tuple[str, ...]:
    """What compares the host with the desired state."""
    own = (name for kind in registry.kinds().values() for name in kind.about_desired)
    return (
        "files.in_sync",
        "image.same",
        *own,
        *(name for extra in registry.extras() for name in extra.about_desired),
        *about_retired(),
    )


def about_adopted() -> tuple[str, ...]:
    """What a server need not be that somebody else started."""
    return tuple(name for kind in registry.kinds().values() for name in kind.about_adopted)


def standing(found: Iterable[Check]) -> frozenset[str]:
    """What was wrong with the host itself before a change, such as a full disk: it would be wrong without the change too."""
    return frozenset(check.id for check in found if check.id in ABOUT_HOST and check.verdict is Verdict.FAILED)


def is_among(check: Check, ids: Collection[str]) -> bool:
    """Whether a check is one of these, whichever credential it is about."""
    return check.id in ids or check.id.partition("@")[0] in ids


def checks(stack: Stack, seen: Snapshot, due: Plan | None = None) -> tuple[Check, ...]:
    """Every check of the stack, in the order in which a person would ask; those of `skip_checks` are skipped, and with `strict` a
    warning is a failure.

    + due: what separates the two, where that is known
    """
    return tuple(
        Check(check.id, Verdict.SKIPPED, "by the setting skip_checks")
        if is_among(check, stack.settings.skip_checks)
        else explained(_strictly(check) if stack.settings.strict else check, stack, seen)
        for check in _all(stack, seen, due or plan(stack, seen))
    )


def _strictly(check: Check) -> Check:
    return replace(check, verdict=Verdict.FAILED) if check.verdict is Verdict.WARNING else check


def _all(stack: Stack, seen: Snapshot, due: Plan) -> Iterator[Check]:
    yield machine.files(stack, seen, due)
    readers = (name for one in credentials_of(stack) for name in one.readers(stack, seen))
    names = dict.fromkeys((*(service.name for service in stack.services), *readers))
    yield from (services.container(name, seen) for name in names)
    yield services.same(stack, seen)
    yield services.maintained(stack, seen)
    known = set[str]()
    for credential in credentials_of(stack):
        # those of a second credential of one kind carry its name
        found = [
            replace(one, id=f"{one.id}@{credential.name}") if one.id in known else one for one in credential.checks(stack, seen)
        ]
        known.update(one.id for one in found)
        yield from found
    yield from (services.probe(probe, seen) for probe in stack.probes)
    for extra in registry.extras():
        yield from extra.checks(stack, seen)
    yield from machine.host(stack, seen)
