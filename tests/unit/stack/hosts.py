"""Stacks as a test wants them, and the snapshots of hosts on which all is as wanted, or one thing is not."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, replace
from typing import Any

from operations.services.postgres.adoption import DATA
from operations.services.postgres.credential import PostgresRole
from operations.services.postgres.seen import SeenPostgres, SeenRole, SeenSession
from operations.services.redis.acl import acl_file
from operations.services.redis.credential import RedisAcl
from operations.services.redis.limits import COUNTERS
from operations.services.redis.seen import SeenClient, SeenRedis, SeenServer
from operations.services.redis.users import ALL, DEFAULT
from operations.stack.build import build
from operations.stack.credential import Login
from operations.stack.files import EnvFile, File
from operations.stack.plan import inputs_digest
from operations.stack.snapshot import (
    MISSING,
    UNKNOWN,
    Applied,
    SeenContainer,
    SeenEngine,
    SeenFile,
    SeenLog,
    SeenMachine,
    Snapshot,
)
from operations.stack.stack import OVERLAY, Stack

Drift = Callable[[Snapshot], Snapshot]

PASSWORD = "the-Password_of-these-tests-0"
OLD_PASSWORD = "the-Password_of-yesterday-9"
ENGINE = SeenEngine(cli=True, server="28.2.2", compose="2.26.1-4", curl=True)
OLD_ENGINE = replace(ENGINE, server="20.10.24+dfsg1")
ACL_PATH, PASSWORD_PATH = "secrets/redis/users.acl", "secrets/redis/password"
ADDRESS = "10.0.0.5:6379"  # of another host's redis
OWN_ADDRESS = "10.0.0.21"  # of a host that uses it, as redis sees it
STARTED, NOW = 1_764_000_000, 1_764_009_999  # when containers were made, and a host's clock


def a_stack(password: str = PASSWORD, **data: Any) -> Stack:
    """A stack with these settings, and the defaults for all others."""
    return build(data, {"redis_password": password})


def a_client(password: str = PASSWORD, **data: Any) -> Stack:
    """The stack of a host that runs Open WebUI alone and uses another host's redis."""
    wanted = {"services": ["openwebui"], "redis_host": "redis-1", **data}
    return build(wanted, {"redis_password": password}, {"redis": ADDRESS})


def redis_of(stack: Stack, name: str = "redis") -> RedisAcl:
    """The login that the stack has, or uses, of a redis."""
    found = stack.credential(name)
    assert isinstance(found, RedisAcl)
    return found


def metrics_page(stack: Stack) -> str:
    """Where the exporter's metrics are, by which a snapshot knows them."""
    return f"http://{stack.settings.probe_address}:{stack.settings.redis_exporter_port}/metrics"


def shared(*hashes: str) -> tuple[Login, ...]:
    """The logins of the one user that all clients share."""
    return tuple(Login(DEFAULT, one) for one in hashes)


def shared_acl(*hashes: str) -> str:
    """users.acl with these."""
    return acl_file(shared(*hashes), {DEFAULT: ALL})


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


# A host on which all is as wanted


def converged(stack: Stack, engine: SeenEngine = ENGINE) -> Snapshot:
    """The host after a run that did everything; `engine`: the Docker that runs on it."""
    whole = (*stack.base(), *stack.fragments(engine.start_interval), stack.manifest(), *stack.secret_files())
    env = (stack.dotenv, *stack.env_files)
    made = {OVERLAY: SeenFile("file", "0600", "0:0", sha256("services: {}\n"))}
    snapshot = Snapshot(
        engine=engine,
        files={f.path: _as_written(f) for f in whole} | {f.path: _env_as_written(f) for f in env} | made | _folders(stack),
        env={file.path: {key: sha256(line) for key, line in file.lines.items()} for file in env},
        containers=tuple(_container(stack, service.name) for service in stack.services),
        texts={one.acl_path: one.acl(one.logins, one.rights).content for one in _logins(stack) if one.local},
        fragments=tuple(service.name for service in stack.services),
        logs={service.name: SeenLog() for service in stack.services},
        answers=_answers(stack),
        machine=SeenMachine(NOW, 0.2, {"/": 10**10}),
        literals=(),
        probes={probe.id: probe.expected for probe in stack.probes},
    )
    return replace(snapshot, applied=applied_now(stack, snapshot))


def _folders(stack: Stack) -> dict[str, SeenFile]:
    return {folder.path: SeenFile("dir", folder.mode, folder.owner) for folder in stack.folders()}


