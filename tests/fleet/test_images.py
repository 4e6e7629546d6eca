"""The same image on every host: from a registry with a login, and by copy on a host that has no way to it."""

from __future__ import annotations

import re
import shutil
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.fleet import catalogs
from tests.fleet.docker_registry import AT, USER, Registry
from tests.fleet.fleet import ROOT, STACK, Fleet, Run
from tests.lab import Host

IMAGE = f"{AT}/team/page:1"
PAGE = f"""\
x-fleet:
  settings: {{page_image: "{IMAGE}"}}
  variables: {{PAGE_IMAGE: "{{page_image}}"}}
  checks:
    - {{id: page.answer, http: "http://127.0.0.1:8097/well", status: 200}}
services:
  page:
    image: ${{PAGE_IMAGE}}
    init: true
    restart: unless-stopped
    ports: ["127.0.0.1:8097:8097"]
    healthcheck: {{test: ["CMD", "test", "-e", "/srv/well"], interval: 1s, timeout: 5s, retries: 2}}
"""
SETTINGS = f"""\
from operations.controller.secrets import Secret

registries = {{"{AT}": {{"user": "{USER}", "password": Secret("REGISTRY_PASSWORD")}}}}
"""


@dataclass
class Team:
    """An operator with a project folder, whose hosts run a page: two of them pull it, the third has no way to the registry."""

    fleet: Fleet
    registry: Registry
    project: Path

    @property
    def pulling(self) -> tuple[Host, Host]:
        first, second, _ = self.fleet.hosts
        return first, second

    @property
    def apart(self) -> Host:
        return self.fleet.hosts[2]

    def deploy(self, *words: str) -> Run:
        return self.fleet.pyinfra("-y", "inventory", "deploy.py", *words, cwd=self.project)

    def renew(self, *words: str) -> Run:
        """The registry is asked again, by those that reach it."""
        limits = [word for host in self.pulling for word in ("--limit", host.name)]
        return self.deploy(*limits, "--data", "pull=always", *words)

    def locked(self) -> str:
        found: str = yaml.safe_load((self.project / "images.lock").read_text())[IMAGE]["digest"]
        return found

    def lock(self, digest: str) -> None:
        """What the operator does who takes an earlier version of the file out of git."""
        (self.project / "images.lock").write_text(yaml.safe_dump({IMAGE: {"digest": digest, "ids": []}}))


