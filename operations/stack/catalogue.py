"""The catalogue: one YAML file per service, read from this package and from the operator's own folders."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from string import Formatter
from typing import Any

import yaml

from . import probes, registry
from .env_file import KEY_RULE
from .errors import CatalogueError

CAUSES, IMAGES = "causes.yml", "images.yml"  # of a service, beside its own file: see diagnosis.py and images.py
_OWN = Path(__file__).parent.parent / "services"
_OPTIONAL = re.compile(r"^.*#\? ([\w|-]+)[ \t]*(?:\n|\Z)", re.MULTILINE)
_START_INTERVAL = re.compile(r"^[ \t]*start_interval:.*(?:\n|\Z)", re.MULTILINE)
_VARIABLE = re.compile(r"(?<=[ \t])\$\{(?P<alone>\w+)\}(?=[ \t]*(?:#|\n|\Z))|\$\{(?P<part>\w+)\}")
_WORD = re.compile(r"[A-Za-z0-9_./][\w./:@%+=-]*(?<!:)")
_FLEET_KEYS = {"provides", "rests_during_changes", "settings", "variables", "env", "env_from", "checks", "update", "overlay"}
_OVERLAY = {"options": dict, "healthcheck": bool, "volumes": list, "inline": bool}
_OPTIONS = {"without": list, "with": list, "variable": str}
_UPDATES = ("recreate", "rolling")


@dataclass(frozen=True)
class Provided:
    """What a catalogue file says of a credential that its service provides: {<name>: {kind: …, secret: …, port: …}}.

    + kind: the kind of credential
    + secret: the setting that refers to its secret
    + port: where its server listens
    """

    kind: str
    secret: str
    port: int


@dataclass(frozen=True)
class Service:
    """One entry of the catalogue.

    + name: the service's name in Compose, and the file's
    + text: the file, byte for byte
    + needs: the services named in its `depends_on`, but for those with `required: false`
    + optional_needs: those; it waits for them only where they are there
    + rolling: a new container is started beside the old one, which goes when the new one is healthy
    + replicas: how many containers it has
    + reads_env: whether its container reads its env file
    + env_path: that file, relative to the stack's folder
    + settings: settings that this file adds, with their defaults
    + variables, env: name → template; what `${name}` in the file stands for, and keys of the env file
    + alternatives: the keys of `env` that are several ways to log in, as in `KEY?`: a service of the project keeps its own
    + env_from: the setting that holds further keys of the env file
    + provides: name → the credential that it provides
    + rests_during_changes: it is stopped for as long as other services change, since it would interfere
    + overlay: what its login needs where the project defines it: `options` of its command (the names of those that go, those that
      come, the variable of its environment that may hold them), whether its `healthcheck` logs in, the targets of the `volumes` of
      this file that it needs, and whether what it reads from env files is put `inline`, so that it reads none
    """

    name: str
    text: str
    needs: tuple[str, ...]
    reads_env: bool
    optional_needs: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    env_from: str | None = None
    rolling: bool = False
    replicas: int = 1
    provides: Mapping[str, Provided] = field(default_factory=dict)
    probes: tuple[probes.Probe, ...] = ()
    file: str | None = None
    rests_during_changes: bool = False
    overlay: Mapping[str, Any] = field(default_factory=dict)
    alternatives: frozenset[str] = frozenset()

    @property
    def env_path(self) -> str:
        return self.file or f"env/{self.name}.env"

    @cached_property
    def conditions(self) -> frozenset[str]:
        """The names after `#?`: see `fragment`."""
        return frozenset(name for names in _OPTIONAL.findall(self.text) for name in names.split("|"))

    def fragment(self, start_interval: bool, given: Collection[str] = (), values: Mapping[str, str] | None = None) -> str:
        """The file as it lies on a host.

        + start_interval: engines before 25 do not know it, and Compose refuses it there
        + values: what its variables stand for; any other `${name}` is for Compose
        + given: the services of the host, and the settings that have a value; a line that ends in `#? <name>` stands only where
          its name is among them, one that ends in `#? <name>|<name>` where one of them is
        """
        text = _VARIABLE.sub(lambda found: _filled(found, values or {}), _without(self.text, given))
        return text if start_interval else _START_INTERVAL.sub("", text)

    def standing(self, given: Collection[str]) -> Service:
        """The service as it is on a host with what is `given`: without the lines that do not stand there.

        Raises CatalogueError where what is left is no YAML.
        """
        return _standing(self.name, self.text, self.conditions.intersection(given)) if self.conditions else self


def _without(text: str, given: Collection[str]) -> str:
    """The text without the lines that do not stand."""
    return _OPTIONAL.sub(lambda line: line[0] if set(line[1].split("|")) & set(given) else "", text)


def _filled(found: re.Match[str], values: Mapping[str, str]) -> str:
    """A variable's value as YAML has it; Compose takes `$$` for `$`."""
    name = found["alone"] or found["part"]
    if name not in values:
        return found[0]
    value = values[name].replace("$", "$$")
    if found["alone"]:
        return value if _WORD.fullmatch(value) else json.dumps(value, ensure_ascii=False)
    return json.dumps(value, ensure_ascii=False)[1:-1]


