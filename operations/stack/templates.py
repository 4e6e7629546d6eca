"""Templates of the catalogue (`{name}`, `{credential.part}`), filled with settings, secrets and logins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from string import Formatter
from types import SimpleNamespace
from typing import Any

from .env_file import EnvValueError, line
from .files import EnvFile
from .probes import Probe
from .service import Provided, Service

SECRET_PARTS = ("password", "url", "value")  # of a login: those that hold its secret
_OLD_NAMES = ("password", "url", "host", "port", "db")  # as templates of 0.1 had them


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


class Templates:
    """What they are filled with, and what is found wrong on the way."""

    def __init__(
        self, values: Mapping[str, Any], secrets: Mapping[str, str], credentials: Sequence[Any], provided: Mapping[str, Provided]
    ) -> None:
        """+ provided: name → each credential that the catalogue knows"""
        self.values, self.secrets, self.credentials, self.provided = values, secrets, credentials, provided
        self.of_secret = {secret: one.name for one in credentials for secret in (one.provided.secret, *one.further)}
        self.secret_names = {*self.of_secret, *secrets}
        self.problems: list[str] = []

    def variables(self, service: Service) -> dict[str, str]:
        values = {"STACK_ROOT": str(self.values["STACK_ROOT"])}
        for key, template in service.variables.items():
            where = f"{service.name}: x-fleet: variables: {key}"
            told = sorted(name for name in template_names(template) if self.is_secret(name))
            self.problems += [f"{where}: {name} is a secret and would land in its fragment. Put it under `env`." for name in told]
            if not told:
                values[key] = self.text(where, template, self.logins(service.name))
        return values

    def env_files(self, services: Sequence[Service]) -> tuple[EnvFile, ...]:
        """One for each path, which several services may share."""
        files: dict[str, EnvFile] = {}
        for service in services:
            file = self.env_file(service)
            before = files.get(file.path, file).lines
            for key in sorted(before.keys() & file.lines.keys()):
                if before[key] != file.lines[key]:
                    self.problems.append(f"{service.name}: {file.path}: another service gives {key} another value there.")
            same = files.get(file.path, file)
            files[file.path] = replace(
                file,
                lines={**before, **file.lines},
                uses={**same.uses, **file.uses},
                urls=same.urls | file.urls,
                fixed=same.fixed | file.fixed,
                alternatives=same.alternatives | file.alternatives,
                asked=same.asked | file.asked,
                offered=tuple(dict.fromkeys((*same.offered, *file.offered))),
                refused={**same.refused, **file.refused},
            )
        return tuple(files.values())

    def env_file(self, service: Service) -> EnvFile:
        where = f"clients: {service.name}" if service.file else f"{service.name}: x-fleet: env"
        logins = self.logins(service.name)
        lines = {key: self.line(f"{where}: {key}", key, template, logins) for key, template in service.env.items()}
        uses = {key: found for key, template in service.env.items() if (found := self.used(template))}
        for key, value in self.further(service).items():
            if key in lines:
                self.problems.append(f"{service.env_from}: {key} is managed by the catalogue. Remove it.")
            if key in service.refuses:
                self.problems.append(f"{service.env_from}: {key}: {service.refuses[key]}")
            lines[key] = self.quoted(f"{service.env_from}: {key}", key, value)
        templates = {key: service.env[key] for key in uses}
        urls = frozenset(k for k, text in templates.items() if "://" in text or any(name.endswith(".url") for name in _names(text)))
        fixed = frozenset(key for key in urls if any(one.fixes(service.name) for one in self.credentials if one.name in uses[key]))
        asked = frozenset(key for key in lines if service.file or key in uses or key not in service.env)
        return EnvFile(
            service.env_path, "0600", lines, uses, urls, fixed, service.alternatives, asked, tuple(lines), service.refuses
        )

    def logins(self, service: str) -> dict[str, Any]:
        return {one.name: SimpleNamespace(**one.login(service)) for one in self.credentials}

    def is_secret(self, name: str) -> bool:
        """Whether a name of a template stands for something secret."""
        credential, _, part = name.partition(".")
        return part in SECRET_PARTS if credential in self.provided and part else name in self.secret_names

    def used(self, template: str) -> frozenset[str]:
        """The credentials whose login a template uses: its secret, or its user, which changes with it."""
        names = [name for name in _names(template) if self.is_secret(name) or name.endswith((".user", ".ca"))]
        return frozenset(found for name in names if (found := self.of_secret.get(name, name.partition(".")[0])) in self.provided)

    def further(self, service: Service) -> Mapping[str, str]:
        name = service.env_from
        if name is None:
            return {}
        if name not in self.values:
            self.problems.append(f"{service.name}: x-fleet: env_from: there is no setting {name!r}. Correct it.")
            return {}
        keys = self.values[name] or {}
        if not isinstance(keys, Mapping) or not all(isinstance(text, str) for pair in keys.items() for text in pair):
            self.problems.append(f"{name}: is a {type(keys).__name__}, expected a mapping of text to text.")
            return {}
        return keys

    def probe(self, service: str, probe: Probe) -> Probe:
        where = f"{service}: x-fleet: checks: {probe.id}"
        if probe.kind in ("command", "log"):
            return probe
        for name in sorted(name for name in frozenset().union(*map(template_names, probe.target)) if self.is_secret(name)):
            self.problems.append(f"{where}: {name} is a secret and would be shown in the report. Take it out.")
        return replace(probe, target=tuple(self.text(where, word, self.logins(service)) for word in probe.target))

    def line(self, where: str, key: str, template: str, logins: Mapping[str, Any] | None = None) -> str:
        return self.quoted(where, key, self.text(where, template, logins))

    def quoted(self, where: str, key: str, value: str) -> str:
        try:
            return line(key, value)
        except EnvValueError as error:
            self.problems.append(f"{where}: {error}")
            return ""

    def text(self, where: str, template: str, logins: Mapping[str, Any] | None = None) -> str:
        """+ logins: credential → what templates get of it"""
        try:
            names = template_names(template)
        except ValueError as error:  # only in `clients`: what is wrong in the catalogue is found when it is read
            self.problems.append(f"{where}: {template!r}: {error}. Write a literal brace as {{{{ or }}}}.")
            return ""
        known: dict[str, Any] = {n: _plain(self.values[n]) for n in names & self.values.keys()}
        known |= {**self.secrets, **(logins or {})}
        if missing := [name for name in sorted(names) if not self.is_known(name, known)]:
            self.problems += [f"{where}: {self.why(name)}" for name in missing]
            return ""
        return template.format_map(known)

    def is_known(self, name: str, known: Mapping[str, Any]) -> bool:
        first, _, part = name.partition(".")
        # a credential is told in parts alone: all of it would show its secret
        return hasattr(known[first], part) if isinstance(known.get(first), SimpleNamespace) else first in known and not part

    def why(self, name: str) -> str:
        """Why a template cannot have this name."""
        first, _, part = name.partition(".")
        if first in self.provided and part:
            if not any(one.name == first for one in self.credentials):
                if not self.provided[first].port:
                    secret = self.provided[first].secret
                    return f'{{{name}}}: {secret} is not set. Add {secret} = Secret("{secret.upper()}") to group_data/all.py.'
                return f"{{{name}}}: this host has no {first!r} to log in to. Add its service to `services`, or name its host."
            return f"{{{name}}}: the credential {first!r} has no {part!r}. Correct it."
        if name in _OLD_NAMES and len(self.credentials) == 1:
            return f"there is no setting {name!r}; a credential's is written with its name: {{{self.credentials[0].name}.{name}}}."
        return f"there is no setting {name!r}. Correct it, or declare it under x-fleet: settings."


def _names(template: str) -> frozenset[str]:
    try:
        return template_names(template)
    except ValueError:
        return frozenset()


def _plain(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
