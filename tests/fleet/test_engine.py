"""A host without Docker gets it from its own package sources, and ends validated."""

from __future__ import annotations

import pytest

from tests.fleet.fleet import SERVICES, Fleet, Run, containers
from tests.lab import Host, Lab

BARE = "bare-1"


@pytest.fixture(scope="module")
def bare(lab: Lab) -> Host:
    """A new host without Docker."""
    names = [row["host"] for row in lab.status()]
    if BARE not in names:
        lab.up(hosts=sum(name.startswith("erni-") for name in names), bare=1)
    return lab.renew(BARE)


@pytest.fixture(scope="module")
def operator_of_bare(bare: Host, tmp_path_factory: pytest.TempPathFactory) -> Fleet:
    fleet = Fleet(tmp_path_factory.mktemp("bare"), [bare])
    fleet.settings["redis_flavour"] = "stack"  # there is no image yet that could be asked
    return fleet


@pytest.fixture(scope="module")
def preview(operator_of_bare: Fleet) -> Run:
    return operator_of_bare.preview()


@pytest.fixture(scope="module")
def installed(preview: Run, operator_of_bare: Fleet) -> Run:
    """The engine's operation alone, after which the lab's images can be loaded."""
    run = operator_of_bare.pyinfra("-y", "inventory", "operations.engine.docker", timeout=600)
    if run.ok:
        operator_of_bare.hosts[0].load_images()
    return run


@pytest.fixture(scope="module")
def deployed(installed: Run, operator_of_bare: Fleet) -> Run:
    return operator_of_bare.deploy()


def test_a_preview_says_what_is_missing(preview: Run) -> None:
    assert preview.ok, preview.output
    assert {"engine: Docker Engine is missing", "engine: the Compose v2 plugin is missing"} <= set(preview.changes(BARE))


def test_the_operation_alone_installs_docker_and_compose(installed: Run, bare: Host) -> None:
    assert installed.ok, installed.output
    assert bare.succeeds("docker version && docker compose version")


def test_the_host_ends_validated(deployed: Run, bare: Host) -> None:
    assert deployed.ok, deployed.output
    assert deployed.bad_checks(BARE) == []
    assert set(containers(bare)) == set(SERVICES)


def test_a_second_run_changes_nothing(deployed: Run, operator_of_bare: Fleet) -> None:
    run = operator_of_bare.deploy()
    assert run.host(BARE)["status"] == "ok", run.output
    assert run.changes(BARE) == []


def test_an_engine_that_suffices_is_left_alone(converged: Fleet) -> None:
    run = converged.pyinfra("-y", "inventory", "operations.engine.docker")
    assert run.ok, run.output
    assert "] Success" not in run.output


def test_a_host_that_has_no_packages_for_it_says_what_to_set(bare: Host, operator_of_bare: Fleet, installed: Run) -> None:
    plugin = bare.run("dirname $(find /usr -name docker-compose -path '*cli-plugins*')").strip()
    bare.run(f"mv {plugin} {plugin}.away")
    try:
        run = operator_of_bare.pyinfra("-y", "inventory", "operations.engine.docker", 'compose_packages=["none-such"]')
    finally:
        bare.run(f"mv {plugin}.away {plugin}")
    assert run.status == 1
    assert "No package source of this host has Compose v2; looked for: none-such." in run.output
    assert "docker_apt_source" in run.output
