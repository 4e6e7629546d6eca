"""Lines of the catalogue that stand on some hosts alone: marked ones, and start_interval."""

from __future__ import annotations

import pytest

from operations.stack.build import build
from operations.stack.catalogue import catalogue, read_service
from operations.stack.errors import CatalogueError, SettingsError
from operations.stack.service import Service
from tests.unit.stack.catalogues import EVERY, SHIPPED, Put, definition, only_problem, web, with_web
from tests.unit.stack.hosts import a_stack

# Lines for some hosts alone


def lines(put: Put, *marked: str, given: tuple[str, ...]) -> list[str]:
    """What stands of these lines in the fragment of a host that has what is `given`."""
    text = "services:\n  web:\n    image: x\n" + "".join(f"    {line}\n" for line in marked)
    found = read_service(put("web", text)).fragment(start_interval=True, given=given)
    return [line.strip() for line in found.splitlines()[3:]]


A, B = 'labels: {a: "1"} #? one', 'ports: ["1:2"] #? one|another-2'


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ((), []),
        (("one",), [A, B]),
        (("another-2",), [B]),
        (("on", "another"), []),
        (("one|another-2",), []),
        (("one", "x"), [A, B]),
    ],
)
def test_a_marked_line_stands_only_where_one_of_its_names_is_there(put: Put, given: tuple[str, ...], kept: list[str]) -> None:
    assert lines(put, A, B, given=given) == kept


def test_a_condition_that_nothing_can_fulfil_is_a_problem(put: Put) -> None:
    path = put("web", web("settings: {web_user: }", 'image: x\nuser: "1" #? web_usr|redis'))
    with pytest.raises(SettingsError) as caught:
        build({"services": ["web"], "catalog_dirs": [str(path.parent)]}, {})
    assert caught.value.problems == (
        "web: `#? web_usr`: no setting and no service has that name, so the line never stands. Correct it.",
    )


@pytest.mark.parametrize("line", ["user: x # ? one", "user: x #?one", 'user: "#? one two"', "# what #? means here"])
def test_a_line_that_only_looks_marked_stays(put: Put, line: str) -> None:
    assert lines(put, line, given=()) == [line]


def test_a_marked_last_line_without_an_end_goes_too(put: Put) -> None:
    path = put("web", "services:\n  web:\n    image: x\n    user: y #? one  ")
    assert read_service(path).fragment(start_interval=True) == "services:\n  web:\n    image: x\n"


@pytest.mark.parametrize(
    ("default", "value", "there"),
    [
        ("", "x", True),
        ("1", 7, True),
        ("false", True, True),
        ("x", "", False),
        ("", None, False),
        ("1", 0, False),
        ("true", False, False),
    ],
)
def test_a_setting_counts_where_it_has_a_value(put: Put, folder: str, default: str, value: object, there: bool) -> None:
    put("web", web(f"settings: {{web_user: {default}}}", 'image: x\nuser: "1" #? web_user'))
    assert ("user" in definition(with_web(folder, web_user=value), "web")) is there


# start_interval, which engines before 25 do not know


def without(service: Service) -> str:
    return service.fragment(start_interval=False)


@pytest.mark.parametrize("name", SHIPPED)
def test_an_old_engine_gets_the_fragment_without_start_interval_and_nothing_else_changed(name: str) -> None:
    service = catalogue()[name]
    kept = [line for line in service.text.splitlines() if not line.strip().startswith("start_interval:")]
    assert service.fragment(start_interval=False, given=EVERY).splitlines() == kept
    assert ("start_interval" in definition(a_stack(services=[*SHIPPED]), name).get("healthcheck", {})) == (
        len(service.text.splitlines()) - len(kept)
    )


def test_start_interval_at_the_very_end_is_left_out(put: Put) -> None:
    text = "services:\n  web:\n    healthcheck:\n      interval: 9s\n      start_interval: 2s"
    assert without(read_service(put("web", text))) == text.removesuffix("      start_interval: 2s")


