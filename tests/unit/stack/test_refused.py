"""Keys with which a service would not be what the stack takes it for, such as those of redis behind Sentinel."""

from __future__ import annotations

from dataclasses import replace

import pytest

from operations.stack.errors import SettingsError
from operations.stack.plan import plan
from operations.stack.snapshot import UNKNOWN, SeenDefinition, SeenOwn, Snapshot
from tests.unit.stack.catalogues import Put, only_problem, web
from tests.unit.stack.hosts import a_stack, converged, sha256

ENV = "env/openwebui.env"
STACK = a_stack()
WHY = "Redis behind Sentinel is not supported; its replicas would keep the old password. Use one redis and take this out."

pytestmark = pytest.mark.parametrize("key", ["REDIS_SENTINEL_HOSTS", "WEBSOCKET_SENTINEL_HOSTS"])


def in_its_env_file(key: str) -> Snapshot:
    seen = converged(STACK)
    assert seen.env is not UNKNOWN
    return replace(seen, env={**seen.env, ENV: {**(seen.env[ENV] or {}), key: sha256(f"{key}=s1,s2")}})


def in_the_projects_own_file(key: str) -> Snapshot:
    return replace(converged(STACK), own=SeenOwn({"openwebui": SeenDefinition(keys=(key,))}))


@pytest.mark.parametrize("there", [in_its_env_file, in_the_projects_own_file])
def test_a_host_that_has_one_is_left_as_it_is(key: str, there: object) -> None:
    due = plan(STACK, there(key))  # type: ignore[operator]
    assert due.problems == (f"openwebui: has {key}. {WHY} Nothing was changed.",)
    assert not due.due


def test_a_setting_that_adds_one_is_told_before_a_connection(key: str) -> None:
    with pytest.raises(SettingsError, match=f"openwebui_env: {key}: Redis behind Sentinel is not supported"):
        a_stack(openwebui_env={key: "s1,s2"})


def test_a_host_is_asked_about_it(key: str) -> None:
    (file,) = (file for file in STACK.env_files if file.path == ENV)
    assert key in file.refused
    assert key in STACK.overlays()["openwebui"]["env"]


def test_a_service_of_ones_own_says_why_in_words(put: Put, key: str) -> None:
    assert only_problem(put("web", web(f"refuses: [{key}]"))) == "x-fleet: refuses: expected a mapping of names to sentences."
