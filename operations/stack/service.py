"""One service of the catalogue: what its file says."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import Any

import yaml

from . import probes
from .errors import CatalogueError

START_INTERVAL = re.compile(r"^[ \t]*start_interval:.*(?:\n|\Z)", re.MULTILINE)
_OPTIONAL = re.compile(r"^.*#\? ([\w|-]+)[ \t]*(?:\n|\Z)", re.MULTILINE)
_VARIABLE = re.compile(r"(?<=[ \t])\$\{(?P<alone>\w+)\}(?=[ \t]*(?:#|\n|\Z))|\$\{(?P<part>\w+)\}")
_WORD = re.compile(r"[A-Za-z0-9_./][\w./:@%+=-]*(?<!:)")


@dataclass(frozen=True)
class Provided:
    """What a catalogue file says of a credential that its service provides: {<name>: {kind: …, secret: …, port: …}}.

    + kind: the kind of credential
    + secret: the setting that refers to its secret
    + port: where its server listens; 0 for a kind that no server takes
    + when_changed: what another secret does to people, where that is not kept from them
    """

    kind: str
    secret: str
    port: int = 0
    when_changed: str = ""


@dataclass(frozen=True)
class Service:
    """One entry of the catalogue.

    + name: the service's name in Compose, and the file's
    + catalogued: the file's, where the project has another name for the service
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
    + refuses: keys that neither that setting nor a host may have → why not
    + provides: name → the credential that it provides
    + state: the credential whose server keeps its state: hosts that use one server of it have replicas of the service
    + pinned: whether every host runs the same image of it; not where another program updates it
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
    refuses: Mapping[str, str] = field(default_factory=dict)
    rolling: bool = False
    replicas: int = 1
    provides: Mapping[str, Provided] = field(default_factory=dict)
    state: str | None = None
    probes: tuple[probes.Probe, ...] = ()
    file: str | None = None
    rests_during_changes: bool = False
    pinned: bool = True
    overlay: Mapping[str, Any] = field(default_factory=dict)
    alternatives: frozenset[str] = frozenset()
    catalogued: str = ""

    @property
    def entry(self) -> str:
        """The name that its settings begin with."""
        return self.catalogued or self.name

    @property
    def env_path(self) -> str:
        return self.file or f"env/{self.entry}.env"

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
        return text if start_interval else START_INTERVAL.sub("", text)

    def standing(self, given: Collection[str]) -> Service:
        """The service as it is on a host with what is `given`: without the lines that do not stand there.

        Raises CatalogueError where what is left is no YAML.
        """
        return _standing(self.name, self.text, self.conditions.intersection(given)) if self.conditions else self

    def renamed(self, names: Mapping[str, str]) -> Service:
        """The service in a project that has other names for some.

        + names: name in the catalogue → in the project
        """
        name = names.get(self.name, self.name)
        if not names.keys() & {self.name, *self.needs, *self.optional_needs}:
            return self
        return replace(
            self,
            name=name,
            catalogued=self.name if name != self.name else "",
            text=_renamed(self.text, names),
            needs=tuple(names.get(one, one) for one in self.needs),
            optional_needs=tuple(names.get(one, one) for one in self.optional_needs),
            probes=tuple(replace(probe, service=name) for probe in self.probes),
        )


def _renamed(text: str, names: Mapping[str, str]) -> str:
    """The text with other names where it defines a service, and where it says which ones that depends on."""
    services = _value(yaml.compose(text, Loader), "services")
    places = [key for key, _ in services.value]
    for _, definition in services.value:
        if (depends := _value(definition, "depends_on")) is not None:
            places += [one[0] if isinstance(one, tuple) else one for one in depends.value]
    for place in reversed(places):
        if place.value in names:
            text = text[: place.start_mark.index] + names[place.value] + text[place.end_mark.index :]
    return text


def _value(node: Any, key: str) -> Any:
    return next((value for name, value in node.value if name.value == key), None)


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


def setting_of(service: str, name: str) -> str:
    """The setting of a service: `my_app_port` for `port` of my-app."""
    return f"{service.replace('-', '_')}_{name}"


@cache
def _standing(name: str, text: str, given: frozenset[str]) -> Service:
    text = _without(text, given)
    try:
        return entry(name, text, yaml.load(text, Loader))
    except yaml.YAMLError as error:
        raise CatalogueError([f"{name}: without the lines that end in `#? <name>`: {' '.join(str(error).split())}"]) from error


def entry(name: str, text: str, document: Mapping[str, Any]) -> Service:
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
        refuses=fleet.get("refuses") or {},
        rolling=fleet.get("update") == "rolling",
        state=fleet.get("state"),
        provides={name: Provided(**one) for name, one in (fleet.get("provides") or {}).items()},
        replicas=_replicas(definition),
        probes=tuple(probes.probe(name, check) for check in fleet.get("checks") or ()),
        rests_during_changes=fleet.get("rests_during_changes", False),
        pinned=fleet.get("pin", True),
        overlay=fleet.get("overlay") or {},
    )


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


@cache  # of hosts that share a stack, each asks for it
def read_definition(text: str, service: str) -> Mapping[str, Any]:
    """What a file says of a service."""
    found: Mapping[str, Any] = yaml.load(text, Loader)["services"][service]
    return found


class Loader(yaml.SafeLoader):
    """Reads Compose's tags (`!reset`, `!override`) as if they were not there: only the services' relations matter here."""


def _untagged(loader: yaml.SafeLoader, _suffix: str, node: Any) -> Any:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    tag = loader.resolve(yaml.ScalarNode, node.value, (node.style is None, False))  # type: ignore[no-untyped-call]
    return loader.construct_object(yaml.ScalarNode(tag, node.value))


Loader.add_multi_constructor("!", _untagged)