def bare(stack: Stack) -> Snapshot:
    """A host on which nothing was ever done: no Docker, no file."""
    return Snapshot(
        engine=SeenEngine(cli=False, server=None, compose=None, curl=False),
        files=dict.fromkeys(stack.managed_paths(), MISSING),
        env={file.path: {} for file in (stack.dotenv, *stack.env_files)},
        containers=UNKNOWN,
        applied=Applied(),
        texts={},
        fragments=(),
    )


def applied_now(stack: Stack, seen: Snapshot) -> Applied:
    """What a run would note that ends now."""
    return Applied(
        inputs=inputs_digest(stack, seen),
        services={service.name: _applied(service.name, seen) for service in stack.services},
    )


def _as_written(file: File) -> SeenFile:
    return SeenFile("file", file.mode, "0:0" if file.owner == "-" else file.owner, file.sha256)


def _env_as_written(file: EnvFile) -> SeenFile:
    content = "".join(f"{line}\n" for line in file.lines.values())
    return SeenFile("file", file.mode.removeprefix("keep"), "0:0", sha256(content))


def _container(stack: Stack, service: str) -> SeenContainer:
    return SeenContainer(
        id=sha256(f"container of {service}"),
        service=service,
        state="running",
        health="" if service == "redis-exporter" else "healthy",
        config_hash=sha256(f"definition of {service}"),
        addresses=(_address(stack, service),),
        mounts=_mounts(stack, service),
        created=STARTED,
        image=_variable(stack, service, "IMAGE"),
        ports=_ports(stack, service),
    )


def _mounts(stack: Stack, service: str) -> dict[str, str]:
    found = {one.server: ("/data", one.data) for one in _logins(stack)}
    found |= {one.server: (DATA, one.data) for one in postgres_of(stack)}
    target, data = found.get(service, ("", ""))
    return {target: f"{stack.settings.stack_dir}/{data}"} if data else {}


def _variable(stack: Stack, service: str, name: str) -> str:
    """A variable of a service's fragment: its image, or where it is published."""
    return stack.variables[service].get(f"{service.upper().replace('-', '_')}_{name}", "")


def _ports(stack: Stack, service: str) -> tuple[str, ...]:
    address, port = _variable(stack, service, "BIND"), _variable(stack, service, "PORT")
    return (f"{address}:{port}",) if address else ()


def _address(stack: Stack, service: str) -> str:
    return f"172.18.0.{[one.name for one in stack.services].index(service) + 2}"


def _logins(stack: Stack) -> Iterator[RedisAcl]:
    yield from (one for one in stack.credentials if isinstance(one, RedisAcl))


def postgres_of(stack: Stack) -> list[PostgresRole]:
    """The logins that the stack has, or uses, of a PostgreSQL."""
    return [one for one in stack.credentials if isinstance(one, PostgresRole)]


def _answers(stack: Stack) -> dict[str, Any]:
    found: dict[str, Any] = {one.name: _answered(stack, one) for one in _logins(stack)}
    found |= {one.name: _postgres(stack, one) for one in postgres_of(stack)}
    return found | ({metrics_page(stack): _METRICS} if stack.has("redis-exporter") else {})


def _answered(stack: Stack, redis: RedisAcl) -> SeenRedis:
    return SeenRedis(
        anonymous="NOAUTH Authentication required.",
        login="PONG",
        directory="/data",
        users={login.user: (login.digest,) for login in redis.logins},
        me="172.18.0.1" if redis.local else OWN_ADDRESS,
        clients=tuple(_clients(stack, redis)),
        listeners=1,
        dry=dict.fromkeys(redis.forbidden, "User has no permissions"),
        server=SeenServer("redis", "7.2.5", "master", policy="allkeys-lru", start="f" * 40, counted=dict.fromkeys(COUNTERS, 0)),
    )


def _postgres(stack: Stack, login: PostgresRole) -> SeenPostgres:
    if not login.here:
        return SeenPostgres("scram")
    return SeenPostgres(
        asks="scram",
        login=login.owner,
        version="17.6",
        owner=True,
        database=True,
        roles=(SeenRole(login.owner, False, "", False), SeenRole(login.role, True, login.digest, True)),
        sessions=tuple(SeenSession(login.role, _address(stack, name), STARTED + 5) for name in stack.clients(login.name)),
    )


def _clients(stack: Stack, redis: RedisAcl) -> Iterator[SeenClient]:
    if stack.has("openwebui"):
        address = _address(stack, "openwebui") if redis.local else OWN_ADDRESS
        yield from (SeenClient(address, redis.user_of("openwebui"), channels) for channels in (0, 1))
    if stack.has("redis-exporter"):
        yield SeenClient(_address(stack, "redis-exporter"), redis.user_of("redis-exporter"), 0)


