"""What is wrong ends a run of the real pyinfra before anything is connected."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from shutil import copy
from socket import create_server

import pytest

ROOT = Path(__file__).parents[2]

# Stands in for the stack's own check, so that these tests need no stack.
INVENTORY = """
from pathlib import Path

from operations.controller import inventory, preflight

with preflight.plainly():
    globals().update(inventory.load(inventory.find(Path(__file__).parent)))


def check(hosts):
    return [f"{host.name}: {host.data.wrong}" for host in hosts if host.data.get("wrong")]


preflight.arm(check)
"""


class Project:
    """A folder with an inventory, hosts and a deploy, in which pyinfra is run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "operations").symlink_to(ROOT / "operations")
        (folder / "deploy.py").write_text(
            "from pyinfra.operations import server\nserver.shell(name='Touch', commands='touch touched')\n"
        )
        self.inventory(INVENTORY)

    def inventory(self, text: str) -> None:
        (self.folder / "inventory").write_text(text)

    def hosts(self, text: str) -> None:
        (self.folder / "hosts.yml").write_text(text)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environ = {k: v for k, v in os.environ.items() if k != "FLEET_HOSTS"}
        environ |= {"PYTHONDONTWRITEBYTECODE": "1", "PYINFRA_PROGRESS": "off"}
        return subprocess.run(
            [str(Path(sys.executable).with_name("pyinfra")), "inventory", *arguments],
            cwd=self.folder, env=environ, capture_output=True, text=True, timeout=60,
        )  # fmt: skip

    def refused(self, *arguments: str) -> str:
        """The message of a run that ends with status 1, plainly and before it connects."""
        done = self.run(*arguments)
        assert done.returncode == 1, done.stderr
        assert "--> pyinfra error: " in done.stderr
        for never in ("Traceback", "Connecting", "Connected", "Disconnecting", "exception"):
            assert never not in done.stderr
        assert not (self.folder / "pyinfra-debug.log").exists()
        assert not (self.folder / "touched").exists()
        return done.stderr.split("--> pyinfra error: ", 1)[1]

    def works(self, *arguments: str) -> str:
        done = self.run(*arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


GOOD = "web: {hosts: {'@local': }}\n"
WRONG = "web: {hosts: {a: {ssh_hostname: 127.0.0.1, wrong: this}, b: {wrong: that}, c: }}\n"


def test_a_run_with_nothing_wrong_goes_on(project: Project) -> None:
    project.hosts(GOOD)
    project.works("deploy.py", "-y")
    assert (project.folder / "touched").exists()


def test_no_host_waits_for_the_slowest_of_a_batch_and_no_more_are_at_work_than_are_to_be(project: Project) -> None:
    project.hosts("web: {hosts: {'@fake/a': , '@fake/b': , '@fake/c': }}\n")
    (project.folder / "deploy.py").write_text(
        "from pyinfra import state\n"
        "from pyinfra.operations import server\n"
        "done = server.shell(commands='true')\n"
        "batches = {meta.global_arguments['_parallel'] for meta in state.op_meta.values()}\n"
        "print('batches of', batches, 'pool of', state.pool.size)\n"
    )
    assert "batches of {3} pool of 2" in project.works("deploy.py", "-y", "--parallel", "2")


@pytest.mark.parametrize("flags", [["-y"], ["--dry"], ["-y", "--json"]])
def test_all_problems_end_a_deploy_at_once(project: Project, flags: list[str]) -> None:
    project.hosts(WRONG)
    message = project.refused("deploy.py", *flags)
    assert "Nothing was connected or changed. 2 problems:" in message
    assert [line.strip() for line in message.splitlines()[1:3]] == ["a: this", "b: that"]


def test_nothing_is_connected_when_something_is_wrong(project: Project) -> None:
    with create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.5)
        port = server.getsockname()[1]
        project.hosts(f"web: {{hosts: {{a: {{ssh_hostname: 127.0.0.1, ssh_port: {port}, wrong: this}}}}}}\n")
        assert "a: this" in project.refused("deploy.py", "-y")
        with pytest.raises(TimeoutError):
            server.accept()


def test_only_the_hosts_of_this_run_are_looked_at(project: Project) -> None:
    project.hosts(WRONG)
    message = project.refused("deploy.py", "-y", "--limit", "b")
    assert "Nothing was connected or changed. b: that" in message
    assert "a: this" not in message


