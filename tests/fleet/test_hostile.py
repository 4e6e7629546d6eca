"""Names and files that would do harm are handled as they stand or refused; nothing in them is run, nothing is half-written."""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote

import pytest

from tests.fleet.fleet import STACK, Fleet, containers, files
from tests.lab import Host

# every sign that a shell, Compose or an env file might take for its own
HOSTILE = """/opt/-n it's a "stack" $(touch ran) `touch ran`; touch ran & $HOME ${X} * \\ # ü"""


@pytest.fixture(scope="module")
def hostile(operator: Fleet) -> Iterator[Fleet]:
    """A second stack on a host, in a folder with a hostile name."""
    host = operator.hosts[0]
    fleet = Fleet(operator.folder / "hostile", [host], settings={"stack_dir": HOSTILE, "stack_name": "hostile"})
    fleet.folder.mkdir(exist_ok=True)
    fleet.settings.update(openwebui_port=8181, redis_exporter_port=9222, settle_timeout=60)
    yield fleet
    host.run(
        f"""
        docker ps --all --quiet --filter label=com.docker.compose.project=hostile | xargs --no-run-if-empty docker rm --force
        docker network rm hostile_default
        rm -rf {quote(HOSTILE)}
        """,
        check=False,
    )


def test_a_stack_in_a_folder_with_a_hostile_name_is_deployed(hostile: Fleet) -> None:
    run = hostile.deploy()
    assert run.ok, run.output
    assert run.bad_checks(hostile.hosts[0].name) == []


def test_a_second_run_in_that_folder_changes_nothing(hostile: Fleet) -> None:
    run = hostile.deploy()
    assert run.host(hostile.hosts[0].name)["status"] == "ok", run.output


def test_compose_works_in_that_folder(hostile: Fleet) -> None:
    shown = hostile.hosts[0].run(f"cd -- {quote(HOSTILE)} && docker compose ps --services")
    assert "openwebui" in shown.splitlines()


def test_nothing_of_that_name_is_run_and_nothing_is_written_elsewhere(hostile: Fleet) -> None:
    host = hostile.hosts[0]
    assert host.run("find / -xdev -name ran") == ""
    expected = {"containerd", STACK.rpartition("/")[2], HOSTILE.rpartition("/opt/")[2]}
    assert set(host.run("ls -A /opt").splitlines()) <= expected


# What lies where a file should be

OBSTACLES = {
    "a symbolic link for an env file": ("env/openwebui.env", "ln -s /opt/precious env/openwebui.env"),
    "a symbolic link that leads nowhere": ("env/openwebui.env", "ln -s /opt/nowhere env/openwebui.env"),
    "a symbolic link for the folder of secrets": ("secrets/redis", "mkdir -p /opt/elsewhere && ln -s /opt/elsewhere secrets/redis"),
    "a symbolic link for .env": (".env", "ln -s /opt/precious .env"),
    "a folder for a fragment": ("compose.d/redis.yml", "mkdir compose.d/redis.yml"),
    "a pipe for an env file": ("env/redis.env", "mkfifo env/redis.env"),
}


@pytest.fixture
def obstacle(request: pytest.FixtureRequest, converged: Fleet) -> Iterator[tuple[Fleet, str]]:
    """A host on which something else lies where a file should be."""
    path, makes = OBSTACLES[request.param]
    host = converged.hosts[0]
    host.run(f"echo 'MINE=1' >/opt/precious && cd {STACK} && mv {path} {path}.kept && {makes}")
    yield converged, path
    host.run(f"cd {STACK} && rm -rf {path} && mv {path}.kept {path}; rm -rf /opt/precious /opt/nowhere /opt/elsewhere")


@pytest.mark.parametrize("obstacle", OBSTACLES, indirect=True)
def test_what_is_no_regular_file_is_refused_and_left_alone(obstacle: tuple[Fleet, str]) -> None:
    fleet, path = obstacle
    host, others = fleet.hosts[0], fleet.hosts[1:]
    before = everything(host)
    run = fleet.deploy()
    assert run.status == 1
    assert f"{STACK}/{path}" in run.host(host.name)["error"]
    assert "Move it away" in run.host(host.name)["error"]
    assert everything(host) == before
    assert [run.host(other.name)["status"] for other in others] == ["ok"] * len(others)


def test_a_name_in_the_notes_of_an_earlier_run_leads_to_no_other_file(converged: Fleet) -> None:
    host = converged.hosts[0]
    host.run(f"echo mine >/opt/precious.yml && printf '%s\\n' ../../precious -rf '$(touch /tmp/ran)' >>{STACK}/.fleet/fragments")
    run = converged.at(host).deploy()
    assert run.ok, run.output
    assert host.run("cat /opt/precious.yml && rm /opt/precious.yml") == "mine\n"
    assert not host.succeeds("ls /tmp/ran")


def test_an_open_quote_in_an_env_file_is_told_and_the_file_left_alone(converged: Fleet) -> None:
    host = converged.hosts[0]
    path = f"{STACK}/env/openwebui.env"
    kept = host.run(f"cat {path}")
    host.run(f'echo "MINE=\'open" >>{path}')
    before = everything(host)
    preview = converged.at(host).preview()
    assert (preview.status, preview.host(host.name)["status"]) == (1, "failed")
    run = converged.at(host).deploy()
    assert run.status == 1
    assert f"{path}: a quote is opened and never closed" in run.host(host.name)["error"]
    assert everything(host) == before
    host.run(f"cat >{path}", stdin=kept)


def everything(host: Host) -> tuple[dict[str, str], dict[str, tuple[str, str]], str]:
    """The stack's files, links and pipes, its containers, and what lies beside it."""
    return (
        files(host),
        containers(host),
        host.run(f"find {STACK} /opt -path {STACK}/data -prune -o ! -type f -printf '%p %y %l\\n' | sort"),
    )
