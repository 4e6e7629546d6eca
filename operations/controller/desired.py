"""From an inventory's data to the stack that each host should have; all that can be wrong is found here, before a connection."""

from __future__ import annotations

import difflib
import pickle
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from pyinfra.api import Inventory
from pyinfra.api.host import Host
from pyinfra.connectors.ssh import ConnectorData

from ..report.mask import known as known_secrets
from ..stack import registry
from ..stack.build import build, registry_secret
from ..stack.catalogue import catalogue, folders_of, server_settings
from ..stack.certificate import Certificate
from ..stack.credential import credentials_of
from ..stack.errors import CatalogueError, FleetError, SecretError, SettingsError
from ..stack.service import Provided, setting_of
from ..stack.settings import Settings
from ..stack.snapshot import Snapshot
from ..stack.stack import Stack
from ..stack.verdicts import checks, meanings
from . import notify, replicas
from .authority import Authority, given
from .secrets import Secret, SecretValue, Sources


def stack_of(host: Host, files: tuple[str, ...] = (), told: Mapping[str, str] | None = None) -> Stack:
    """The stack that a host's data describes.

    + files: the project's own Compose files, where no setting names them
    + told: further settings, which the host itself told

    Raises SettingsError, CatalogueError or SecretError with every problem at once.
    """
    data = host.data.dict() | dict(told or {})
    named = {
        setting: data[setting] for setting in server_settings(_folders(data)) if isinstance(data.get(setting), str)
    }  # else None, or a problem
    problems = [
        f"{setting}: there is no host {server!r} in the inventory. Correct the name, or set None."
        for setting, server in named.items()
        if server not in host.inventory.hosts
    ]
    if problems:
        raise SettingsError(problems)
    others = host.inventory.hosts
    servers = {setting: others[server].data.dict() for setting, server in named.items()}
    ahead = {service: (name, others[name].data.dict()) for service, name in replicas.ahead(host, data, named)}
    return _shared(host, data, files, servers, ahead, dict(_certificates(host.name, data)))


def _shared(
    host: Host,
    data: Mapping[str, Any],
    files: tuple[str, ...],
    servers: Mapping[str, Mapping[str, Any]],
    ahead: Mapping[str, tuple[str, Mapping[str, Any]]],
    certificates: Mapping[str, Certificate],
) -> Stack:
    """The stack, one for all hosts of an inventory that differ in nothing but how they are reached."""
    known = _stacks.setdefault(host.inventory, {})
    others = (*servers.values(), *(one for _, one in ahead.values()))
    try:
        told = [{name: one[name] for name in one if name not in _REACHED} for one in (data, *others)]
        key = pickle.dumps((files, told, [(service, name) for service, (name, _) in ahead.items()], certificates))
    except Exception:  # whatever an operator has put there and pickle does not know
        return stack_from(data, servers, files, ahead, certificates)
    if key not in known:
        known[key] = stack_from(data, servers, files, ahead, certificates)
    return known[key]


_REACHED = frozenset(ConnectorData.__annotations__)
_stacks: WeakKeyDictionary[Inventory, dict[bytes, Stack]] = WeakKeyDictionary()