@pytest.fixture(scope="module")
def team(shared: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    project = tmp_path_factory.mktemp("project")
    for name in ("inventory", "deploy.py", "config.py", "operations"):
        (project / name).symlink_to(ROOT / name)
    shutil.copytree(ROOT / "group_data", project / "group_data")
    (project / "group_data/fleet.py").write_text(SETTINGS)
    for host in shared.hosts:
        host.run(f"docker images --quiet {AT}/team/page | sort -u | xargs --no-run-if-empty docker rmi --force")
    registry = Registry.on(shared.hosts[0])
    registry.reached_from(shared.hosts[1])
    catalogs.write(shared, page=PAGE)
    shared.secrets["REGISTRY_PASSWORD"] = registry.password
    shared.settings.update(services=["page"], rollout_waves=["1", "100%"], pull="missing")
    shared.host_settings[shared.hosts[2].name] = {"pull": "copy"}
    yield Team(shared, registry, project)
    registry.stop()


def version(host: Host) -> str:
    return host.run("curl --silent --fail http://127.0.0.1:8097/version").strip()


def running(host: Host) -> str:
    """What Docker calls the image that the page runs."""
    return host.run("docker inspect --format '{{.Image}}' erni-ki-page-1").strip()


def test_every_host_gets_the_digest_that_the_registry_has(team: Team) -> None:
    digest = team.registry.push(IMAGE, "one")
    preview = team.fleet.pyinfra("--dry", "inventory", "deploy.py", cwd=team.project)
    assert preview.ok, preview.output
    assert f"image {IMAGE} for page: none → {digest[7:19]}" in preview.output
    assert not (team.project / "images.lock").exists()

    run = team.deploy()
    assert run.ok, run.output
    assert team.locked() == digest
    assert {version(host) for host in team.fleet.hosts} == {"one"}
    assert len({running(host) for host in team.fleet.hosts}) == 1
    # the layers below were there, from the lab
    (copied,) = re.findall(r"(\d+) MB were copied", run.output)
    assert int(copied) < 5
    # the login is nowhere: neither in what was said, nor on a host
    for secret in (team.registry.password, b64encode(f"{USER}:{team.registry.password}".encode()).decode()):
        assert secret not in run.output
        for host in team.fleet.hosts:
            assert not host.succeeds(f"grep -rqF {secret} {STACK} /root/.docker")


def test_a_second_run_costs_one_exec_and_a_moved_tag_changes_nothing(team: Team) -> None:
    team.registry.push(IMAGE, "two")
    before = {host: host.sessions() for host in team.fleet.hosts}
    run = team.deploy()
    assert run.ok, run.output
    for host in team.fleet.hosts:
        assert run.changes(host.name) == []
        assert host.sessions() - before[host] == 1
        assert run.check(host.name, "image.same")["verdict"] == "ok"
        assert version(host) == "one"


def test_an_update_is_asked_for_and_the_host_that_had_no_part_in_it_is_told(team: Team) -> None:
    old, digest = team.locked(), team.registry.push(IMAGE, "three")
    preview = team.renew("--dry")
    assert f"image {IMAGE} for page: {old[7:19]} → {digest[7:19]}" in preview.output, preview.output

    run = team.renew()
    assert run.ok, run.output
    assert team.locked() == digest
    assert [version(host) for host in team.fleet.hosts] == ["three", "three", "one"]

    looked = team.fleet.pyinfra("-y", "inventory", "operations.checks.validate", cwd=team.project)
    assert not looked.ok
    assert looked.check(team.apart.name, "image.same")["verdict"] == "failed"
    assert [looked.bad_checks(host.name) for host in team.pulling] == [[], []]

    run = team.deploy()
    assert run.ok, run.output
    assert [bool(run.changes(host.name)) for host in team.fleet.hosts] == [False, False, True]
    assert version(team.apart) == "three"


def test_an_image_that_does_not_work_is_rolled_back_on_the_first_host_and_comes_to_no_other(team: Team) -> None:
    first, second = team.pulling
    kept, images = team.locked(), [running(host) for host in team.fleet.hosts]
    team.registry.push(IMAGE, "broken", well=False)
    run = team.renew()
    assert not run.ok
    assert "The files were rolled back from backups/" in run.host(first.name)["error"]
    assert f"{first.name} failed in an earlier wave" in run.host(second.name)["error"]
    assert [version(host) for host in team.fleet.hosts] == ["three"] * 3
    assert [running(host) for host in team.fleet.hosts] == images
    assert team.locked() == kept
    run = team.deploy()
    assert run.ok, run.output
    assert all(run.changes(host.name) == [] for host in team.fleet.hosts)


def test_an_earlier_lock_takes_every_host_back(team: Team) -> None:
    team.lock(team.registry.pushed["one"])
    run = team.deploy()
    assert run.ok, run.output
    assert len({running(host) for host in team.fleet.hosts}) == 1
    assert {version(host) for host in team.fleet.hosts} == {"one"}


def test_a_registry_that_refuses_the_login_is_told_before_a_change(team: Team) -> None:
    first, *_ = team.fleet.hosts
    before = running(first)
    team.fleet.secrets["REGISTRY_PASSWORD"] = "not-the-password-of-the-registry"
    try:
        run = team.renew()
    finally:
        team.fleet.secrets["REGISTRY_PASSWORD"] = team.registry.password
    assert not run.ok
    assert f"{IMAGE}: its registry was not asked which image that is now (" in run.host(first.name)["error"]
    assert running(first) == before
