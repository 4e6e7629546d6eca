"""`images.lock`, the file beside the inventory that keeps the image behind each name; and what registries say of other names."""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from gevent.lock import BoundedSemaphore
from pyinfra.api import Host
from pyinfra.context import ctx_host

from ..facts.bundle import Questions, ask
from ..facts.images import DIGEST, Registry
from ..report.files import alone, replace
from ..stack import pins
from ..stack.errors import SettingsError
from ..stack.pins import Pin
from ..stack.snapshot import UNKNOWN, Snapshot
from ..stack.stack import Stack

_HOSTS = 3  # that ask a registry which does not answer
_HEAD = """\
# The image behind each name, the same on every host. Deploys keep it; put it under version control. A run with --data pull=always
# asks the registries again. An earlier version of this file takes the hosts back to the images of then.
"""


def read(path: Path) -> dict[str, Pin]:
    """What the file says; nothing where there is none.

    Raises SettingsError where it cannot be read.
    """
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        return {str(name): _pin(entry) for name, entry in found.items()}
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise SettingsError(
            [f"images_lock: {path} cannot be read ({error.strerror}). Make it readable, or name another."]
        ) from None
    except (ValueError, TypeError, KeyError, AttributeError, yaml.YAMLError):
        raise SettingsError(
            [f"images_lock: {path} is not as a deploy writes it. Take back what was edited, or remove it."]
        ) from None


def _pin(entry: Mapping[str, Any]) -> Pin:
    digest, ids = entry.get("digest", ""), entry.get("ids", ())
    if any(not DIGEST.fullmatch(one) for one in (*filter(None, [digest]), *ids)):
        raise ValueError("no digest")
    return Pin(digest, frozenset(ids))


def keep(path: Path, known: Mapping[str, Pin]) -> None:
    """The file says this of these images; what it says of others stays, and so does all of it where nothing changes."""
    # the file's lock keeps other processes out; hosts of this one take turns before it, for waiting there would stop all of them
    with _turn, alone(path.absolute().parent):
        before = read(path)
        after = dict(before)
        for name, pin in known.items():
            same = name in before and before[name].digest == pin.digest
            # an id that is known of one platform is not forgotten for that of another
            after[name] = Pin(pin.digest, pin.ids | (before[name].ids if same and pin.digest else frozenset()))
        if after != before:
            entries = {name: _entry(pin) for name, pin in sorted(after.items())}
            replace(path, _HEAD + yaml.safe_dump(entries, sort_keys=False, width=1000))


_turn = BoundedSemaphore()


def _entry(pin: Pin) -> dict[str, Any]:
    return {**({"digest": pin.digest} if pin.digest else {}), "ids": sorted(pin.ids)}


@cache  # once a run: what a run does not see at its beginning is not for it
def locked(path: str) -> Mapping[str, Pin]:
    """The pins that a run begins with."""
    return read(Path(path))


def resolve(found: Sequence[tuple[Host, Stack, Snapshot]]) -> dict[str, dict[str, Pin]]:
    """File of pins → the pins for the hosts that have it: those in it, else what hosts have, else what a registry says.

    A registry is asked where no host has an image yet, and with `pull` "always"; by the first host that is to pull it.
    """
    told: dict[str, dict[str, Pin]] = {}
    for path in dict.fromkeys(stack.settings.images_lock for _, stack, _ in found):
        group = [(host, stack, seen) for host, stack, seen in found if stack.settings.images_lock == path and stack.settings.pin]
        known = pins.chosen([(stack, seen) for _, stack, seen in group], locked(path))
        told[path] = known | _asked(group, known)
    return told


def _asked(group: Sequence[tuple[Host, Stack, Snapshot]], known: Mapping[str, Pin]) -> dict[str, Pin]:
    answers: dict[str, Pin] = {}
    tried = Counter[str]()
    there = {image for _, _, seen in group if seen.images is not UNKNOWN for image, one in seen.images.items() if one}
    for host, stack, seen in group:
        images = () if seen.images is UNKNOWN else seen.images
        mine = (image for image in dict.fromkeys(stack.images(seen).values()) if image in images)
        due = [image for image in mine if image not in answers and tried[image] < _HOSTS]
        if stack.settings.pull == "missing":
            due = [image for image in due if image not in known and image not in there]
        elif stack.settings.pull != "always":
            continue
        if due and seen.engine is not UNKNOWN and seen.engine.server:
            tried.update(due)
            with ctx_host.use(host):
                answers |= _answers(ask(Questions({"registry": (Registry, {"images": due, "logins": tokens(stack)})})), due, known)
    return answers


def _answers(found: Any, due: Sequence[str], known: Mapping[str, Pin]) -> dict[str, Pin]:
    told: Any = {} if found is UNKNOWN else found["registry"]
    answers = {} if told is UNKNOWN else dict(told)
    pinned = {name: _renewed(known.get(name), digest) for name, (digest, _) in answers.items() if name in due and digest}
    # one that no registry knows was built or loaded there, and is left as it is
    silent = {name: answers.get(name, ("", "its host did not answer"))[1] for name in due if name in known and name not in pinned}
    return pinned | {name: Pin(known[name].digest, known[name].ids, why) for name, why in silent.items() if known[name].digest}


def _renewed(pin: Pin | None, digest: str) -> Pin:
    return pin if pin and pin.digest == digest else Pin(digest)


def tokens(stack: Stack) -> dict[str, str]:
    """Registry → the login for it, as Docker's API takes it."""
    return {
        name: base64.urlsafe_b64encode(json.dumps({"username": user, "password": password}).encode()).decode()
        for name, (user, password) in stack.registries.items()
    }
