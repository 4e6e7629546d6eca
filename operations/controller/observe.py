"""One round trip a host: everything that the plan and the checks of its stack need to know. All hosts are asked at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property, lru_cache
from itertools import count, product
from typing import Any

from gevent.event import AsyncResult
from gevent.pool import Pool
from pyinfra import host, state
from pyinfra.api import Host
from pyinfra.context import ctx_host

from ..facts.bundle import Asked, Questions, ask
from ..facts.engine import Engine
from ..facts.files import EnvKeys, Files
from ..facts.images import Images
from ..facts.logs import Logs
from ..facts.machine import Literals, Machine, Metrics, Ports
from ..facts.probe import Probe
from ..facts.project import Own
from ..facts.state import Containers, SeenState, State
from ..stack import adoption, ports, registry
from ..stack.catalogue import folders_of, server_settings
from ..stack.credential import credentials_of
from ..stack.plan import Plan
from ..stack.probes import Probe as DeclaredProbe
from ..stack.snapshot import UNKNOWN, SeenFile, SeenOwn, Snapshot, Unknown
from ..stack.stack import Stack
from ..stack.waves import CANARY, Wave, waves
from . import pins
from .desired import stack_of
from .failure import met
from .host_plan import HostPlan
from .process import may_be_taken
from .progress import tell

_PROBE = "probe:"
_PAGE = "metrics:"
_OWN = "own"
_GENERAL = ("containers", "engine", "images", "files", "env", "state", "machine", "literals", "logs", _OWN)


@dataclass(frozen=True)
class Fleet:
    """The hosts of a run that could be reached, and who is changed when.

    + hosts: name → what the host should have, what was seen on it and what is to be done
    + canaries: the hosts that go first
    + users: host → the hosts of the whole inventory whose services use its servers
    """

    hosts: Mapping[str, HostPlan]
    canaries: frozenset[str] = frozenset()
    users: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        stacks: Mapping[str, Stack],
        seen: Mapping[str, Snapshot],
        canaries: frozenset[str] = frozenset(),
        users: Mapping[str, tuple[str, ...]] | None = None,
    ) -> Fleet:
        """The fleet whose hosts should have these stacks and were seen like this."""
        absent = {name: [server for server in stack.servers if server not in stacks] for name, stack in stacks.items()}
        return cls({name: HostPlan(stack, seen[name], absent[name]) for name, stack in stacks.items()}, canaries, users or {})

    @cached_property
    def previews(self) -> Mapping[str, Plan]:
        """What will be done on each host, as it is shown before the run begins."""
        return {name: planned.preview for name, planned in self.hosts.items()}

    @cached_property
    def waves(self) -> tuple[Wave, ...]:
        """The hosts that need changes, in waves; none where all is as wanted."""
        # whoever copies an image comes after those that it may copy it from
        due = sorted((name for name, plan in self.previews.items() if plan.due and not plan.problems), key=self._copies)
        shares = next((self.hosts[name].stack.settings.rollout_waves for name in due), ())
        return waves(due, shares, self.canaries, [self.sharing(name) for name in due])

    def sharing(self, name: str) -> tuple[str, ...]:
        """The hosts whose servers this host uses, or itself, and all that use them too."""
        servers = self.hosts[name].stack.servers or (name,)
        return tuple(dict.fromkeys((*servers, *(user for server in servers for user in self.users.get(server, ())))))

    def turns(self, wave: tuple[str, ...]) -> tuple[Wave, ...]:
        """The hosts of a wave that use no other's server, then those that do: of replicas the first one, then the others. Of each
        of these, those that copy images come last."""
        if wave not in self._turns:
            stacks = {name: self.hosts[name].stack for name in wave}
            kinds = {name: (2 if one.ahead else 1 if one.servers else 0, self._copies(name)) for name, one in stacks.items()}
            turns = (Wave(name for name in wave if kinds[name] == kind) for kind in product(range(3), (False, True)))
            self._turns[wave] = tuple(filter(None, turns))
        return self._turns[wave]

    def _copies(self, name: str) -> bool:
        planned = self.hosts[name]
        return planned.stack.settings.pull == "copy" and bool(planned.preview.images)

    @cached_property
    def _turns(self) -> dict[tuple[str, ...], tuple[Wave, ...]]:
        return {}  # every host asks for all of them


def observe_fleet() -> Fleet:
    """The hosts of this run as they are now. The first host that asks observes all of them in parallel; the others wait."""
    global _observed
    if _observed is None:
        _observed = AsyncResult()
        try:
            _observed.set(_observe_all(state.inventory.get_active_hosts()))
        except BaseException as error:
            _observed.set_exception(error)
    return _observed.get()  # type: ignore[no-any-return]  # gevent is untyped


_observed: AsyncResult | None = None


def _observe_all(hosts: Iterable[Host]) -> Fleet:
    # in the order of the inventory: pyinfra keeps active hosts in a set
    active = set(hosts)
    hosts = [one for one in state.inventory if one in active]
    for one in hosts:
        stack_of(one)  # all that is wrong with it is said before the first is asked

    looked = count(1)

    def observed(one: Host) -> tuple[Stack, Snapshot]:
        with ctx_host.use(one):
            found = _found(one)
        tell("looked", next(looked), len(hosts))
        return found

    found = Pool(state.pool.size).map(observed, hosts)
    canaries = frozenset(one.name for one in hosts if CANARY in one.groups)
    users: dict[str, list[str]] = {}
    for one in state.inventory:
        for setting in server_settings(folders_of(one.data.dict())):
            if (server := one.data.get(setting)) and one.name not in users.setdefault(server, []):
                users[server].append(one.name)
    served = {name: tuple(found) for name, found in users.items()}
    names = [one.name for one in hosts]
    told = pins.resolve([(one, *pair) for one, pair in zip(hosts, found, strict=True)])
    stacks = {name: stack.pinned(told[stack.settings.images_lock]) for name, (stack, _) in zip(names, found, strict=True)}
    return Fleet.of(stacks, {name: seen for name, (_, seen) in zip(names, found, strict=True)}, canaries, served)


def plan_host() -> HostPlan:
    """What is to be done on the host in context, which is observed for it in one round trip.

    Raises SettingsError, CatalogueError or SecretError with every problem of the host's data at once.
    """
    return HostPlan(*_found(host))


def _found(one: Host) -> tuple[Stack, Snapshot]:
    """The stack of the host in context, and the host, which tells what no setting says of its project: its Compose files …"""
    stack = _locked(stack_of(one))
    seen = observe(stack)
    files, told = adoption.files(stack, seen), adoption.told(stack, seen)
    if files != stack.files:
        stack = _locked(stack_of(one, files))
        seen = observe(stack)
        told = adoption.told(stack, seen)
    if told:
        stack = _locked(stack_of(one, files, told))
        seen = observe(stack)
    return stack, seen


def _locked(stack: Stack) -> Stack:
    return stack.pinned(pins.locked(stack.settings.images_lock)) if stack.settings.pin else stack


def observe(stack: Stack, patience: int = 0) -> Snapshot:
    """The host in context as it is now. Whatever goes wrong, the snapshot says so.

    + patience: seconds that services which were just started are given to answer
    """
    try:
        return _observed_now(stack, patience)
    except Exception as error:  # it would end the run of every other host too
        return Snapshot(met={"": "; ".join(met(error)).rstrip(".")})


def _observed_now(stack: Stack, patience: int) -> Snapshot:
    asked = questions(stack, patience)
    found = ask(asked)
    if found is UNKNOWN:
        return Snapshot(met={"": "its answer was cut off"})
    why = dict(found.met)
    again = {name: one for each in credentials_of(stack) for name, one in each.asked_again(stack, found).items()}
    if known_own(stack, found["files"], found["state"]) is UNKNOWN:
        again[_OWN] = (Own, _about_own(stack))
    if again and (further := ask(Questions(again))) is not UNKNOWN:
        found |= further
    if "state" in why:
        why |= dict.fromkeys(("applied", "texts", "fragments"), why["state"])
    return replace(snapshot(stack, found), met=why)


@lru_cache(maxsize=100)  # hosts share a stack
def questions(stack: Stack, patience: int = 0) -> Questions:
    """The facts that a snapshot of this stack is made of."""
    settings = stack.settings
    root, project, window = settings.stack_dir, settings.stack_name, settings.log_window
    credentials, env = credentials_of(stack), (stack.dotenv, *stack.env_files)
    keys = {file.path: tuple(file.lines) for file in env}
    asked_for = {file.path: (*file.lines, *file.refused) for file in env}
    asked: dict[str, Asked] = {
        "containers": (Containers, {"project": project}),  # runs first: later facts reuse its answer
        "engine": (Engine, {"root": root}),
        "files": (Files, {"root": root, "paths": stack.managed_paths()}),
        "env": (EnvKeys, {"root": root, "files": asked_for, "wanted": env}),
        "state": (State, {
            "root": root, "project": project, "folder": stack.project_dir,
            "texts": [path for one in credentials for path in one.texts()],
            "folders": [folder.path for folder in stack.folders()],
        }),
        "machine": (Machine, {"root": root}),
        "literals": (Literals, {
            "root": root, "paths": stack.compose_files(), "env": keys,
            "passwords": [path for one in credentials for path in one.passwords()],
            "in_env": _any(one.in_env for one in credentials),
            "in_files": _any(one.in_files for one in credentials),
        }),
    }  # fmt: skip
    if images := tuple(dict.fromkeys(stack.images(Snapshot()).values())):
        asked["images"] = (Images, {"images": images})
    if stack.published:
        asked[ports.NAME] = (Ports, {"ports": sorted({port for _, _, port in stack.published}), "project": project})
    for credential in credentials:
        asked |= credential.asked(stack)
    # a page of metrics is fetched once, whoever asks for something on it
    pages: dict[str, dict[str, Any]] = {}
    for name, (fact, arguments) in (pair for extra in registry.extras() for pair in extra.asked(stack, patience).items()):
        if fact is Metrics:
            page = pages.setdefault(arguments["url"], {**arguments, "names": []})
            page["names"] = [*page["names"], *arguments["names"]]
        else:
            asked[name] = (fact, arguments)
    for probe in stack.probes:
        if probe.kind == "metric":
            place = {"project": project, "service": probe.service, "port": probe.port}
            page = pages.setdefault(probe.target[0], {"url": probe.target[0], "names": [], "patience": patience, **place})
            page["names"] = [*page["names"], probe.target[1]]
        else:
            asked[_PROBE + probe.id] = (Probe, {"probe": probe, "project": project, "window": window, "patience": patience})
    asked |= {_PAGE + url: (Metrics, page) for url, page in pages.items()}
    # runs last: what was asked before may have made a service complain
    harmless = _any((*settings.log_allow, *(one.harmless for one in credentials)))
    refused = _any(one.refused for one in credentials)
    asked["logs"] = (Logs, {"root": root, "project": project, "window": window, "refused": refused, "harmless": harmless})
    return Questions(asked)


def known_own(stack: Stack, files: Mapping[str, SeenFile] | Unknown, state: SeenState | Unknown) -> SeenOwn | Unknown:
    """What the project's own files say, where that is known without asking Compose; else UNKNOWN."""
    if files is UNKNOWN or state is UNKNOWN:
        return UNKNOWN
    there = {path: files[path].sha256 for path in stack.files if path in files and files[path].sha256}
    if not there or there == {file.path: file.sha256 for file in stack.base()}:
        return SeenOwn()
    noted = state.applied.own
    return noted[0] if noted and noted[1] == there else UNKNOWN


