"""A lab host that runs the stack with the real Open WebUI."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

import pytest

from tests.fleet.fleet import Fleet, Run, wipe
from tests.lab import Host, Lab, openwebui

NAME = os.environ.get("LAB_HOSTS", "erni-1").split(",")[0]
# no model hub is asked for anything, and nothing is embedded
OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "OFFLINE_MODE": "true",
    "RAG_EMBEDDING_MODEL_AUTO_UPDATE": "false",
    "RAG_EMBEDDING_ENGINE": "openai",
    "BYPASS_EMBEDDING_AND_RETRIEVAL": "true",
}
# it starts in about 20 s, on a busy machine in a multiple of that
PATIENT = {"openwebui_health_start_period": "300s", "openwebui_health_timeout": "10s", "start_timeout": 300}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.lab)
            item.add_marker(pytest.mark.openwebui)


@dataclass
class Real:
    """An operator with one host on which the real Open WebUI runs, and how that came about."""

    fleet: Fleet
    host: Host
    image: str
    first: Run

    def deploy(self) -> Run:
        return self.fleet.deploy(timeout=600)

    def validate(self) -> Run:
        """The checks alone."""
        return self.fleet.pyinfra("-y", "inventory", "operations.checks.validate")

    def health(self) -> int:
        """What a check that trusts Open WebUI's own word would see."""
        return int(self.host.run("curl --silent --output /dev/null --write-out '%{http_code}' http://127.0.0.1:8080/health"))

    def log(self) -> str:
        """What Open WebUI has said since its container was made."""
        return self.host.run("docker logs erni-ki-openwebui-1 2>&1")


@pytest.fixture(scope="session")
def real(tmp_path_factory: pytest.TempPathFactory) -> Real:
    """The host was empty at the beginning, and Open WebUI built, if this is the first time."""
    lab = Lab.here()
    if NAME not in {row["host"] for row in lab.status() if row["state"] == "running"}:
        lab.up()
    host = lab.host(NAME)
    image = openwebui.provide(lab, host)
    wipe(host)
    settings = {"openwebui_image": image, "openwebui_env": {**OFFLINE, "WEBUI_SECRET_KEY": token_hex()}, **PATIENT}
    fleet = Fleet(tmp_path_factory.mktemp("openwebui"), [host], settings=settings)
    return Real(fleet, host, image, fleet.deploy(timeout=900))