@pytest.mark.parametrize("words", [["exec", "true"], ["fact", "server.Kernel"], ["server.shell", "commands=uptime"]])
def test_what_is_no_deploy_runs_without_the_check(project: Project, words: list[str]) -> None:
    project.hosts("web: {hosts: {'@local': {wrong: this}}}\n")
    project.works(*words, "-y")


def test_an_unreachable_host_is_pyinfras_own_error(project: Project) -> None:
    project.hosts("web: {hosts: {a: {ssh_hostname: 127.0.0.1, ssh_port: 1}}}\n")
    done = project.run("deploy.py", "-y")
    assert done.returncode == 1
    assert "Could not connect" in done.stderr


@pytest.mark.parametrize("words", [["deploy.py", "-y"], ["exec", "true"], ["debug-inventory"]])
def test_a_limit_that_matches_nothing_is_an_error_that_names_the_hosts(project: Project, words: list[str]) -> None:
    project.hosts("web: {hosts: {erni-1: , erni-2: }}\n")
    message = project.refused("--limit", "erni-9", *words)
    assert "--limit erni-9 leaves no host. The hosts are erni-1, erni-2; the groups are inventory, web." in message


def test_a_limit_and_an_exclude_that_leave_nothing_are_an_error(project: Project) -> None:
    project.hosts("web: {hosts: {erni-1: , erni-2: }}\n")
    assert "--limit web --exclude erni-* leaves no host." in project.refused(
        "--limit", "web", "--exclude", "erni-*", "exec", "true"
    )


def test_an_inventory_without_a_host_is_an_error(project: Project) -> None:
    project.inventory("from operations.controller import preflight\npreflight.arm()\nweb = []\n")
    assert "The inventory has no host." in project.refused("exec", "true")


def test_every_problem_of_the_hosts_file_is_printed_plainly(project: Project) -> None:
    project.hosts("web: {hosts: {a: {ssh_port: x, _sudo: 1}}}\n")
    message = project.refused("exec", "true")
    assert message.startswith("2 problems:\n")
    assert 'hosts.yml: web: a: ssh_port is "x"' in message


def test_a_missing_hosts_file_is_printed_plainly(project: Project) -> None:
    assert "make lab" in project.refused("exec", "true")


def test_what_the_check_itself_raises_is_printed_plainly(project: Project) -> None:
    error = "    from operations.stack.errors import SecretError\n    raise SecretError(['one', 'two'])\n"
    project.inventory(INVENTORY.replace("def check(hosts):\n", f"def check(hosts):\n{error}"))
    project.hosts(GOOD)
    assert project.refused("deploy.py", "-y").startswith("2 problems:\n    one\n    two\n")


# The project's own inventory file


def test_the_inventory_of_the_project_gives_hosts_with_their_data(project: Project) -> None:
    copy(ROOT / "inventory", project.folder)
    (project.folder / "group_data").mkdir()
    (project.folder / "group_data" / "all.py").write_text(
        "from operations.controller.secrets import Secret\n"
        "redis_password = Secret('REDIS_PASSWORD')\ncolour = 'file'\nkept = 'file'\nown = 'file'\n"
    )
    project.hosts("web: {hosts: {a: , b: {size: 1}}, data: {colour: web}}\nall: {data: {colour: all, kept: all}}\n")
    printed = project.run("--json", "debug-inventory")
    assert printed.returncode == 0, printed.stderr
    data = json.dumps(json.loads(printed.stdout))
    assert data.count('"colour": "web"') >= 2
    assert data.count('"kept": "all"') >= 2
    assert "Secret('REDIS_PASSWORD')" in data


def test_the_inventory_of_the_project_checks_the_stack_before_it_connects(project: Project) -> None:
    copy(ROOT / "inventory", project.folder)
    (project.folder / "group_data").mkdir()
    copy(ROOT / "group_data" / "all.py", project.folder / "group_data")
    project.hosts("web: {hosts: {a: {ssh_hostname: 127.0.0.1}}, data: {openwebui_port: 0, secrets_file: no.env}}\n")
    message = project.refused("deploy.py", "-y")
    assert "openwebui_port" in message
    assert "no.env does not exist" in message
