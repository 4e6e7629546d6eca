"""When Docker is installed, by the operation's own generator. What the script does is tested in the lab."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from operations import engine
from operations.stack.snapshot import UNKNOWN
from tests.unit.generators import AHost, Stage
from tests.unit.stack.hosts import ENGINE


def test_a_docker_that_suffices_is_kept(stage: Stage) -> None:
    ran = stage.on(AHost(), engine.docker, seen=ENGINE)
    assert (ran.yielded, ran.host.told, ran.host.asked) == ([], ["Docker 28.2.2 with Compose 2.26.1-4 suffices"], [])


@pytest.mark.parametrize("lacks", [{"cli": False}, {"server": None}, {"compose": None}, {"curl": False}, {"jq": False}])
def test_what_is_missing_is_installed(stage: Stage, lacks: dict[str, Any]) -> None:
    host = AHost(facts={"Engine": replace(ENGINE, **lacks)})
    ran = stage.on(host, engine.docker, ("docker-ce",), ("docker-compose-plugin", "other"), "deb http://a b c")
    assert ran.parameters("engine/install") == {
        "docker_packages": "docker-ce",
        "compose_packages": "docker-compose-plugin other",
        "apt_source": "deb http://a b c",
    }


def test_on_a_host_that_cannot_be_seen_nothing_is_installed(stage: Stage) -> None:
    ran = stage.on(AHost(facts={"Engine": UNKNOWN}), engine.docker)
    assert ran.scripts == []
    assert ran.failed == "Docker could not be observed; nothing is installed on a host that cannot be seen."