_METRICS = {
    "redis_up": 1.0,
    'redis_exporter_last_scrape_error{err=""}': 0.0,
    "redis_connected_clients": 4.0,
    "redis_memory_used_bytes": 1.5 * 2**20,
    "redis_acl_access_denied_auth_total": 0.0,
}


def _applied(service: str, seen: Snapshot) -> Mapping[str, str]:
    (container,) = seen.of(service)
    assert seen.files is not UNKNOWN
    return {
        "definition": container.config_hash,
        "env": seen.files.get(f"env/{service}.env", MISSING).sha256,
        "label": container.config_hash,
        "container": container.id,
    }


# One thing that is not as wanted


def with_file(path: str, **changes: Any) -> Drift:
    """The file at `path` is otherwise in `changes`: kind, mode, owner, sha256, changed."""

    def drift(seen: Snapshot) -> Snapshot:
        assert seen.files is not UNKNOWN
        return replace(seen, files={**seen.files, path: replace(seen.files[path], **changes)})

    return drift


def without_file(path: str) -> Drift:
    """The file at `path` was removed, and with it what it said."""

    def drift(seen: Snapshot) -> Snapshot:
        assert seen.files is not UNKNOWN
        assert seen.env is not UNKNOWN
        env = {**seen.env, path: {}} if path in seen.env else seen.env
        assert seen.texts is not UNKNOWN
        texts = {name: text for name, text in seen.texts.items() if name != path}
        return replace(seen, files={**seen.files, path: MISSING}, env=env, texts=texts)

    return drift


def with_key(path: str, key: str, line: str | None) -> Drift:
    """In the env file at `path` the key's line is `line`; None: it was removed."""

    def drift(seen: Snapshot) -> Snapshot:
        assert seen.env is not UNKNOWN
        keys = dict(seen.env[path] or {})
        keys.pop(key)
        if line is not None:
            keys[key] = sha256(line)
        return with_file(path, sha256=sha256(f"{path} with {key} as {line}"))(replace(seen, env={**seen.env, path: keys}))

    return drift


def with_container(service: str, **changes: Any) -> Drift:
    """The container of a service is otherwise in `changes`: state, health, config_hash …"""

    def drift(seen: Snapshot) -> Snapshot:
        assert seen.containers is not UNKNOWN
        changed = (replace(c, **changes) if c.service == service else c for c in seen.containers)
        return replace(seen, containers=tuple(changed))

    return drift


def without_container(service: str) -> Drift:
    def drift(seen: Snapshot) -> Snapshot:
        assert seen.containers is not UNKNOWN
        gone = replace(seen, containers=tuple(c for c in seen.containers if c.service != service))
        return unseen(service)(gone)

    return drift


def accepting(seen: Snapshot, *hashes: str) -> Snapshot:
    """The host on which users.acl holds these hashes, whatever else is told of that file."""
    return replace(seen, texts={ACL_PATH: shared_acl(*hashes)})


def with_acl_on_disk(*hashes: str) -> Drift:
    """users.acl holds these hashes, written as this library writes it; redis did not read it again."""

    def drift(seen: Snapshot) -> Snapshot:
        return with_file(ACL_PATH, sha256=sha256(shared_acl(*hashes)))(accepting(seen, *hashes))

    return drift


def with_answer(name: str, answer: Any) -> Drift:
    """A fact of a credential or a service found this."""

    def drift(seen: Snapshot) -> Snapshot:
        return replace(seen, answers={**seen.answers, name: answer})

    return drift


def with_redis(**changes: Any) -> Drift:
    """redis answers otherwise in `changes`: anonymous, login, directory … `hashes`: what it accepts from `default`."""
    if "hashes" in changes:
        changes["users"] = {DEFAULT: changes.pop("hashes")}

    def drift(seen: Snapshot) -> Snapshot:
        return with_answer("redis", replace(seen.answer("redis"), **changes))(seen)

    return drift


def unseen(*parts: str) -> Drift:
    """These parts of the host, or answers of its services, could not be observed."""
    own = {one.name for one in fields(Snapshot)} & set(parts)

    def drift(seen: Snapshot) -> Snapshot:
        answers = {name: answer for name, answer in seen.answers.items() if name not in parts}
        return replace(seen, answers=answers, **dict.fromkeys(own, UNKNOWN))  # type: ignore[arg-type]

    return drift


def with_password_file_of(password: str) -> Drift:
    return with_file(PASSWORD_PATH, sha256=sha256(f"{password}\n"))


def all_of(*drifts: Drift) -> Drift:
    def drift(seen: Snapshot) -> Snapshot:
        for one in drifts:
            seen = one(seen)
        return seen

    return drift
