"""The files of an operator's own catalogue: what they add, and everything that can be wrong with one."""

from __future__ import annotations

from pathlib import Path

import pytest

from operations.stack.catalogue import catalogue, read_service
from operations.stack.errors import CatalogueError, SettingsError
from tests.unit.stack.catalogues import Put, definition, env_of, only_problem, problems_of, values, web, with_web
from tests.unit.stack.hosts import a_stack

# A file that is wrong


KNOWN = (
    "known are checks, env, env_from, overlay, pin, provides, refuses, rests_during_changes, settings, state, update, variables."
)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is a NoneType, expected a mapping with `services`."),
        ("- a\n- b\n", "is a list, expected a mapping with `services`."),
        ("just text", "is a str, expected a mapping with `services`."),
        ("image: web\n", "must define exactly one service, called 'web' as the file is."),
        ("services: [web]\n", "must define exactly one service, called 'web' as the file is."),
        ("services: {}\n", "must define exactly one service, called 'web' as the file is."),
        ("services: {web: }\n", "must define exactly one service, called 'web' as the file is."),
        ("services: {other: {image: x}}\n", "must define exactly one service, called 'web' as the file is."),
        (
            "services: {web: {image: x}, db: {image: x}}\n",
            "must define exactly one service, called 'web' as the file is.",
        ),
        (
            web(definition="image: x\ncontainer_name: web"),
            "container_name: a fixed name keeps Compose from replacing the container beside the old. Remove it.",
        ),
        (web(definition="depends_on: redis"), "depends_on: expected a list or a mapping of services."),
        (web(definition="depends_on: [7]"), "depends_on: expected a list or a mapping of services."),
        (web(definition="env_file: 7"), "env_file: expected a path, or a list of them."),
        (web(definition="env_file: [{required: false}]"), "env_file: expected a path, or a list of them."),
        ("x-fleet: [a]\nservices: {web: {image: x}}", "x-fleet: is a list, expected a mapping."),
        (
            web("enviroment: {A: b}"),
            f"x-fleet: unknown key 'enviroment'; {KNOWN}",
        ),
        (
            web("7: x"),
            f"x-fleet: unknown key '7'; {KNOWN}",
        ),
        (web("update: restart"), "x-fleet: update: is 'restart', expected one of recreate, rolling."),
        (web("update: [rolling]"), "x-fleet: update: is ['rolling'], expected one of recreate, rolling."),
        (
            web("update: rolling", "image: x\nports: ['80:80']"),
            "x-fleet: update: rolling: two containers cannot publish one port. Take `ports` out, or put a proxy before it.",
        ),
        (
            web("update: rolling", "image: x\ncontainer_name: web"),
            "container_name: a fixed name keeps Compose from replacing the container beside the old. Remove it.",
        ),
        (web("settings: [a]"), "x-fleet: settings: is a list, expected a mapping of names to defaults."),
        (web("env_from: [a]"), "x-fleet: env_from: is a list, expected the name of a setting."),
        (web("env: [A=b]"), "x-fleet: env: is a list, expected a mapping of names to templates."),
        (web("variables: text"), "x-fleet: variables: is a str, expected a mapping of names to templates."),
        (web("env: {A-B: x}"), "x-fleet: env: 'A-B' is no name of an environment variable."),
        (web('env: {"A\\nB": x}'), "x-fleet: env: 'A\\nB' is no name of an environment variable."),
        (web("env: {1: x}"), "x-fleet: env: 1 is no name of an environment variable."),
        (web("env: {A: 1}"), "x-fleet: env: A: is 1, expected text. Put it in quotes."),
        (web("env: {A: true}"), "x-fleet: env: A: is True, expected text. Put it in quotes."),
        (web("variables: {A: [x]}"), "x-fleet: variables: A: is ['x'], expected text. Put it in quotes."),
        (web("checks: {id: x}"), "x-fleet: checks: is a dict, expected a list."),
        (web("checks: 7"), "x-fleet: checks: is a int, expected a list."),
        (web("checks: [x]"), "x-fleet: checks: each needs an `id` (text)."),
        (web("checks: [{http: x, status: 200}]"), "x-fleet: checks: each needs an `id` (text)."),
        (
            web('checks: [{id: "it\'s; id", http: x, status: 200}]'),
            'x-fleet: checks: "it\'s; id" is no id. Use lower-case letters, digits, dots, - and _.',
        ),
        (web("checks: [{id: a}]"), "x-fleet: checks: a: expected one of http, metric, websocket, tcp, command, log."),
        (
            web("checks: [{id: a, http: x, status: 1, metric: y, url: z, equals: 1}]"),
            "x-fleet: checks: a: expected one of http, metric, websocket, tcp, command, log.",
        ),
        (web("checks: [{id: a, http: x}]"), "x-fleet: checks: a: `status` is missing."),
        (web("checks: [{id: a, metric: m, equals: 1}]"), "x-fleet: checks: a: `url` is missing."),
        (
            web("checks: [{id: a, http: x, status: 200, remdy: y}]"),
            "x-fleet: checks: a: unknown key 'remdy'; known are cause, http, id, port, remedy, status.",
        ),
        (
            web("checks: [{id: a, http: 7, status: 200}]"),
            "x-fleet: checks: a: http: is 7, expected text. Put it in quotes.",
        ),
        (
            web("checks: [{id: a, http: x, status: 200, cause: [y]}]"),
            "x-fleet: checks: a: cause: is ['y'], expected text. Put it in quotes.",
        ),
        (web("checks: [{id: a, metric: m, url: x}]"), "x-fleet: checks: a: expected one of equals, above, below."),
        (
            web("checks: [{id: a, metric: m, url: x, above: 1, below: 2}]"),
            "x-fleet: checks: a: expected one of equals, above, below.",
        ),
        (
            web("checks: [{id: a, http: x, status: 200, above: 1}]"),
            "x-fleet: checks: a: unknown key 'above'; known are cause, http, id, port, remedy, status.",
        ),
        (web("checks: [{id: a, command: [x]}]"), "x-fleet: checks: a: `exit` is missing."),
        (
            web("checks: [{id: a, command: nginx -t, exit: 0}]"),
            "x-fleet: checks: a: command: is 'nginx -t', expected a list of words.",
        ),
        (
            web("checks: [{id: a, command: [nginx, 7], exit: 0}]"),
            "x-fleet: checks: a: command: is ['nginx', 7], expected a list of words.",
        ),
        (
            web("checks: [{id: a, command: [], exit: 0}]"),
            "x-fleet: checks: a: command: is empty, expected a list of words.",
        ),
        (web("checks: [{id: a, log: 7}]"), "x-fleet: checks: a: log: is 7, expected text. Put it in quotes."),
    ],
)
def test_a_file_that_does_not_say_what_it_should_is_told(put: Put, text: str, problem: str) -> None:
    assert only_problem(put("web", text)) == problem