def client(name: str, path: str, env: Mapping[str, str]) -> Service:
    """A service that the project defines itself, with the env file `path`, in which the keys of `env` are set."""
    text = f"services: {{{name}: {{}}}}\n"
    return Service(name, text, needs=(), reads_env=True, env=env, file=path)


@cache
def catalogue(dirs: tuple[str, ...] = ()) -> Mapping[str, Service]:
    """Every service that can be named in `services`; a file in a later folder replaces one of the same name.

    Raises CatalogueError with every problem of every file at once.
    """
    services: dict[str, Service] = {}
    problems: list[str] = []
    for folder in (*sorted(path for path in _OWN.iterdir() if path.is_dir()), *map(Path, dirs)):
        if not folder.is_dir():
            problems.append(f"catalog_dirs: {folder} is no folder. Correct the path, or remove it.")
            continue
        for path in sorted(path for path in folder.glob("*.yml") if path.name not in (CAUSES, IMAGES)):
            try:
                services[path.stem] = read_service(path)
            except CatalogueError as error:
                problems += error.problems
    if problems:
        raise CatalogueError(problems)
    return services


def setting_of(service: str, name: str) -> str:
    """The setting of a service: `my_app_port` for `port` of my-app."""
    return f"{service.replace('-', '_')}_{name}"


