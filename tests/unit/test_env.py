"""Which env files are written, by the operations' own generators. How keys are set in one is tested in test_env_edit.py."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping

import pytest
from pyinfra.api import HiddenValue

from operations import env
from operations.controller.host_plan import HostPlan
from operations.stack.snapshot import MISSING, UNKNOWN, SeenFile
from tests.unit.generators import AHost, Ran, Stage
from tests.unit.stack.hosts import a_stack, converged, sha256
from tests.unit.stack.plans import before_the_rollout

PATH = "/opt/app/env/app.env"


def a_file(stage: Stage, line: str | None, value: str | HiddenValue = "info", facts: Mapping[str, object] | None = None) -> Ran:
    """The operation on a host where the file has this line; None: where there is no file."""
    file = MISSING if line is None else SeenFile("file", "0600", "0:0", sha256("whatever else it holds"))
    keys = {} if line is None else {"LOG_LEVEL": sha256(line)}
    host = AHost(facts={"Files": {"app.env": file}, "EnvKeys": {"app.env": keys}, **(facts or {})})
    return stage.on(host, env.env_file, PATH, {"LOG_LEVEL": value})


@pytest.mark.parametrize("line", [None, "LOG_LEVEL=debug"])
def test_a_key_that_differs_is_set(stage: Stage, line: str | None) -> None:
    ran = a_file(stage, line)
    kind, mode, _, path, body = ran.words("files/put", "files")
    assert (kind, mode, path, b64decode(body)) == ("env", "0600", "app.env", b"LOG_LEVEL=info\n")
    assert ran.parameters("files/put")["root"] == "/opt/app/env"


def test_a_hidden_value_is_set_as_it_is(stage: Stage) -> None:
    assert b64decode(a_file(stage, None, HiddenValue("quiet")).words("files/put", "files")[4]) == b"LOG_LEVEL=quiet\n"


def test_a_file_that_is_as_desired_is_left_alone(stage: Stage) -> None:
    ran = a_file(stage, "LOG_LEVEL=info")
    assert (ran.yielded, ran.host.told) == ([], [f"{PATH} is as desired"])


@pytest.mark.parametrize("fact", ["Files", "EnvKeys"])
def test_a_file_that_cannot_be_observed_is_left_as_it_is(stage: Stage, fact: str) -> None:
    assert a_file(stage, None, facts={fact: UNKNOWN}).failed == f"{PATH} could not be observed; it is left as it is."


def test_a_value_that_no_quoting_can_carry_fails_the_host(stage: Stage) -> None:
    ran = a_file(stage, None, "two\nlines")
    assert ran.scripts == []
    assert "holds a line break" in ran.failed


def test_a_rollout_writes_the_env_files_that_differ_and_the_password_file(stage: Stage) -> None:
    ran = stage.on(AHost(), env.env_files, HostPlan(a_stack(), before_the_rollout()))
    written = ran.words("files/put", "files")[3::5]
    assert set(written) == {"env/redis.env", "env/redis-exporter.env", "env/openwebui.env", "secrets/redis/password"}


def test_where_all_are_as_desired_none_is_written(stage: Stage) -> None:
    ran = stage.on(AHost(), env.env_files, HostPlan(a_stack(), converged(a_stack())))
    assert (ran.yielded, ran.host.told) == ([], ["every env file is as desired"])