@pytest.mark.parametrize(
    "content",
    [b"services: {web: {image: '\xff\xfe'}}", b"a: [", b"a: b: c", b"\tx", b"a: !!python/object:os.system x", b"%&"],
    ids=["not UTF-8", "open bracket", "two colons", "tab", "a Python object", "directive"],
)
def test_a_file_that_cannot_be_read_is_told(put: Put, content: bytes) -> None:
    problem = only_problem(put("web", content))
    assert problem.startswith("cannot be read: ")
    assert "\n" not in problem


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert only_problem(tmp_path / "web.yml").startswith("cannot be read: ")


def test_all_problems_of_a_file_are_told_at_once(put: Put) -> None:
    text = web(
        'env: {A: 1, B-C: x, D: "{"}\nvariables: [x]\nchecks: [{id: a}, 7]\nwrong: 1',
        "container_name: x\ndepends_on: 7",
    )
    assert [problem.split(":")[0] for problem in problems_of(put("web", text))] == [
        "container_name", "depends_on", *["x-fleet"] * 7,
    ]  # fmt: skip


def test_all_problems_of_all_files_and_folders_are_told_at_once(put: Put, folder: str, tmp_path: Path) -> None:
    one, two = put("one", "- a"), put("two", b"\xff")
    with pytest.raises(CatalogueError) as caught:
        catalogue((folder, str(tmp_path / "nowhere")))
    assert [problem.split(": ")[0] for problem in caught.value.problems] == [str(one), str(two), "catalog_dirs"]
    assert caught.value.problems[-1] == (f"catalog_dirs: {tmp_path}/nowhere is no folder. Correct the path, or remove it.")


@pytest.mark.parametrize("dirs", ["services.d", 7, [7], ["services.d", 7], [["a"]], {"a": "b"}])
def test_catalog_dirs_that_is_no_list_of_folders_is_told_as_a_setting(dirs: object) -> None:
    with pytest.raises(SettingsError) as caught:
        a_stack(catalog_dirs=dirs)
    (problem,) = caught.value.problems
    assert problem.startswith("catalog_dirs: is ")
    assert problem.endswith("expected a list of text.")


# What an operator adds


def test_an_operator_adds_a_service(put: Put, folder: str) -> None:
    put(
        "web",
        web(
            'settings: {web_port: 80}\nvariables: {WEB_PORT: "{web_port}"}\nenv: {URL: "redis://{redis_password}"}\n'
            "checks: [{id: web.up, metric: up, equals: 1, url: 'http://{probe_address}:{web_port}'}]",
            "image: web\ndepends_on: [redis]\nenv_file: env/web.env",
        ),
    )
    stack = with_web(folder, web_port=8081)
    service = stack.services[-1]
    assert (service.name, service.needs, service.reads_env) == ("web", ("redis",), True)
    assert stack.variables["web"]["WEB_PORT"] == "8081"
    assert values(stack.dotenv)["COMPOSE_FILE"] == (
        "compose.yml:compose.d/watchtower.yml:compose.d/redis.yml:compose.d/web.yml:compose.d/.overlay.yml"
    )
    assert str(env_of(stack, "web")["URL"]).startswith("redis://")
    (probe,) = stack.probes
    assert (probe.id, probe.service, probe.kind) == ("web.up", "web", "metric")
    assert (probe.target, probe.compare, probe.expected) == (("http://127.0.0.1:8081", "up"), "equals", "1")


