"""Templates of the catalogue: what they are filled with, what does not fit together, and that no secret is shown."""

from __future__ import annotations

from collections.abc import Mapping
from io import StringIO

import pytest
import yaml
from dotenv import dotenv_values

from operations.stack.build import build
from operations.stack.errors import SettingsError
from operations.stack.files import EnvFile, File
from operations.stack.plan import plan
from operations.stack.stack import Stack
from operations.stack.verdicts import checks
from tests.unit.stack.catalogues import MARKER, SHIPPED, Put, env_of, only_problem, refused, web, with_web
from tests.unit.stack.hosts import a_stack, bare, converged, sha256

# What templates are filled with


def test_further_keys_of_open_webui_are_added() -> None:
    stack = a_stack(openwebui_env={"WEBUI_NAME": "ERNI's $KI # 1"})
    (file,) = (file for file in stack.env_files if file.path == "env/openwebui.env")
    assert list(file.lines)[-1] == "WEBUI_NAME"
    assert dotenv_values(stream=StringIO("\n".join(file.lines.values())), interpolate=False)["WEBUI_NAME"] == ("ERNI's $KI # 1")


def test_a_further_key_that_the_catalogue_manages_is_told() -> None:
    with pytest.raises(SettingsError) as caught:
        a_stack(openwebui_env={"REDIS_URL": "redis://elsewhere"})
    assert caught.value.problems == ("openwebui_env: REDIS_URL is managed by the catalogue. Remove it.",)


@pytest.mark.parametrize(
    "template",
    [
        "{", "}",
        "{a", "a}", "{}", "{0}", "{a.b.c}", "{a.}", "{a[0]}", "{a!r}", "{a!x}", "{a:>9}", "{a:{redis_password}}", "{ a }",
    ],
)  # fmt: skip
def test_a_template_that_is_no_plain_name_in_braces_is_told(put: Put, template: str) -> None:
    for block in (
        f"env: {{A: '{template}'}}", f"variables: {{A: '{template}'}}",
        f"checks: [{{id: a, http: '{template}', status: 200}}]",
    ):  # fmt: skip
        problem = only_problem(put("web", web(block)))
        assert f"{template!r}: " in problem
        assert problem.endswith("Write a literal brace as {{ or }}.")


def test_a_literal_brace_is_written_twice(put: Put, folder: str) -> None:
    put("web", web("""env: {A: '{{"port": {openwebui_port}}}'}"""))
    assert env_of(with_web(folder), "web") == {"A": '{"port": 8080}'}


def test_a_setting_that_is_true_is_written_as_compose_writes_it(put: Put, folder: str) -> None:
    put("web", web('settings: {web_tls: true}\nvariables: {WEB_TLS: "{web_tls}"}'))
    assert with_web(folder).variables["web"]["WEB_TLS"] == "true"


# Templates that do not fit together


def test_an_unknown_setting_in_a_template_is_told(put: Put, folder: str) -> None:
    put("web", web('env: {A: "{no_such}"}\nvariables: {B: "{nor_this}"}\nchecks: [{id: c, http: "{nor}", status: 200}]'))
    advice = "Correct it, or declare it under x-fleet: settings."
    assert refused(folder, "web") == (
        f"web: x-fleet: variables: B: there is no setting 'nor_this'. {advice}",
        f"web: x-fleet: env: A: there is no setting 'no_such'. {advice}",
        f"web: x-fleet: checks: c: there is no setting 'nor'. {advice}",
    )


def test_a_secret_in_a_variable_is_told(put: Put, folder: str) -> None:
    put("web", web('variables: {URL: "redis://:{redis_password}@redis"}'))
    assert refused(folder, "web") == (
        "web: x-fleet: variables: URL: redis_password is a secret and would land in its fragment. Put it under `env`.",
    )


@pytest.mark.parametrize("name", ["redis.password", "redis.url"])
def test_a_login_in_a_variable_is_told(put: Put, folder: str, name: str) -> None:
    put("web", web(f'variables: {{KEY: "{{{name}}}"}}'))
    assert refused(folder, "web") == (
        f"web: x-fleet: variables: KEY: {name} is a secret and would land in its fragment. Put it under `env`.",
    )


def test_a_secret_of_the_operators_own_in_a_variable_is_told(put: Put, folder: str) -> None:
    put("web", web('variables: {KEY: "{web_key}"}'))
    with pytest.raises(SettingsError) as caught:
        build({"services": ["web"], "catalog_dirs": [folder]}, {"web_key": MARKER})
    assert caught.value.problems == (
        "web: x-fleet: variables: KEY: web_key is a secret and would land in its fragment. Put it under `env`.",
    )


def test_a_secret_in_the_address_of_a_check_is_told(put: Put, folder: str) -> None:
    put("web", web('checks: [{id: a, http: "http://x:{redis_password}@y", status: 200}]'))
    assert refused(folder, "web")[0] == (
        "web: x-fleet: checks: a: redis_password is a secret and would be shown in the report. Take it out."
    )


def test_a_secret_of_the_operators_own_reaches_its_env_file_alone(put: Put, folder: str) -> None:
    put("web", web('env: {KEY: "{web_key}"}'))
    stack = build({"services": ["web"], "catalog_dirs": [folder]}, {"web_key": MARKER})
    assert env_of(stack, "web") == {"KEY": MARKER}
    assert MARKER not in repr(stack)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("30s", "30s"),
        ("8080", 8080),
        ("a b: c", "a b: c"),
        ("# no comment", "# no comment"),
        ('with "quotes" and $dollars', 'with "quotes" and $$dollars'),
        ("x:", "x:"),
        ("", ""),
    ],
)
def test_a_variable_is_written_as_yaml_has_it(put: Put, folder: str, value: str, written: object) -> None:
    body = 'image: web\ncommand: ${WEB_TEXT} # as it is\nlabels:\n  one: ${WEB_TEXT}\n  two: "<${WEB_TEXT}>"\n  three: ${ELSEWHERE}'
    put("web", web('settings: {web_text: x}\nvariables: {WEB_TEXT: "{web_text}"}', body))
    (text,) = (file.content for file in with_web(folder, web_text=value).fragments(True) if file.path == "compose.d/web.yml")
    found = yaml.safe_load(text)["services"]["web"]
    assert found["command"] == found["labels"]["one"] == written
    assert found["labels"]["two"] == f"<{written}>"
    assert found["labels"]["three"] == "${ELSEWHERE}"