def _about_own(stack: Stack) -> dict[str, Any]:
    settings = stack.settings
    return {
        "root": settings.stack_dir, "project": settings.stack_name, "compose_files": stack.files,
        "overlays": stack.overlays(), "written": {key: line.partition("=")[2] for key, line in stack.dotenv.lines.items()},
    }  # fmt: skip


def _any(patterns: Iterable[str]) -> str:
    return "|".join(dict.fromkeys(filter(None, patterns)))


def snapshot(stack: Stack, found: Mapping[str, Any]) -> Snapshot:
    """The answers to the questions of a stack as one value."""
    own = found[_OWN] if _OWN in found else known_own(stack, found["files"], found["state"])
    past: SeenState | Unknown = found["state"]
    # what is not there keeps the snapshot's own default
    told = {} if past is UNKNOWN else {one.name: getattr(past, one.name) for one in fields(past)}
    lock = told.get("lock")
    return Snapshot(
        engine=found["engine"],
        files=found["files"],
        env=found["env"],
        urls={} if found["env"] is UNKNOWN else found["env"].urls,
        own=own,
        images=found.get("images", {}),
        containers=found["containers"],
        **told,
        left=lock.run if lock and may_be_taken(lock, stack.settings) else "",
        logs=found.get("logs", UNKNOWN),
        machine=found.get("machine", UNKNOWN),
        literals=found.get("literals", UNKNOWN),
        probes={probe.id: answer for probe in stack.probes if (answer := _probed(probe, found)) is not UNKNOWN},
        answers={name.removeprefix(_PAGE): answer for name, answer in found.items() if name not in _GENERAL},
    )


def _probed(probe: DeclaredProbe, found: Mapping[str, Any]) -> str | Unknown:
    answer = found[_PROBE + probe.id if probe.kind != "metric" else _PAGE + probe.target[0]]
    if probe.kind != "metric" or answer is UNKNOWN:
        return answer  # type: ignore[no-any-return]  # a bundle's answers are of any type
    name = probe.target[1]
    values = (value for key, value in answer.items() if key.partition("{")[0] == name)
    return f"{first:.15g}" if (first := next(values, None)) is not None else ""