def test_a_setting_of_an_added_service_has_its_default(put: Put, folder: str) -> None:
    put("web", web('settings: {web_port: 80}\nvariables: {WEB_PORT: "{web_port}"}'))
    assert with_web(folder).variables["web"]["WEB_PORT"] == "80"


def test_an_operators_file_replaces_the_shipped_one(put: Put, folder: str) -> None:
    path = put("watchtower", "services: {watchtower: {image: mine}}")
    stack = a_stack(catalog_dirs=[folder])
    assert stack.services[0].text == path.read_text()
    assert [service.name for service in stack.services] == ["watchtower", "redis", "redis-exporter", "openwebui"]


def test_of_two_folders_the_later_counts(put: Put, folder: str, tmp_path: Path) -> None:
    put("web", web(definition="image: first"))
    later = tmp_path / "later"
    later.mkdir()
    (later / "web.yml").write_text(web(definition="image: second"))
    assert "second" in catalogue((folder, str(later)))["web"].text
    assert "first" in catalogue((str(later), folder))["web"].text


def test_a_file_of_the_operators_that_no_service_names_changes_nothing(put: Put, folder: str) -> None:
    put("web", web('env: {A: "{redis_password}"}'))
    assert a_stack(catalog_dirs=[folder]).env_files == a_stack().env_files


@pytest.mark.parametrize(
    ("definition", "reads"),
    [
        ("env_file: ./env/web.env", True),
        ("env_file: env/web.env", True),
        ("env_file: [./other.env, env/web.env]", True),
        ("env_file: [{path: ./env/web.env, required: false}]", True),
        ("env_file: {path: env/web.env}", True),
        ("env_file: env/other.env", False),
        ("image: x", False),
        ("env_file: []", False),
    ],
)
def test_whether_a_container_reads_its_env_file_is_told_from_its_definition(put: Put, definition: str, reads: bool) -> None:
    assert read_service(put("web", web(definition=definition))).reads_env is reads


@pytest.mark.parametrize(
    ("definition", "needs"),
    [
        ("depends_on: [a, b]", ("a", "b")),
        ("depends_on: {a: {condition: service_started}}", ("a",)),
        ("depends_on: {a: {condition: service_healthy, required: true}}", ("a",)),
        ("depends_on: {a: {condition: service_healthy, required: false}}", ()),
        ("depends_on: {a: {required: false}, b: {condition: service_started}}", ("b",)),
        ("depends_on: {a: }", ("a",)),
        ("depends_on: !override [a]", ("a",)),
        ("depends_on: !reset null", ()),
        ("depends_on: !reset []", ()),
        ("ports: !override ['1:2']", ()),
    ],
)
def test_the_needs_are_told_from_the_definition_whatever_its_form(put: Put, definition: str, needs: tuple[str, ...]) -> None:
    assert read_service(put("web", web(definition=definition))).needs == needs


def test_a_dependency_that_is_not_required_need_not_be_listed(put: Put, folder: str) -> None:
    put("web", web(definition="image: x\ndepends_on:\n  db: {condition: service_healthy, required: false} #? db"))
    put("db", "services: {db: {image: x}}")
    both = a_stack(services=["web", "db"], catalog_dirs=[folder])
    assert "depends_on" in definition(both, "web")
    assert both.waits_for(both.services[0]) == ("db",)
    alone = with_web(folder)
    assert (alone.services[-1].needs, alone.waits_for(alone.services[-1])) == ((), ())


# Rolling updates


@pytest.mark.parametrize(("fleet", "rolling"), [("update: rolling", True), ("update: recreate", False), ("env: {A: b}", False)])
def test_a_service_is_replaced_as_its_file_says(put: Put, fleet: str, rolling: bool) -> None:
    assert read_service(put("web", web(fleet))).rolling is rolling


@pytest.mark.parametrize(
    ("definition", "replicas"),
    [
        ("image: x", 1),
        ("image: x\nscale: 3", 3),
        ("image: x\ndeploy: {replicas: 2}", 2),
        ("image: x\nscale: 3\ndeploy: {replicas: 2}", 3),
        ("image: x\ndeploy: {resources: {}}", 1),
        ("image: x\ndeploy: ", 1),
        ("image: x\nscale: ${N}", 1),
    ],
)
def test_as_many_containers_are_replaced_as_there_are(put: Put, definition: str, replicas: int) -> None:
    assert read_service(put("web", web("update: rolling", definition))).replicas == replicas


def test_a_rolling_service_may_have_other_ports_of_its_own(put: Put) -> None:
    assert read_service(put("web", web("update: rolling", "image: x\nexpose: [80]\nports: []"))).rolling
