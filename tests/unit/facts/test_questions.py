"""The questions for a snapshot: all facts in one round trip, and only those that a stack needs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from operations.controller.observe import questions, snapshot
from operations.facts.base import ScriptFact
from operations.facts.bundle import Bundle, Questions
from operations.scripts import Script
from operations.stack import registry
from operations.stack.snapshot import UNKNOWN, Applied, SeenFile
from tests.unit.dockers_api import a_container, docker_answers
from tests.unit.stack.hosts import a_client, a_stack
from tests.unit.stubs import StubHost


def test_a_bare_host_answers_every_question_of_a_snapshot(host: StubHost) -> None:
    host.without("docker", "curl")
    stack = a_stack(stack_dir=str(host.root / "nowhere"))
    bundle = Bundle()
    asked: Questions = questions(stack)
    found = bundle.process(host.command(bundle.command(asked)).stdout.splitlines())
    assert found is not UNKNOWN
    seen = snapshot(stack, found)
    assert seen.unknown() == ()
    assert seen.engine is not UNKNOWN
    assert (seen.engine.cli, seen.engine.server, seen.engine.curl) == (False, None, False)
    assert seen.files == dict.fromkeys(stack.managed_paths(), SeenFile("missing"))
    assert seen.env == {file.path: {} for file in (stack.dotenv, *stack.env_files)}
    assert (seen.applied, seen.texts, seen.fragments, seen.lock) == (Applied(), {}, (), None)
    assert seen.containers is UNKNOWN
    assert seen.answer("redis") is UNKNOWN
    assert seen.logs is UNKNOWN
    assert seen.literals == ()
    assert seen.machine is not UNKNOWN


def test_docker_is_asked_for_the_containers_once_whoever_needs_them(host: StubHost) -> None:
    docker_answers(host, a_container("redis", mounts=[(r"/srv/a\nb\\c", "/data")]))
    stack, bundle = a_stack(stack_dir=str(host.root)), Bundle()
    found = bundle.process(host.command(bundle.command(questions(stack))).stdout.splitlines())
    assert found is not UNKNOWN
    assert [container.service for container in found["containers"]] == ["redis"]
    assert found["engine"].server == "28.2.2"
    assert found["containers"][0].mounts == {"/data": r"/srv/a\nb\\c"}
    assert len([words for words in host.calls("curl") if any(word.endswith("/containers/json") for word in words)]) == 1


def test_a_list_of_containers_that_failed_is_nobodys_answer(host: StubHost) -> None:
    host.stub("curl", "exit 7")
    bundle = Bundle()
    found = bundle.process(host.command(bundle.command(questions(a_stack(stack_dir=str(host.root))))).stdout.splitlines())
    assert found is not UNKNOWN
    assert [found[part] for part in ("containers", "redis", "logs")] == [UNKNOWN] * 3
    assert found["engine"].server is None


def test_only_what_a_stack_has_is_asked_for() -> None:
    alone, whole, client = questions(a_stack(services=["watchtower"])), questions(a_stack()), questions(a_client())
    assert whole.keys() - alone.keys() == {
        "ports", "redis", "metrics:http://127.0.0.1:9121/metrics", "probe:openwebui.health", "probe:openwebui.websocket",
    }  # fmt: skip
    assert client.keys() - alone.keys() == {"ports", "redis", "probe:openwebui.health", "probe:openwebui.websocket"}


def test_a_client_asks_its_redis_at_its_address() -> None:
    _, arguments = questions(a_client())["redis"]
    assert arguments["at"] == "10.0.0.5:6379"
    _, arguments = questions(a_stack())["redis"]
    assert arguments["at"] is None


def test_the_logs_are_read_last_for_what_was_asked_before_may_make_a_service_complain() -> None:
    assert list(questions(a_stack()))[-1] == "logs"


def test_no_password_is_among_the_questions() -> None:
    for stack in (a_stack("Marker_Password-0123456789"), a_client("Marker_Password-0123456789")):
        command = Bundle().command(questions(stack)).get_raw_value()
        assert "Marker_Password-0123456789" not in command


def scripts_of(kind: type[ScriptFact[Any]]) -> Iterator[str]:
    for one in kind.__subclasses__():
        yield from [one.script] if "script" in vars(one) else []
        yield from scripts_of(one)


def test_no_question_needs_another_shell_than_the_others() -> None:
    registry.extras()  # the services' own are known then
    found = set(scripts_of(ScriptFact))  # type: ignore[type-abstract]
    assert {"containers/list", "services/redis/try", "services/postgres/ask"} <= found
    assert {path for path in found if Script(path).shell != "sh"} == set()
