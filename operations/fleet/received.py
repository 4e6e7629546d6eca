"""What comes back from a worker, taken as data: bounded, of the form that it must have, without control characters."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from functools import cache
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from ..report.model import RunReport
from ..stack.shards import VARIABLE
from ..stack.text import clean as clean_text
from .worker import Outcome, limit

_LOAD = f"{__name__.partition('.')[0]}.controller.inventory.load"
_LONGEST = 4000  # characters of what a worker says


def text(value: object) -> str:
    """What a worker says, as it may be printed."""
    said = str(value)
    return clean_text(said if len(said) <= _LONGEST else f"{said[:_LONGEST]} …", lines=True)


def digests(answer: object) -> Mapping[str, str] | str:
    """What a run on a worker depends on; or, as text, why it cannot run."""
    if isinstance(answer, Mapping):
        if isinstance(problems := answer.get("problems"), list) and problems:
            return text("\n".join(map(str, problems)))
        found = answer.get("digests")
        if isinstance(found, Mapping) and found and all(isinstance(one, str) for pair in found.items() for one in pair):
            return {text(name): digest for name, digest in found.items()}
    return "It gave no answer that can be understood. Start it anew, with the same commit as the others."


def outcome(value: object, shard: Sequence[str]) -> Outcome:
    """What a worker says that a shard came to. A report that is none, or not of these hosts, is an error of the shard."""
    if not _form(Outcome)(value):
        return Outcome(None, "The worker's answer is none. Start it anew, with the same commit as the others.")
    given: Outcome = value  # type: ignore[assignment]  # as has just been seen
    where = text(given.where)
    found = replace(given, said=text(given.said), where=where)
    if given.report is None:
        return found
    try:
        if len(given.report) > limit(len(shard)):
            raise ValueError
        report = clean(json.loads(given.report))
        fits = _form(RunReport)(RunReport.from_dict(report))
    except (LookupError, TypeError, ValueError, AttributeError, RecursionError):
        fits = False
    if not fits:
        said = found.said or f"The report of its shard on {where} is not of the form or size that it must have."
        return replace(found, report=None, said=said)
    known = set(shard)
    mine = {name: host for name, host in report["hosts"].items() if name in known}
    strange = len(mine) < len(report["hosts"])
    said = f"The inventory on {where} does not keep to {VARIABLE}. Its hosts must come from {_LOAD}." if strange else ""
    return replace(found, report={**report, "hosts": mine}, said=found.said or said)


def clean(value: Any) -> Any:
    """The same, in which every text is without control characters."""
    if isinstance(value, str):
        return value if value.isprintable() else clean_text(value, lines=True)
    if isinstance(value, list):
        return [clean(one) for one in value]
    return {clean(key): clean(one) for key, one in value.items()} if isinstance(value, dict) else value


def progress(value: object) -> tuple[str, float] | None:
    """The first host of a shard, and how much of it is done, 0 to 1; None for what is no such thing."""
    name, part = value if isinstance(value, list | tuple) and len(value) == 2 else (None, None)
    return (name, part) if isinstance(name, str) and isinstance(part, float) and 0 <= part <= 1 else None


@cache
def _form(hint: Any) -> Callable[[Any], bool]:
    """Whether a value is of a type, as the report's model writes types, all the way down."""
    origin, inner = get_origin(hint), get_args(hint)
    if isinstance(hint, type) and is_dataclass(hint):
        hints = get_type_hints(hint)
        parts = [(field.name, _form(hints[field.name])) for field in fields(hint)]
        return lambda value: isinstance(value, hint) and all(fits(getattr(value, name)) for name, fits in parts)
    if origin in (Union, UnionType):
        choices = [_form(one) for one in inner]
        return lambda value: any(fits(value) for fits in choices)
    if origin is Literal:
        return lambda value: isinstance(value, str) and value in inner
    if origin is tuple:  # of any length
        each = _form(inner[0])
        return lambda value: isinstance(value, tuple) and all(map(each, value))
    if origin is not None:  # a mapping
        key, one = map(_form, inner)
        return lambda value: isinstance(value, Mapping) and all(key(name) and one(found) for name, found in value.items())
    if hint is Any:
        return lambda value: True
    types: Any = (float, int) if hint is float else hint
    return lambda value: isinstance(value, types)