def stack_from(
    data: Mapping[str, Any],
    servers: Mapping[str, Mapping[str, Any]] | None = None,
    files: tuple[str, ...] = (),
    ahead: Mapping[str, tuple[str, Mapping[str, Any]]] | None = None,
    certificates: Mapping[str, Certificate] | None = None,
) -> Stack:
    """The stack that `data` (name → value) describes; values that are a `Secret` are looked up.

    + servers: a setting that names a host whose server is used → the data of that host
    + files: the project's own Compose files, where no setting names them
    + ahead: service → the host whose replica of it goes first, and its data
    + certificates: credential → what its server proves itself with, where it speaks TLS

    Raises SettingsError, CatalogueError or SecretError with every problem at once.
    """
    problems = list(notify_problems(data))
    values: dict[str, str] = {}
    of_secret: dict[str, list[str]] = {}  # problems of secrets matter where something uses them
    provides = [
        (service.name, name, one) for service in catalogue(_folders(data)).values() for name, one in service.provides.items()
    ]
    provided = {secret: registry.kinds()[one.kind] for service, _, one in provides for secret in _secrets(service, one, data)}
    known = references(data)
    for name, reference in known.items():
        found = of_secret.setdefault(name, []) if name in provided else problems
        try:
            values[name] = _resolve(reference.name, data.get("secrets_file"), data.get("secrets_command")).unmask()
        except SecretError as error:
            values[name] = ""
            found += error.problems
            continue
        found += provided[name].rule(values[name], name) if name in provided else []
    problems += [
        f'{name}: is written out in the data. Use Secret("{name.upper()}") and keep the value in a source of secrets.'
        for name in provided
        if name in data and not isinstance(data[name], Secret)
    ]
    problems += [
        f'registries: {name}: the password is written out in the data. Use Secret("…") and keep the value in a source of secrets.'
        for name, password in _of_registries(data)
        if not isinstance(password, Secret)
    ]
    at = {}
    for service, name, one in provides:
        if (server := (servers or {}).get(setting_of(service, "host"))) is not None:
            at[name] = registry.kinds()[one.kind].reached_at(one, service, server)
            problems += _server_problems(service, one, data, server)
    for service, (host, theirs) in (ahead or {}).items():
        others = references(theirs)
        keys = [one.secret for name, _, one in provides if name == service and not one.port]
        problems += [
            f"{key}: differs from the one on {host}, whose {service} uses the same server. Make them the same."
            for key in keys
            if others.get(key) != known.get(key)
        ]
    first = {service: host for service, (host, _) in (ahead or {}).items()}
    try:
        # an address is for this machine alone
        own = {name: value for name, value in data.items() if name not in (*provided, "notify")}
        stack = build(own, values, at, files, first, certificates)
    except FleetError as error:
        raise type(error)([*error.problems, *problems, *(one for found in of_secret.values() for one in found)]) from error
    for secret in (name for one in credentials_of(stack) for name in (one.provided.secret, *one.further)):
        problems += of_secret.get(secret, [])
        if secret not in data and secret not in known:
            problems.append(f'{secret}: is not set. Add {secret} = Secret("{secret.upper()}") to group_data/all.py.')
    problems += _unknown_checks(stack)
    if problems:
        raise SecretError(problems)
    return stack


def _certificates(host: str, data: Mapping[str, Any]) -> Iterator[tuple[str, Certificate]]:
    """What the servers of a host prove themselves with and its clients trust, by the credential; issued where it must be.

    Raises CertificateError or SecretError.
    """
    for service in catalogue(_folders(data)).values():
        for name, one in service.provides.items():
            names = registry.kinds()[one.kind].certified(service.name, data)
            if names is None:
                continue
            trusted, own = (setting_of(service.name, f"tls_{part}") for part in ("trusted", "certificate"))
            if not isinstance(data.get(trusted), Secret):
                yield name, _issued(str(data.get("tls_dir", Settings.tls_dir)), host, name, tuple(names))
                continue
            known = {part: _given(data, part) for part in ((trusted, own) if names else (trusted,))}
            yield name, given(known[trusted], known.get(own), names, own)


@cache  # a run sees the folder as it was at first, whatever another one does there meanwhile
def _issued(folder: str, host: str, name: str, names: tuple[str, ...]) -> Certificate:
    return Authority(Path(folder).expanduser()).certificate(host, name, names)


def _given(data: Mapping[str, Any], setting: str) -> str:
    """The value of a secret that must be set."""
    if not isinstance(reference := data.get(setting), Secret):
        raise SecretError(f'{setting}: is not set. Use Secret("{setting.upper()}"), as its fellow does.')
    return _resolve(reference.name, data.get("secrets_file"), data.get("secrets_command")).unmask()


def references(data: Mapping[str, Any]) -> dict[str, Secret]:
    """The settings of a host's data that refer to secrets. Those that a credential has besides its first one need not be set:
    they go by that one's name, so `cache_password_app` is Secret("CACHE_PASSWORD_APP")."""
    found = {name: one for name, one in data.items() if isinstance(one, Secret)}
    for service in catalogue(_folders(data)).values():
        for one in service.provides.values():
            for secret in _secrets(service.name, one, data)[1:] if one.secret in found else ():
                added = Secret(found[one.secret].name + secret.removeprefix(one.secret).upper())
                found |= {} if secret in data else {secret: added}
    told = data.get("notify")
    found |= {f"notify: {one.name}": one for one in (told if isinstance(told, tuple | list) else ()) if isinstance(one, Secret)}
    found |= {registry_secret(name): one for name, one in _of_registries(data) if isinstance(one, Secret)}
    return found


def addresses(data: Mapping[str, Any]) -> tuple[str, ...]:
    """Who is told of a run: the texts of `notify`, and the secrets that it refers to.

    Raises SettingsError or SecretError.
    """
    told = data.get("notify", ())
    if not isinstance(told, tuple | list) or not all(isinstance(one, str | Secret) for one in told):
        raise SettingsError(
            ['notify: is no list of addresses. Expected one such as ("json://example.org/hook", Secret("CHAT_URL")).']
        )
    files = data.get("secrets_file"), data.get("secrets_command")
    return tuple(_resolve(one.name, *files).unmask() if isinstance(one, Secret) else one for one in told)