@pytest.mark.parametrize("line", ["# start_interval: 2s", "# no start_interval: here", "command: echo start_interval: 1"])
def test_lines_that_only_speak_of_start_interval_stay(put: Put, line: str) -> None:
    text = f"services:\n  web:\n    {line.replace(': 1', '')}\n    image: x\n"
    assert without(read_service(put("web", text))) == text


@pytest.mark.parametrize(
    "definition",
    [
        "healthcheck: {interval: 9s, start_interval: 2s}",
        "healthcheck:\n  interval: 9s\n  start_interval:\n    2s",
        "command: |\n  start_interval: is a word\nhealthcheck:\n  interval: 9s",
        '"healthcheck":\n  interval: 9s\n  "start_interval": 2s',
        "healthcheck:\n  start_interval: &often 2s\n  interval: *often",
    ],
    ids=["in one line", "over two lines", "in a text", "quoted", "named for others"],
)
def test_a_start_interval_that_could_not_be_left_out_alone_is_refused(put: Put, definition: str) -> None:
    assert only_problem(put("web", web(definition=definition))) == (
        "start_interval: must stand on a line of its own, so that older engines can do without it."
    )


# What the library itself reads of a file knows them too

OPTIONAL = """\
x-fleet:
  settings: {web_cache: null}
  variables:
    WEB_PLAIN: "1"
    WEB_CACHE: "{web_cache}" #? web_cache
  env:
    CACHE: "{web_cache}" #? web_cache
  checks:
    - {id: web.port, tcp: "127.0.0.1:80", cause: c., remedy: r.}
    - {id: web.cache, tcp: "{web_cache}:80", cause: c., remedy: r.} #? web_cache
services:
  web:
    image: web:1
    env_file: ["${STACK_ROOT}/env/web.env"]
    depends_on: [db] #? db
"""


@pytest.mark.parametrize(
    ("cache", "variables", "env", "checks"),
    [
        (None, {"WEB_PLAIN": "1"}, {}, ["web.port"]),
        ("c", {"WEB_PLAIN": "1", "WEB_CACHE": "c"}, {"CACHE": "CACHE=c"}, ["web.port", "web.cache"]),
    ],
)
def test_a_marked_line_of_what_the_library_reads_stands_there_alone_too(
    put: Put, folder: str, cache: str | None, variables: dict[str, str], env: dict[str, str], checks: list[str]
) -> None:
    put("web", OPTIONAL)
    put("db", "services: {db: {image: db}}")
    stack = with_web(folder, web_cache=cache)
    assert {key: value for key, value in stack.variables["web"].items() if key.startswith("WEB_")} == variables
    (file,) = (file for file in stack.env_files if file.path == "env/web.env")
    assert file.lines == env
    assert [probe.id for probe in stack.probes] == checks


@pytest.mark.parametrize("services", [["web"], ["db", "web"]])
def test_a_service_is_needed_only_where_its_line_stands(put: Put, folder: str, services: list[str]) -> None:
    put("web", OPTIONAL)
    put("db", "services: {db: {image: db}}")
    (found,) = (one for one in build({"services": services, "catalog_dirs": [folder]}, {}).services if one.name == "web")
    assert found.needs == (("db",) if "db" in services else ())


@pytest.mark.parametrize("services", [["db"], ["db", "web"]])
def test_a_credential_is_there_only_where_its_line_stands(put: Put, folder: str, services: list[str]) -> None:
    provided = "db: {kind: redis-acl, secret: db_password, port: 1} #? web"
    put("db", f"x-fleet:\n  provides:\n    {provided}\nservices: {{db: {{image: db}}}}\n")
    put("web", "services: {web: {image: web}}")
    stack = build({"services": services, "catalog_dirs": [folder]}, {})
    assert [one.name for one in stack.credentials] == (["db"] if "web" in services else [])


def test_lines_without_which_a_file_is_no_yaml_are_told(put: Put, folder: str) -> None:
    put("web", 'services:\n  web:\n    image: "x\n      y" #? web_user\n')
    with pytest.raises(CatalogueError, match="web: without the lines"):
        with_web(folder)
