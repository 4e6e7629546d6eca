"""What is wrong with a file of the catalogue, in words for whoever wrote it."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from . import probes, registry
from .env_file import KEY_RULE
from .service import START_INTERVAL, Loader
from .templates import template_names

_FLEET_KEYS = {
    "provides", "state", "rests_during_changes", "settings", "variables", "env", "env_from", "refuses",
    "checks", "update", "overlay", "pin",
}  # fmt: skip
_OVERLAY = {"options": dict, "healthcheck": bool, "volumes": list, "inline": bool}
_OPTIONS = {"without": list, "with": list, "variable": str}
_UPDATES = ("recreate", "rolling")


def problems(name: str, text: str, document: object) -> list[str]:
    """+ name: the service's, as the file is called
    + document: what the text says
    """
    found = list(_document_problems(name, document))
    if not found and "start_interval" in text and not _same_without_start_interval(document, text, name):
        found = ["start_interval: must stand on a line of its own, so that older engines can do without it."]
    return found


def _document_problems(name: str, document: object) -> Iterator[str]:
    if not isinstance(document, dict):
        yield f"is a {type(document).__name__}, expected a mapping with `services`."
        return
    services = document.get("services")
    if not isinstance(services, dict) or list(services) != [name] or not isinstance(services[name], dict):
        yield f"must define exactly one service, called {name!r} as the file is."
        return
    if "container_name" in services[name]:
        yield "container_name: a fixed name keeps Compose from replacing the container beside the old. Remove it."
    yield from _definition_problems(services[name])
    fleet = document.get("x-fleet") or {}
    if not isinstance(fleet, dict):
        yield f"x-fleet: is a {type(fleet).__name__}, expected a mapping."
        return
    for key in sorted(map(str, fleet.keys() - _FLEET_KEYS)):
        yield f"x-fleet: unknown key {key!r}; known are {', '.join(sorted(_FLEET_KEYS))}."
    yield from _type_problem("settings", fleet.get("settings") or {}, dict, "a mapping of names to defaults")
    yield from _provides_problems(fleet.get("provides") or {})
    yield from _type_problem("state", fleet.get("state") or "", str, "the name of a credential")
    yield from _type_problem("env_from", fleet.get("env_from") or "", str, "the name of a setting")
    yield from _shape_problems("overlay", fleet.get("overlay") or {}, _OVERLAY)
    for key, default in (("rests_during_changes", False), ("pin", True)):
        yield from _type_problem(key, fleet.get(key, default), bool, "true or false")
    if fleet.get("update", "recreate") not in _UPDATES:
        yield f"x-fleet: update: is {fleet['update']!r}, expected one of {', '.join(_UPDATES)}."
    elif fleet.get("update") == "rolling" and services[name].get("ports"):
        yield "x-fleet: update: rolling: two containers cannot publish one port. Take `ports` out, or put a proxy before it."
    refused = fleet.get("refuses") or {}
    if not isinstance(refused, dict) or not all(isinstance(text, str) for pair in refused.items() for text in pair):
        yield "x-fleet: refuses: expected a mapping of names to sentences."
    for block in ("variables", "env"):
        yield from _template_problems(block, fleet.get(block) or {})
    checks = fleet.get("checks") or []
    yield from _type_problem("checks", checks, list, "a list")
    for check in checks if isinstance(checks, list) else ():
        yield from _check_problems(check)


def _shape_problems(block: str, value: object, shape: Mapping[str, type]) -> Iterator[str]:
    """A mapping whose keys and their types are told by `shape`."""
    words = ", ".join(f"{key} ({_TYPES[kind]})" for key, kind in shape.items())
    if not isinstance(value, dict) or not all(isinstance(one, shape.get(key, type(None))) for key, one in value.items()):
        yield f"x-fleet: {block}: expected a mapping with some of {words}."
    elif isinstance(options := value.get("options"), dict):
        yield from _shape_problems(f"{block}: options", options, _OPTIONS)


_TYPES = {dict: "a mapping", bool: "true or false", list: "a list", str: "text"}


def _type_problem(block: str, value: object, expected: type, words: str) -> Iterator[str]:
    if not isinstance(value, expected):
        yield f"x-fleet: {block}: is a {type(value).__name__}, expected {words}."


def _definition_problems(definition: Mapping[str, Any]) -> Iterator[str]:
    """What must be as Compose wants it, so that the relations of the services can be read."""
    needs, files = definition.get("depends_on") or {}, definition.get("env_file") or []
    if not isinstance(needs, dict | list) or not all(isinstance(name, str) for name in needs):
        yield "depends_on: expected a list or a mapping of services."
    entries = files if isinstance(files, list) else [files]
    if not all(isinstance(e.get("path") if isinstance(e, dict) else e, str) for e in entries):
        yield "env_file: expected a path, or a list of them."


def _same_without_start_interval(document: Any, text: str, name: str) -> bool:
    try:
        without = yaml.load(START_INTERVAL.sub("", text), Loader)
    except yaml.YAMLError:
        return False
    wanted = copy.deepcopy(document)
    healthcheck = wanted["services"][name].get("healthcheck")
    if isinstance(healthcheck, dict):
        healthcheck.pop("start_interval", None)
    return bool(without == wanted)


def _provides_problems(provides: object) -> Iterator[str]:
    yield from _type_problem("provides", provides, dict, "a mapping of names to credentials")
    known = {"kind": str, "secret": str, "port": int, "when_changed": str}
    for name, one in provides.items() if isinstance(provides, dict) else ():
        if not isinstance(name, str) or not name.isidentifier():
            yield f"x-fleet: provides: {name!r} is no name for templates. Use letters, digits and _."
        where, kinds = f"x-fleet: provides: {name}", registry.kinds()
        if (
            not isinstance(one, dict)
            or not {"kind", "secret"} <= one.keys() <= known.keys()
            or not all(isinstance(value, known[key]) for key, value in one.items())
            or (one["kind"] in kinds and kinds[one["kind"]].served and "port" not in one)
        ):
            yield f"{where}: expected `kind` (text), `secret` (the name of a setting) and `port` (a number)."
        elif one["kind"] not in kinds:
            yield f"{where}: there is no kind {one['kind']!r}; known are {', '.join(sorted(kinds))}."
        elif "port" in one and not kinds[one["kind"]].served:
            yield f"{where}: no server takes a {one['kind']}, so it has no `port`. Remove it."


def _template_problems(block: str, templates: object) -> Iterator[str]:
    if not isinstance(templates, dict):
        yield f"x-fleet: {block}: is a {type(templates).__name__}, expected a mapping of names to templates."
        return
    for key, template in templates.items():
        name = key.removesuffix("?") if isinstance(key, str) and block == "env" else key
        if not isinstance(name, str) or not KEY_RULE.fullmatch(name):
            yield f"x-fleet: {block}: {key!r} is no name of an environment variable."
        if not isinstance(template, str):
            yield f"x-fleet: {block}: {key}: is {template!r}, expected text. Put it in quotes."
        else:
            yield from _brace_problem(f"{block}: {key}", template)


def _brace_problem(where: str, template: str) -> Iterator[str]:
    try:
        template_names(template)
    except ValueError as error:
        yield f"x-fleet: {where}: {template!r}: {error}. Write a literal brace as {{{{ or }}}}."


def _check_problems(check: object) -> Iterator[str]:
    yield from (f"x-fleet: checks: {problem}" for problem in probes.problems(check))
    if not isinstance(check, dict):
        return
    for text in (check.get(key) for key in ("http", "url", "websocket", "tcp")):
        if isinstance(text, str):
            yield from _brace_problem(f"checks: {check.get('id')}", text)