def notify_problems(data: Mapping[str, Any]) -> Iterator[str]:
    """What keeps messages from being sent."""
    try:
        yield from notify.problems(addresses(data))
    except FleetError as error:
        yield from error.problems


def _of_registries(data: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Registry → its password, as far as the setting has its form."""
    told = data.get("registries")
    for name, login in told.items() if isinstance(told, Mapping) else ():
        if isinstance(login, Mapping) and "password" in login:
            yield str(name), login["password"]


def _folders(data: Mapping[str, Any]) -> tuple[str, ...]:
    """The operator's own folders of catalogue files; none where one of them is wrong, which the stack tells."""
    try:
        catalogue(folders_of(data))
    except CatalogueError:
        return ()
    return folders_of(data)


def _unknown_checks(stack: Stack) -> Iterator[str]:
    """Names in `skip_checks` that no check has: of this stack or any other, because the setting may be the fleet's."""
    skipped = stack.settings.skip_checks
    if not skipped:
        return
    known = {*_usual_checks(), *meanings()}
    for service in catalogue(stack.settings.catalog_dirs).values():
        known |= {f"container.{service.name}", *(probe.id for probe in service.probes)}
    for name in sorted(name for name in set(skipped) if name.partition("@")[0] not in known):
        close = difflib.get_close_matches(name, sorted(known), n=1)
        yield f"skip_checks: there is no check {name!r}{f'; {close[0]} is one' if close else ''}. Correct the name, or remove it."


@cache
def _usual_checks() -> frozenset[str]:
    every = build({"services": list(catalogue())}, {})
    # what stands behind an @ is the service or credential that one is about
    return frozenset(check.id.partition("@")[0] for check in checks(every, Snapshot())) | meanings().keys()


def _secrets(service: str, provided: Provided, data: Mapping[str, Any]) -> tuple[str, ...]:
    """The settings with the secrets of a credential."""
    return (provided.secret, *registry.kinds()[provided.kind].further_secrets(provided, service, data))


def _server_problems(service: str, provided: Provided, data: Mapping[str, Any], server: Mapping[str, Any]) -> Iterator[str]:
    """What keeps the server of another host from being used."""
    setting, publish = setting_of(service, "host"), setting_of(service, "publish")
    name = data[setting]
    if service not in server.get("services", Settings().services):
        yield f"{setting}: {name} has no {service} in its `services`. Add it there, or name another host."
    if not server.get(publish):
        yield (f"{setting}: {name} does not publish its {service}. Set {publish} there to an address that this host reaches.")
    tls = setting_of(service, "tls")
    if data.get(tls) != server.get(tls):
        yield f"{tls}: is {data.get(tls)!r}, and {server.get(tls)!r} on {name}, whose {service} this host uses. Make them the same."
    mine, theirs = references(data), references(server)
    for secret in _secrets(service, provided, data):
        if theirs.get(secret) != mine.get(secret):
            yield f"{secret}: differs from the one on {name}, whose {service} this host uses. Make them the same."


def secrets_of(hosts: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """The values of the secrets in the data of these hosts, as far as they can be found: what must not be shown."""
    sources = {
        (reference.name, data.get("secrets_file"), data.get("secrets_command"))
        for data in hosts
        for reference in references(data).values()
    }
    values = set()
    for source in sources:
        with suppress(SecretError):
            values.add(_resolve(*source).unmask())
    return frozenset(values)


def preflight_problems(hosts: Iterable[Host]) -> list[str]:
    """What is wrong with the data of these hosts, each sentence once, with the hosts that it concerns."""
    concerned: dict[str, list[str]] = {}
    total = 0
    for host in hosts:
        total += 1
        try:
            stack_of(host)
        except FleetError as error:
            for problem in error.problems:
                concerned.setdefault(problem, []).append(host.name)
    return [problem if len(names) == total else f"{_listed(names)}: {problem}" for problem, names in concerned.items()]


def _listed(names: list[str]) -> str:
    return ", ".join(names) if len(names) <= 5 else f"{', '.join(names[:4])} and {len(names) - 4} others"


@cache
def _resolve(name: str, secrets_file: str | None, secrets_command: str | None) -> SecretValue:
    value = Sources.of(secrets_file, secrets_command).resolve(name)
    known_secrets.add(value.unmask())
    return value
