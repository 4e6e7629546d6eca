"""Any project around a redis with a password: once it is adopted, Compose reads the same of it as before but for the credential."""

from __future__ import annotations

import copy
import json
import re
import shlex
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from operations.stack.adoption import problems
from operations.stack.build import build
from tests.unit.stack.hosts import PASSWORD
from tests.unit.stack.test_adopted_project import resolved, seen, write
from tests.unit.stubs import StubHost

OLD = "Former-Password.2024"
AUTH = "/run/redis-auth"
MANAGED = {"REDIS_URL", "CACHE_URL"}


def some(**parts: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Some of these parts of a definition."""
    return st.fixed_dictionaries({}, optional=parts)


words = st.sampled_from(["a b", "it's", 'a "b"', "$$x", "${MINE}", "{a: b}", "#x", "ü", "", "null", "5"])
variables = st.dictionaries(st.sampled_from(["TZ", "A", "B_1", "LANG"]), words, max_size=3)
usual = some(
    restart=st.sampled_from(["always", "unless-stopped", "no"]),
    mem_limit=st.sampled_from(["100m", "1g"]),
    user=st.sampled_from(["1000:1000", "999"]),
    ports=st.lists(st.sampled_from(["6379:6379", "127.0.0.1:6380:6379", "9999"]), unique=True, max_size=2),
    volumes=st.lists(st.sampled_from(["kept:/data", "./conf:/conf:ro", "/tmp/x:/x"]), unique=True, max_size=2),
    labels=st.dictionaries(st.sampled_from(["mine", "other.label"]), words, max_size=2),
    networks=st.sampled_from([["default"], ["inside"], {"default": {"aliases": ["cache"]}, "inside": None}]),
    logging=st.just({"driver": "local", "options": {"max-size": "5m"}}),
    ulimits=st.just({"nofile": 5000}),
    cap_drop=st.just(["ALL"]),
    init=st.booleans(),
    read_only=st.booleans(),
    stop_grace_period=st.just("1m"),
    extra_hosts=st.just(["a.example:10.0.0.1"]),
    tmpfs=st.just(["/run/x"]),
    cpus=st.just(0.5),
    sysctls=st.just({"net.core.somaxconn": 1024}),
)
password = st.sampled_from([OLD, "${OLD_PASSWORD}"])
further = st.lists(st.sampled_from(["--save 60 1", "--maxmemory 100mb", "--databases 32", "--port 6379"]), unique=True).map(
    " ".join
)


@st.composite
def redis(draw: st.DrawFn) -> dict[str, Any]:
    """One with its password in any of the usual places."""
    mine, given_password, options = draw(usual), draw(password), draw(further)
    line = f"redis-server {options} --requirepass {given_password}"
    before = draw(variables)
    where = draw(st.sampled_from(["words", "list", "shell", "entrypoint", "variable"]))
    ways: dict[str, dict[str, Any]] = {
        "words": {"command": line},
        "list": {"command": line.split()},
        "shell": {"command": ["sh", "-c", f"exec {line}"]},
        "entrypoint": {"entrypoint": line.split(), "command": []},
        "variable": {},
    }
    if where == "variable":
        before = {**before, "REDIS_ARGS": f"{options} --requirepass {given_password}"}
    checked = {"test": ["CMD", "redis-cli", "-a", given_password, "ping"], "interval": "3s", "retries": 7}
    more = draw(some(healthcheck=st.sampled_from([{"disable": True}, checked]), env_file=st.just("redis.env")))
    image = "redis/redis-stack:7" if where == "variable" else "redis:7.2"
    return {"image": image, **mine, **ways[where], **more, **({"environment": before} if before else {})}


@st.composite
def client(draw: st.DrawFn) -> dict[str, Any]:
    """One that logs in with a URL, which stands in a mapping or a list."""
    scheme, db = draw(st.sampled_from(["redis", "rediss", "valkey"])), draw(st.integers(0, 15))
    rest = draw(st.sampled_from(["", f"/{db}", f"/{db}?timeout=3"]))
    login = draw(st.sampled_from([":", "default:"]))
    its = {**draw(variables), "REDIS_URL": f"{scheme}://{login}{draw(password)}@redis:6379{rest}"}
    listed = draw(st.booleans())
    environment = [f"{key}={value}" for key, value in its.items()] if listed else its
    return {"image": "app:1", **draw(usual), "environment": environment, **draw(some(depends_on=st.just(["redis"])))}


projects = st.fixed_dictionaries({
    "redis": redis(),
    "app": client(),
    "worker": client(),
    "other": st.builds(lambda mine, its: {"image": "other:1", **mine, "environment": its}, usual, variables),
})  # fmt: skip


def laid(host: StubHost, services: Mapping[str, Any], override: bool) -> tuple[str, ...]:
    """The project's files on a host: all in one, or a part of each service in an override file. Their names."""
    services = copy.deepcopy(dict(services))
    host.write("redis.env", f"FROM=a file\nREDIS_PASSWORD={OLD}\n")
    host.write(".env", f"OLD_PASSWORD={OLD}\nMINE=my own\n")
    top: dict[str, Any] = {"networks": {"inside": {}}, "volumes": {"kept": {}}}
    over = {name: {"labels": one.pop("labels")} for name, one in services.items() if override and "labels" in one}
    host.write("compose.yml", json.dumps({"services": services, **top}))
    if over:
        host.write("compose.override.yml", json.dumps({"services": over}))
    return ("compose.yml", "compose.override.yml") if over else ("compose.yml",)


def without_login(name: str, service: Mapping[str, Any]) -> dict[str, Any]:
    """All of a definition but where its login stands."""
    one = copy.deepcopy(dict(service))
    one.pop("env_file", None)
    environment = {key: value for key, value in (one.pop("environment", None) or {}).items() if not key.startswith("COMPOSE_")}
    if name == "redis":
        environment = {key: value for key, value in environment.items() if "PASSWORD" not in key}
        environment["REDIS_ARGS"] = _plain(environment.get("REDIS_ARGS", ""))
        one["words"] = _plain(" ".join([*(one.pop("entrypoint", None) or []), *(one.pop("command", None) or [])]))
        one["volumes"] = [mount for mount in one.get("volumes") or [] if mount["target"] != AUTH]
        if "test" in (one.get("healthcheck") or {}) and one["healthcheck"]["test"] != ["NONE"]:
            one["healthcheck"]["test"] = "asks with its login"
    for key in MANAGED & environment.keys():
        environment[key] = re.sub(r"//[^@]*@", "//", environment[key])
    return {**one, "environment": environment}


def _plain(words: str) -> str:
    return " ".join(re.sub(rf"--requirepass \S+|--aclfile {AUTH}/users.acl", "", words).split())


# each example asks Compose seven times, so none is made smaller
@settings(
    max_examples=12,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(services=projects, override=st.booleans())
def test_nothing_differs_but_the_credential(compose_bin: list[str], services: Mapping[str, Any], override: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        host = StubHost(Path(folder))
        # nothing is known of an image but how redis-stack is started
        image = 'case "$1" in image) echo \'["/entrypoint.sh"]\'; exit ;; esac'
        host.stub("docker", f'{image}; shift; exec {shlex.join(compose_bin)} "$@"')
        files = laid(host, services, override)
        before = resolved(host)
        clients = {name: {f"env/{name}.env": {"REDIS_URL": "{redis.url}"}} for name in ("app", "worker")}
        wanted = {"services": ["redis"], "clients": clients, "stack_name": host.root.name}
        stack = build(wanted, {"redis_password": PASSWORD}, files=files)
        assert list(problems(stack, seen(host, stack))) == []

        done = write(host, stack)
        assert (done.returncode, done.stderr) == (0, "")
        after = resolved(host)
        assert before.keys() == after.keys()
        for name, one in after.items():
            assert without_login(name, one) == without_login(name, before[name])
        told = json.dumps(after)
        assert OLD not in told.replace(f'"OLD_PASSWORD": "{OLD}"', "")
        assert told.count(f":{PASSWORD}@redis:6379") == 2
        redis = after["redis"]
        words = [*(redis.get("command") or ()), *(redis.get("environment") or {}).values()]
        assert f"--aclfile {AUTH}/users.acl" in " ".join(words)