@cache
def server_settings(dirs: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The settings that name the host of the inventory whose server is used."""
    return tuple(setting_of(name, "host") for name, service in catalogue(dirs).items() if service.provides)


def folders_of(data: Mapping[str, Any]) -> tuple[str, ...]:
    """The operator's own folders in a host's data; none where the setting is wrong, which is told with the other settings."""
    dirs = data.get("catalog_dirs") or ()
    return tuple(dirs) if isinstance(dirs, list | tuple) and all(isinstance(folder, str) for folder in dirs) else ()


def template_names(template: str) -> frozenset[str]:
    """The names in a template. Raises ValueError for what is no plain {name}."""
    names = set()
    for _, name, spec, conversion in Formatter().parse(template):
        if name is None:
            continue
        if spec or conversion or not all(part.isidentifier() for part in name.split(".", 1)):
            raise ValueError("expected a plain {name} in braces")
        names.add(name)
    return frozenset(names)


def read_service(path: Path) -> Service:
    """One file of the catalogue. Raises CatalogueError with every problem of the file."""
    try:
        text = path.read_text(encoding="utf-8")
        document = yaml.load(text, _Loader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise CatalogueError([f"{path}: cannot be read: {' '.join(str(error).split())}"]) from error
    problems = list(_document_problems(path.stem, document))
    if not problems and "start_interval" in text and not _same_without_start_interval(document, text, path.stem):
        problems = ["start_interval: must stand on a line of its own, so that older engines can do without it."]
    if problems:
        raise CatalogueError([f"{path}: {problem}" for problem in problems])
    return _entry(path.stem, text, document)


@cache
def _standing(name: str, text: str, given: frozenset[str]) -> Service:
    text = _without(text, given)
    try:
        return _entry(name, text, yaml.load(text, _Loader))
    except yaml.YAMLError as error:
        raise CatalogueError([f"{name}: without the lines that end in `#? <name>`: {' '.join(str(error).split())}"]) from error


def _entry(name: str, text: str, document: Mapping[str, Any]) -> Service:
    fleet, definition = document.get("x-fleet") or {}, document["services"][name]
    depends = definition.get("depends_on") or ()
    needs = tuple(_required(depends))
    return Service(
        name=name,
        text=text,
        needs=needs,
        optional_needs=tuple(other for other in depends if other not in needs),
        reads_env=f"env/{name}.env" in {_relative(p) for p in _env_files(definition)},
        settings=fleet.get("settings") or {},
        variables=fleet.get("variables") or {},
        env={key.removesuffix("?"): text for key, text in (fleet.get("env") or {}).items()},
        alternatives=frozenset(key[:-1] for key in fleet.get("env") or {} if key.endswith("?")),
        env_from=fleet.get("env_from"),
        rolling=fleet.get("update") == "rolling",
        provides={name: Provided(**one) for name, one in (fleet.get("provides") or {}).items()},
        replicas=_replicas(definition),
        probes=tuple(probes.probe(name, check) for check in fleet.get("checks") or ()),
        rests_during_changes=fleet.get("rests_during_changes", False),
        overlay=fleet.get("overlay") or {},
    )


@cache  # of hosts that share a stack, each asks for it
def read_definition(text: str, service: str) -> Mapping[str, Any]:
    """What a file says of a service."""
    found: Mapping[str, Any] = yaml.load(text, _Loader)["services"][service]
    return found


class _Loader(yaml.SafeLoader):
    """Reads Compose's tags (`!reset`, `!override`) as if they were not there: only the services' relations matter here."""


def _untagged(loader: yaml.SafeLoader, _suffix: str, node: Any) -> Any:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    tag = loader.resolve(yaml.ScalarNode, node.value, (node.style is None, False))  # type: ignore[no-untyped-call]
    return loader.construct_object(yaml.ScalarNode(tag, node.value))


_Loader.add_multi_constructor("!", _untagged)


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
    yield from _type_problem("env_from", fleet.get("env_from") or "", str, "the name of a setting")
    yield from _shape_problems("overlay", fleet.get("overlay") or {}, _OVERLAY)
    yield from _type_problem("rests_during_changes", fleet.get("rests_during_changes", False), bool, "true or false")
    if fleet.get("update", "recreate") not in _UPDATES:
        yield f"x-fleet: update: is {fleet['update']!r}, expected one of {', '.join(_UPDATES)}."
    elif fleet.get("update") == "rolling" and services[name].get("ports"):
        yield "x-fleet: update: rolling: two containers cannot publish one port. Take `ports` out, or put a proxy before it."
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


def _same_without_start_interval(document: Mapping[str, Any], text: str, name: str) -> bool:
    try:
        without = yaml.load(_START_INTERVAL.sub("", text), _Loader)
    except yaml.YAMLError:
        return False
    wanted = copy.deepcopy(document)
    healthcheck = wanted["services"][name].get("healthcheck")
    if isinstance(healthcheck, dict):
        healthcheck.pop("start_interval", None)
    return bool(without == wanted)


def _provides_problems(provides: object) -> Iterator[str]:
    yield from _type_problem("provides", provides, dict, "a mapping of names to credentials")
    expected = {"kind": str, "secret": str, "port": int}
    for name, one in provides.items() if isinstance(provides, dict) else ():
        if not isinstance(name, str) or not name.isidentifier():
            yield f"x-fleet: provides: {name!r} is no name for templates. Use letters, digits and _."
        if (
            not isinstance(one, dict)
            or one.keys() != expected.keys()
            or not all(isinstance(one[k], t) for k, t in expected.items())
        ):
            yield f"x-fleet: provides: {name}: expected `kind` (text), `secret` (the name of a setting) and `port` (a number)."
        elif one["kind"] not in registry.kinds():
            yield f"x-fleet: provides: {name}: there is no kind {one['kind']!r}; known are {', '.join(sorted(registry.kinds()))}."


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


def _replicas(definition: Mapping[str, Any]) -> int:
    deploy = definition.get("deploy")
    count = definition.get("scale") or (deploy.get("replicas") if isinstance(deploy, Mapping) else None)
    return count if isinstance(count, int) else 1


def _required(needs: Sequence[str] | Mapping[str, Any]) -> Iterator[str]:
    """Compose 2.20 and later starts a service without those that it does not require."""
    for name in needs:
        how = needs[name] if isinstance(needs, Mapping) else None
        if not (isinstance(how, Mapping) and how.get("required") is False):
            yield name


def _env_files(definition: Mapping[str, Any]) -> Sequence[str]:
    entry = definition.get("env_file") or ()
    entries = [entry] if isinstance(entry, str | dict) else entry
    return [e["path"] if isinstance(e, dict) else e for e in entries]


def _relative(path: str) -> str:
    return path.removeprefix("${STACK_ROOT}/").removeprefix("./")
