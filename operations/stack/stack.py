"""The stack as it is desired on one host. Nothing here knows a host."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from . import overlay
from .files import EnvFile, File, Folder
from .pins import Pin
from .probes import Probe
from .service import Service, read_definition
from .settings import Settings
from .snapshot import UNKNOWN, SeenDefinition, Snapshot

BASE = "compose.yml"
APPLIED = ".fleet/applied.json"
FRAGMENTS = ".fleet/fragments"
OVERLAY = "compose.d/.overlay.yml"  # made on the host from the project's own files: see scripts/lib/overlay.jq
_MOST_VARIANTS = 20
_IMAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9./:_-]*")  # one without a digest
_MINIMAL_BASE = """\
# The base file of this Compose project. What you add here is kept; the services of compose.d are merged over it.
services: {}
"""


@dataclass(frozen=True, eq=False)
class Stack:
    """Everything that a host should have, made by `build.build`. Hosts that should have the same share one.

    + files: the project's own Compose files, relative to its folder
    + credentials: those that its services take or use; credential.py, which knows stacks, says what they are
    + resting: the services that rest while others change
    + ahead: the hosts whose replica of a service goes before the one here
    + variables: service → what `${…}` in its fragment stands for
    + pins: name of an image → the one that every host is to run
    + registries: those that want a login → user and password
    + secrets: the values of all secrets
    """

    settings: Settings
    files: tuple[str, ...]
    services: tuple[Service, ...]
    dotenv: EnvFile
    env_files: tuple[EnvFile, ...]
    probes: tuple[Probe, ...]
    given: frozenset[str] = frozenset()
    credentials: tuple[Any, ...] = ()
    resting: tuple[str, ...] = ()
    ahead: tuple[str, ...] = ()
    variables: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    pins: Mapping[str, Pin] = field(default_factory=dict)
    registries: Mapping[str, tuple[str, str]] = field(default_factory=dict, repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)

    def only(self, names: Collection[str]) -> Stack:
        """The part of the stack that the services with these names make up."""
        services = tuple(service for service in self.services if service.name in names)
        env = {service.env_path for service in services}
        return replace(
            self,
            services=services,
            env_files=tuple(file for file in self.env_files if file.path in env),
            probes=tuple(probe for probe in self.probes if probe.service in names),
        )

    def has(self, service: str) -> bool:
        """Whether the service runs on this host."""
        return any(one.name == service for one in self.services)

    def waits_for(self, service: Service) -> tuple[str, ...]:
        """The services that it waits for on this host."""
        return (*service.needs, *(name for name in service.optional_needs if self.has(name)))

    def credential(self, name: str) -> Any:
        """The credential with this name, or None."""
        return next((one for one in self.credentials if one.name == name), None)

    def path(self, inside: str) -> str:
        """The absolute path of one below the stack's folder, as Docker writes it."""
        return posixpath.normpath(posixpath.join(self.settings.stack_dir, inside))

    @property
    def project_dir(self) -> str:
        """The folder of the Compose project: that of its first file."""
        return self.path(posixpath.dirname(self.files[0]))

    def clients(self, credential: str) -> tuple[str, ...]:
        """The services that get this credential in their env file."""
        paths = {file.path for file in self.env_files if any(credential in names for names in file.uses.values())}
        return tuple(service.name for service in self.services if service.env_path in paths)

    @cached_property
    def published(self) -> tuple[tuple[str, str, int], ...]:
        """Where its services are published: service, address and port of the host."""
        found = []
        for service, file in zip(self.services, self.fragments(True), strict=True):
            for text in filter(lambda one: isinstance(one, str), read_definition(file.content, service.name).get("ports") or ()):
                address, _, port = text.rpartition(":")[0].rpartition(":")
                found += [(service.name, address.strip("[]") or "0.0.0.0", int(port))] if port.isdigit() else []
        return tuple(found)

    @property
    def servers(self) -> tuple[str, ...]:
        """The other hosts whose servers its services use."""
        return tuple(dict.fromkeys(one.host for one in self.credentials if one.host))

    def base(self) -> tuple[File, ...]:
        """The base file, written only where there is none; the project's own files are never written."""
        return (File(BASE, "0644", _MINIMAL_BASE),) if self.files == (BASE,) else ()

    def fragments(self, start_interval: bool, own: Mapping[str, SeenDefinition] | None = None) -> tuple[File, ...]:
        """The fragments for an engine that knows `start_interval`, or does not.

        + own: the services that the project's own files define
        """
        whole = self._new_fragments if start_interval else self._old_fragments
        if not own:
            return whole
        return tuple(self._overlay(one, file) if one.name in own else file for one, file in zip(self.services, whole, strict=True))

    @cached_property
    def _new_fragments(self) -> tuple[File, ...]:
        return tuple(self._fragment(service, True) for service in self.services)

    @cached_property
    def _old_fragments(self) -> tuple[File, ...]:
        return tuple(self._fragment(service, False) for service in self.services)

    def _fragment(self, service: Service, start_interval: bool) -> File:
        values = self.variables.get(service.name, {})
        file = File(fragment_path(service.name), "0644", service.fragment(start_interval, self.given, values))
        return self._overlay(service, file) if service.file else file

    def _overlay(self, service: Service, whole: File) -> File:
        root, keys = self.variables[service.name]["STACK_ROOT"], self._asked(service)
        return replace(whole, content=overlay.overlay(service, whole.content, keys, self.settings, root))

    def _asked(self, service: Service) -> tuple[str, ...]:
        """The keys of its env file that nothing may override."""
        file = self.env_file(service)
        return tuple(key for key in file.offered if key in file.asked) if file else ()

    def env_file(self, service: Service) -> EnvFile | None:
        """The env file of a service, which others may have too."""
        return next((file for file in self.env_files if file.path == service.env_path), None)

    def images(self, seen: Snapshot) -> Mapping[str, str]:
        """Service → its image, of those that our fragments give one on this host, and that are to be the same everywhere.

        A name with a digest in it is that everywhere already.
        """
        own = {} if seen.own is UNKNOWN else seen.own.services
        if not self.settings.pin:
            return {}
        if not own:
            return self._images
        return self._images_of(self.fragments(False, own))

    @property
    def compose_pull(self) -> str:
        """When Compose pulls images itself: what is pinned was brought before."""
        pull = self.settings.pull
        if pull == "always":
            return "missing" if all(self._images.get(one.name) in self.pins for one in self.services) else pull
        return "never" if pull == "copy" else pull

    def pinned(self, known: Mapping[str, Pin]) -> Stack:
        """The same with the pins of its images; one for all hosts that share it."""
        names = set(self._images.values())
        mine = {name: pin for name, pin in known.items() if name in names}
        for one in (self, *self._pinned):
            if mine == one.pins and all(pin.why == one.pins[name].why for name, pin in mine.items()):
                return one
        self._pinned.append(found := replace(self, pins=mine))
        return found

    @cached_property
    def _pinned(self) -> list[Stack]:
        return []

    @cached_property
    def _images(self) -> Mapping[str, str]:
        return self._images_of(self._old_fragments)

    def _images_of(self, fragments: Iterable[File]) -> Mapping[str, str]:
        told = {
            service.name: read_definition(file.content, service.name).get("image")
            for service, file in zip(self.services, fragments, strict=True)
            if service.pinned
        }
        return {service: image for service, image in told.items() if isinstance(image, str) and _IMAGE.fullmatch(image)}

    def overlays(self, own: Mapping[str, SeenDefinition] | None = None) -> dict[str, dict[str, Any]]:
        """Service → its overlay, what is made of it on the host (scripts/lib/overlay.jq), and what is asked of its own definition.

        + own: the services that the project's own files define; all that they could, where that is not known yet
        """
        told: dict[str, dict[str, Any]] = {}
        for service, whole in zip(self.services, self._old_fragments, strict=True):
            if own is None or service.name in own:
                file = self.env_file(service)
                needed = overlay.needs(service, whole.content, self._asked(service))
                asked = {"env": [*file.offered, *file.refused] if file else [], "urls": sorted(file.urls) if file else []}
                told[service.name] = {**needed, **asked, "text": self._overlay(service, whole).content}
        return told

    def adapted(self, seen: Snapshot) -> Stack:
        """The same for a host that was seen: what is the host's own there stays."""
        own = {} if seen.own is UNKNOWN else seen.own.services
        files = tuple(self._adapted(file, own, seen) for file in self.env_files)
        credentials = tuple(one.on(seen) for one in self.credentials)
        for known in (self, *self._variants):  # hosts that share a stack share these too, and what they have worked out
            if files == known.env_files and credentials == known.credentials:
                return known
        self._variants.append(variant := replace(self, env_files=files, credentials=credentials))
        del self._variants[:-_MOST_VARIANTS]
        return variant

    @cached_property
    def _variants(self) -> list[Stack]:
        return []

    def _adapted(self, file: EnvFile, own: Mapping[str, SeenDefinition], seen: Snapshot) -> EnvFile:
        there = {} if seen.env is UNKNOWN else seen.env.get(file.path) or {}
        mine = [own[one.name] for one in self.services if one.env_path == file.path and one.name in own]
        theirs = {key for one in mine for key in one.keys}
        # where the project defines the service, what it says besides the login is its own
        left = {key for key in file.lines if key not in file.asked and mine and (key in there or key in theirs)}
        if mine and not any(one.reads_env for one in self.services if one.env_path == file.path):
            left |= {key for key in file.lines if key not in file.uses or key not in there}  # for people alone
        chosen = file.alternatives & (there.keys() | theirs) if mine else frozenset()
        if chosen & file.urls:  # it logs in with this URL, and needs no other way
            left |= file.alternatives - chosen
        elif chosen:
            left |= file.alternatives & file.urls
        urls = {key: url for one in mine for key, url in one.urls.items()} | dict(seen.urls.get(file.path, {}) if mine else {})
        return file.without(left).around(urls)

    def manifest(self) -> File:
        """The names of the fragments that are ours, so that only those are ever removed, and behind each its name in the catalogue,
        where that is another."""
        lines = (f"{one.name} {one.catalogued}".rstrip() for one in self.services)
        return File(FRAGMENTS, "0600", "".join(f"{line}\n" for line in lines))

    def secret_files(self) -> tuple[File, ...]:
        """The files of its credentials."""
        return tuple(file for one in self.credentials for file in one.files())

    def folders(self) -> tuple[Folder, ...]:
        """Folders that belong to a server's own user. Docker would make them for everybody to read."""
        return tuple(folder for one in self.credentials for folder in one.folders())

    def managed_paths(self) -> tuple[str, ...]:
        """Every path that a snapshot must tell about."""
        fragments = [fragment_path(s.name) for s in self.services]
        env = [f.path for f in self.env_files]
        made = (".env", FRAGMENTS, OVERLAY)
        return (
            *self.files,
            *made,
            *fragments,
            *env,
            *(f.path for f in self.secret_files()),
            *(f.path for f in self.folders()),
        )

    def compose_files(self) -> tuple[str, ...]:
        """The Compose files that somebody wrote."""
        return tuple(path for path in self.inputs() if path not in (".env", OVERLAY))

    def inputs(self) -> tuple[str, ...]:
        """The files that Compose reads the definitions from."""
        return (*self.files, ".env", *(fragment_path(s.name) for s in self.services), OVERLAY)


def fragment_path(service: str) -> str:
    """Where a service's fragment lies, relative to the stack's folder."""
    return f"compose.d/{service}.yml"
