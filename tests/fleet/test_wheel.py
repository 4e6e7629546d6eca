"""The wheel, installed elsewhere, works from another folder with its own deploy.py."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.fleet.fleet import ROOT, Fleet

OWN = ("deploy.py", "inventory", "config.py", "group_data/all.py")


@dataclass(frozen=True)
class Elsewhere:
    """A folder with a deploy of its own, and the library as its wheel brings it."""

    folder: Path
    names: list[str]
    env: Mapping[str, str]


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Elsewhere:
    folder = tmp_path_factory.mktemp("elsewhere")
    python("build", "--wheel", "--no-isolation", "--outdir", str(folder / "dist"), str(ROOT))
    (wheel,) = (folder / "dist").glob("*.whl")
    site = folder / "site"
    python("pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--target", str(site), str(wheel))
    project = folder / "project"
    for name in OWN:
        text = (ROOT / name).read_text().replace("from operations", "from pyinfra_compose")
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text)
    return Elsewhere(project, zipfile.ZipFile(wheel).namelist(), {"PYTHONPATH": str(site)})


def test_it_holds_the_library_and_nothing_else(elsewhere: Elsewhere) -> None:
    assert {name.split("/")[0].partition("-")[0] for name in elsewhere.names} == {"pyinfra_compose"}


def test_it_says_that_it_is_typed(elsewhere: Elsewhere) -> None:
    assert "pyinfra_compose/py.typed" in elsewhere.names


def test_it_brings_every_file_of_the_catalogue_and_every_script(elsewhere: Elsewhere) -> None:
    wanted = [path for pattern in ("**/*.yml", "**/*.sh", "**/*.awk") for path in (ROOT / "operations").glob(pattern)]
    assert {f"pyinfra_compose/{path.relative_to(ROOT / 'operations')}" for path in wanted} <= set(elsewhere.names)


def test_a_deploy_with_it_finds_nothing_to_do_where_the_checkouts_own_has_been(elsewhere: Elsewhere, converged: Fleet) -> None:
    before = converged.deploy()
    run = converged.pyinfra("-y", "inventory", "deploy.py", cwd=elsewhere.folder, env=elsewhere.env)
    assert run.ok, run.output
    assert [run.host(host.name)["status"] for host in converged.hosts] == ["ok"] * len(converged.hosts)
    assert run.report["run"]["id"] != before.report["run"]["id"]


def test_a_deploy_with_it_finds_the_catalogue_and_repairs(elsewhere: Elsewhere, converged: Fleet) -> None:
    host = converged.hosts[0]
    host.run("rm /opt/erni-ki/compose.d/redis.yml /opt/erni-ki/env/redis.env")
    run = converged.at(host).pyinfra("-y", "inventory", "deploy.py", cwd=elsewhere.folder, env=elsewhere.env)
    assert run.ok, run.output
    assert run.host(host.name)["status"] == "changed"


def python(module: str, *words: str) -> None:
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-m", module, *words], cwd=ROOT, env=env, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