def test_two_services_may_use_one_name_for_different_values(put: Put, folder: str) -> None:
    put("web", web("variables: {HEALTH_START_INTERVAL: 7s}"))
    stack = with_web(folder)
    assert {stack.variables[name]["HEALTH_START_INTERVAL"] for name in ("web", "redis")} == {"7s", "2s"}


def test_a_value_that_no_line_can_hold_is_told(put: Put, folder: str) -> None:
    put("web", web("settings: {web_text: x}\nenv: {A: '{web_text}'}"))
    (problem,) = refused(folder, "web", web_text="two\nlines")
    assert problem.startswith("web: x-fleet: env: A: ")


def test_env_from_that_names_no_setting_is_told(put: Put, folder: str) -> None:
    put("web", web("env_from: web_evn"))
    assert refused(folder, "web") == ("web: x-fleet: env_from: there is no setting 'web_evn'. Correct it.",)


@pytest.mark.parametrize("value", ["text", ["A=b"], {"A": 1}, 7])
def test_env_from_that_names_no_mapping_is_told(put: Put, folder: str, value: object) -> None:
    put("web", web("settings: {web_env: {}}\nenv_from: web_env"))
    (problem,) = refused(folder, "web", web_env=value)
    assert problem.startswith("web_env: is ")
    assert "expected a mapping of text to " in problem


def test_a_service_that_is_in_no_catalogue_is_told_with_those_that_are() -> None:
    with pytest.raises(SettingsError) as caught:
        a_stack(services=["watchtower", "reddis"])
    assert caught.value.problems == (
        f"services: 'reddis' is not in the catalogue ({', '.join(SHIPPED)}). Correct it, or name the folder that holds its file in "
        "catalog_dirs.",
    )


def test_a_dependency_that_is_not_listed_is_told(put: Put, folder: str) -> None:
    put("web", web(definition="image: x\ndepends_on: [db]"))
    assert refused(folder, "web") == ("services: web depends on db, which is not in `services`. Add it, or take web out.",)


def test_a_cycle_is_told_together_with_what_else_is_wrong(put: Put, folder: str) -> None:
    put("web", web('env: {A: "{no_such}"}', "depends_on: [db]"))
    put("db", "services: {db: {image: x, depends_on: {web: {condition: service_started}}}}")
    found = refused(folder, "web", "db")
    assert len(found) == 2
    assert "in a circle" in found[0]
    assert "'no_such'" in found[1]


# Secrets


def parts(stack: Stack) -> Mapping[str, object]:
    """Every object of a stack that may be printed."""
    before, after = plan(stack, bare(stack)), plan(stack, converged(a_stack("Another_Password-0123456789")))
    return {
        "stack": stack, "settings": stack.settings, "services": stack.services, "dotenv": stack.dotenv,
        "env files": stack.env_files, "secret files": stack.secret_files(), "probes": stack.probes,
        "base": stack.base(), "fragments": stack.fragments(True), "manifest": stack.manifest(),
        "plan of a bare host": before, "plan of a rollout": after, "sentences": list(after.sentences()),
        "checks": checks(stack, bare(stack)), "snapshot": converged(stack), "paths": stack.managed_paths(),
    }  # fmt: skip


@pytest.mark.parametrize("part", parts(a_stack()))
def test_nothing_that_is_printed_shows_the_password(part: str) -> None:
    printed = parts(a_stack(MARKER))[part]
    assert MARKER not in repr(printed)
    assert MARKER not in str(printed)


def test_files_that_others_may_read_hold_no_password() -> None:
    stack = a_stack(MARKER)
    readable: list[File | EnvFile] = [*stack.base(), stack.dotenv, *stack.fragments(True), *stack.fragments(False)]
    assert {file.mode for file in readable} == {"0644", "keep0644"}
    for file in readable:
        text = file.content if isinstance(file, File) else "\n".join(file.lines.values())
        assert MARKER not in text, file.path


def test_the_password_stands_in_files_of_their_owner_alone() -> None:
    stack = a_stack(MARKER)
    holding = [file for file in stack.env_files if MARKER in "".join(file.lines.values())]
    assert [file.path for file in holding] == ["env/redis.env", "env/redis-exporter.env", "env/openwebui.env"]
    password = [file for file in stack.secret_files() if MARKER in file.content]
    assert [file.path for file in password] == ["secrets/redis/password"]
    assert {file.mode for file in holding} | {file.mode for file in password} == {"0600"}


def test_the_acl_file_holds_the_hash_of_the_password_alone() -> None:
    stack = a_stack(MARKER)
    (acl,) = (file for file in stack.secret_files() if file.path.endswith("users.acl"))
    assert acl.content == f"user default on sanitize-payload ~* &* +@all #{sha256(MARKER)}\n"
    assert acl.mode == "0600"


def test_a_problem_shows_no_password(put: Put, folder: str) -> None:
    put("web", web('env:\n  A: "{redis_password}{no_such}"\nvariables:\n  B: "{redis_password}"'))
    found = refused(folder, "web", redis_password_of_another="x")
    assert len(found) == 2
    assert MARKER not in str(found)
