"""Whether services run and answer."""

from __future__ import annotations

from .. import pins
from ..check import Check, Verdict
from ..images import ended
from ..probes import Probe
from ..service import setting_of
from ..snapshot import UNKNOWN, Snapshot
from ..stack import Stack
from .expect import DEPLOY, unknown

MEANINGS = {
    "container.<service>": "It runs, and is healthy where it has a healthcheck.",
    "image.same": "Services run the images that `images.lock` keeps, the same on every host.",
    "image.maintained": "The images get releases still; else what became of one, and the setting that names its successor.",
}


def container(service: str, seen: Snapshot) -> Check:
    """It runs, and is healthy where it has a healthcheck."""
    name, logs = f"container.{service}", f"Read `docker compose logs {service}` in the stack's folder, then run the deploy again."
    if seen.containers is UNKNOWN:
        return unknown(name, "Docker was not observed")
    containers = seen.of(service)
    if not containers:
        return Check(name, Verdict.FAILED, "there is no container", f"{service} was never started, or was removed.", DEPLOY)
    for one in containers:
        state = f"{one.state}, {one.health}" if one.health else one.state
        if not one.up:
            return Check(name, Verdict.FAILED, state, f"{service} does not run, or its healthcheck fails.", logs)
    return Check(name, Verdict.OK, state)


def same(stack: Stack, seen: Snapshot) -> Check:
    """The images are those that every host is to run."""
    name = "image.same"
    if seen.containers is UNKNOWN or seen.images is UNKNOWN:
        return unknown(name, "not observed")
    images = {service: image for service, image in stack.images(seen).items() if image in stack.pins}
    wrong = {service: f"{service} runs another one" for service in pins.another(stack, seen)}
    for service, image in images.items():
        there = seen.images.get(image)
        if not stack.pins[image].matches(there):
            wrong[service] = f"{service}: {pins.short(there.id) if there else 'none'}"
    if not wrong:
        return Check(name, Verdict.OK, f"{len(images)} of {len(stack.services)} services have a pinned image, and run it")
    expected = ", ".join(f"{images[service]} at {stack.pins[images[service]].shown}" for service in wrong)
    cause = "Somebody else updated it, or the host had no part in the run that did."
    remedy = 'pull is "never": bring the image there by hand.' if stack.settings.pull == "never" else DEPLOY
    return Check(name, Verdict.FAILED, f"{'; '.join(wrong.values())}, expected {expected}", cause, remedy)


def maintained(stack: Stack, seen: Snapshot) -> Check:
    """The images still get releases, as far as their end is known: those that run, and those of services yet to be started."""
    name = "image.maintained"
    if seen.containers is UNKNOWN:
        return unknown(name, "Docker was not observed")
    images = {one.name: stack.settings.of(one.entry, "image") or "" for one in stack.services}
    # Docker tells an image by its digest alone when its name has gone to another one
    images |= {one.service: one.image for one in seen.containers if one.image and not one.image.startswith("sha256:")}
    found = {service: row for service, image in images.items() if (row := ended(image))}
    if not found:
        return Check(name, Verdict.OK, f"no end is known of the images of {len(images)} services")
    return Check(
        name,
        Verdict.WARNING,
        "; ".join(f"{service}: {images[service]} had its last release in {row.ended}" for service, row in found.items()),
        " ".join(dict.fromkeys(row.reason for row in found.values())),
        " ".join(f'Set {_image(service, stack)} = "{row.successor}". {row.move}'.strip() for service, row in found.items()),
    )


def _image(service: str, stack: Stack) -> str:
    entry = next((one.entry for one in stack.services if one.name == service), None)
    return setting_of(entry, "image") if entry else f"the image of {service} in the project's own file"


def probe(declared: Probe, seen: Snapshot) -> Check:
    """A check that the catalogue declares."""
    if declared.id not in seen.probes:
        return unknown(declared.id, f"{' '.join(declared.target)} was not asked", "Run again with -vv.")
    answer = seen.probes[declared.id]
    what = {"http": "status", "metric": declared.target[-1], "command": "exit status", "log": "lines:"}.get(declared.kind, "")
    detail = f"{what} {answer or 'no answer'}".strip()
    if declared.good(answer):
        return Check(declared.id, Verdict.OK, detail)
    wanted = declared.expected if declared.compare == "equals" else f"{declared.compare} {declared.expected}"
    return Check(declared.id, Verdict.FAILED, f"{detail}, expected {wanted}", declared.cause, declared.remedy)
