"""What a service that the project defines itself gets from us: its login, and what settings ask for. All else of it stays. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import yaml

from .service import Service, read_definition, setting_of
from .settings import Settings
from .snapshot import Difference

_PARTS = {"image": ("image",), "ports": ("port", "publish")}  # of a definition → the settings that ask for it
_PASSWORDS = re.compile(r"pass|secret|auth", re.IGNORECASE)  # as lib/overlay.jq leaves out
_HIDDEN = re.compile(r"pass|secret|auth|token|key", re.IGNORECASE)


def chosen(service: Service, settings: Settings) -> tuple[str, ...]:
    """The parts of its definition that the operator's settings ask for, because they are not what the catalogue has."""

    def asked(name: str) -> bool:
        value = settings.of(service.entry, name)
        return value is not None and value != service.settings.get(setting_of(service.entry, name))

    return tuple(part for part, names in _PARTS.items() if any(map(asked, names)))


def leaves(service: Service, settings: Settings) -> bool:
    """Whether nothing is laid over a service that the project defines itself."""
    return not (service.reads_env or service.overlay or chosen(service, settings))


def overlay(service: Service, definition: str, keys: Collection[str], settings: Settings, root: str) -> str:
    """The fragment of a service that the project defines itself.

    + definition: the fragment of one that it does not
    + keys: the managed keys of its env file
    + root: the way from the project's folder to the stack's
    """
    whole = read_definition(definition, service.name)
    parts: dict[str, Any] = {part: whole[part] for part in chosen(service, settings) if part in whole}
    if service.reads_env:
        parts["env_file"] = [{"path": f"{root}/{service.env_path}", "required": False}]
        # what stands there overrides the env file
        parts["environment"] = dict.fromkeys(keys, _Reset())
    if targets := service.overlay.get("volumes"):
        parts["volumes"] = [one for one in whole["volumes"] if _target(one) in targets]
    if "ports" in parts:
        parts["ports"] = _Override(parts["ports"])
    said = yaml.dump({"services": {service.name: parts}}, Dumper=_Dumper, sort_keys=False, width=1000, allow_unicode=True)
    return f"# The project defines {service.name} itself: this is laid over it.\n{said}"


def needs(service: Service, definition: str, keys: Collection[str]) -> Mapping[str, Any]:
    """What of it is made on the host, from the project's own definition: see scripts/lib/overlay.jq."""
    told = service.overlay
    found: dict[str, Any] = {"keys": [*keys] if service.reads_env else [], "options": told.get("options")}
    if told.get("inline"):
        found["inline"] = True
    if told.get("healthcheck"):
        found["healthcheck"] = read_definition(definition, service.name)["healthcheck"]["test"]
    return found


def unasked(
    service: Service | None, keys: Collection[str], settings: Settings, found: Collection[Difference], dotenv: Collection[str] = ()
) -> Iterator[Difference]:
    """The differences of a service that neither its login needs nor a setting asks for.

    + keys: the managed ones of its env file
    + dotenv: those of `.env`, which come into what reads that file too, once it is recreated
    """
    if service is None:
        yield from found
        return
    options = service.overlay.get("options") or {}
    allowed = {f"environment.{key}" for key in keys if service.reads_env}
    allowed |= set() if leaves(service, settings) else {f"environment.{key}" for key in dotenv}
    allowed |= {"command", "entrypoint", f"environment.{options.get('variable')}"} if options else set()
    allowed |= {f"volumes.{target}" for target in service.overlay.get("volumes") or ()}
    allowed |= {"healthcheck.test"} if service.overlay.get("healthcheck") else set()
    parts = chosen(service, settings)
    for one in found:
        part, _, name = one.path.partition(".")
        gone = service.overlay.get("inline") and part == "environment" and not one.after and _PASSWORDS.search(name)
        if not (one.path in allowed or part in parts or gone):
            yield one


def hidden(path: str) -> bool:
    """Whether what stands there may hold a secret."""
    part, _, name = path.partition(".")
    return part in ("command", "entrypoint", "healthcheck") or bool(_HIDDEN.search(name))


def _target(volume: Any) -> str:
    return str(volume.get("target")) if isinstance(volume, Mapping) else str(volume).split(":")[1]


class _Reset:
    """Nothing, whatever is merged."""


class _Override(list[Any]):
    """A list in the place of what is merged."""


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: object) -> bool:
        return True


_Dumper.add_representer(_Reset, lambda dumper, _: dumper.represent_sequence("!reset", [], flow_style=True))
_Dumper.add_representer(_Override, lambda dumper, data: dumper.represent_sequence("!override", data))
