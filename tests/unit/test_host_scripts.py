"""The scripts that run on hosts: what they hand to docker, curl and the disk, in which words, and what they keep back.

They run with the real sh against stand-ins. That shows the words, the order, the quoting, the files and the masking; it
cannot show that Docker, Compose, redis and curl take these words and answer like this. The tests in the lab do.
"""

from __future__ import annotations

import hashlib
import json
import stat
import subprocess
from pathlib import Path

import pytest

from operations.facts.project import Project
from operations.scripts import Script, program
from operations.stack.snapshot import UNKNOWN, SeenProject, Unknown
from tests.unit.stubs import StubHost

SCRIPTS = Path(__file__).parents[2] / "operations" / "scripts"
PASSWORD = "Marker_Password-0123456789"
OLD_PASSWORD = "Former_Password-9876543210"


@pytest.fixture
def host(tmp_path: Path) -> StubHost:
    return StubHost(tmp_path)


def mode(path: Path) -> str:
    return f"{stat.S_IMODE(path.stat().st_mode):04o}"


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


# engine/seen


def engine_lines(host: StubHost) -> dict[str, str]:
    done = host.script("engine/seen", root="/nowhere")
    assert done.returncode == 0
    return dict(line.split("=", 1) for line in done.stdout.splitlines())


def test_engine_tells_the_servers_version(host: StubHost) -> None:
    # over the socket where the machine has one, else by the docker client
    host.stub("curl", "printf 'HTTP/1.1 200 OK\\r\\nServer: Docker/28.2.2 (linux)\\r\\n\\r\\n'")
    host.stub("docker", "echo 28.2.2")
    found = engine_lines(host)
    assert (found["docker"], found["curl"], found["server"]) == ("yes", "yes", "28.2.2")


def test_engine_asks_the_plugin_that_docker_would_take_first(host: StubHost) -> None:
    host.with_compose('[ "$*" = "version --short" ] && echo 2.99.0')
    assert engine_lines(host)["compose"] == "2.99.0"


def test_a_docker_that_does_not_answer_has_no_version(host: StubHost) -> None:
    host.stub("curl", "exit 7")
    host.stub("docker", "echo Cannot connect to the Docker daemon >&2; exit 1")
    found = engine_lines(host)
    assert (found["docker"], found["server"]) == ("yes", "")


def test_a_host_without_anything_is_an_answer(host: StubHost) -> None:
    host.only("sh", "cat", "tr", "sed")
    found = engine_lines(host)
    assert (found["docker"], found["curl"], found["server"]) == ("no", "no", "")


# state/seen


def test_a_host_without_a_past_tells_nothing(host: StubHost) -> None:
    for root in (host.root, host.root / "nowhere"):
        done = host.script("state/seen", root=str(root), project="erni-ki", filters="{}")
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


# project/seen

CONFIG = {
    "name": "erni-ki",
    "services": {
        "redis": {"depends_on": {"watchtower": {"condition": "service_healthy"}}, "environment": {"PASSWORD": PASSWORD}},
        "watchtower": {"image": "x", "labels": {"depends_on": "nor this"}, "post_start": []},
        "web": {"depends_on": {"redis": {}, "watchtower": {}}},
    },
    "networks": {"default": {"depends_on": {"elsewhere": {}}}},
    "secrets": {"key": {"name": "x", "file": "/x"}},
}


def project(host: StubHost, **more: object) -> SeenProject | Unknown:
    config = json.dumps(CONFIG | more)
    host.stub(
        "docker", f"case $3 in --hash) printf 'redis r1\\nwatchtower w1\\nweb b1\\n' ;; *) cat <<'EOF'\n{config}\nEOF\n;; esac"
    )
    fact = Project()
    done = host.command(fact.command(str(host.root)))
    assert PASSWORD not in done.stdout + done.stderr
    return fact.process(done.stdout.splitlines())


def test_the_projects_hashes_and_dependencies_are_told_and_nothing_else(host: StubHost) -> None:
    assert project(host) == SeenProject(
        {"redis": "r1", "watchtower": "w1", "web": "b1"},
        {"redis": ("watchtower",), "watchtower": (), "web": ("redis", "watchtower")},
    )
    assert host.calls("docker")[1] == ["compose", "config", "--format", "json"]


@pytest.mark.parametrize(
    "more",
    [
        {"configs": {"page": {"name": "x", "content": "text\n"}}},
        {"secrets": {"key": {"name": "x", "environment": "KEY"}}},
        {"services": {**CONFIG["services"], "web": {"post_start": [{"command": ["x"]}]}}},  # type: ignore[dict-item]
    ],
)
def test_what_compose_itself_does_at_a_start_is_told(host: StubHost, more: dict[str, object]) -> None:
    found = project(host, **more)
    assert found is not UNKNOWN
    assert found.starter == "compose"


def test_a_project_that_compose_does_not_accept_is_no_answer(host: StubHost) -> None:
    host.stub("docker", "echo invalid >&2; exit 15")
    done = host.script("project/seen", root=str(host.root))
    assert done.returncode != 0
    assert "invalid" in done.stderr


def test_a_stack_that_is_not_there_is_no_answer(host: StubHost) -> None:
    host.stub("docker", "echo redis r1")
    assert host.script("project/seen", root=str(host.root / "nowhere")).returncode != 0
    assert host.calls("docker") == []


# All of them

SERVICES = SCRIPTS.parent / "services"
ALL = {
    **{str(path.relative_to(SCRIPTS).with_suffix("")): path for path in SCRIPTS.glob("*/*.sh") if path.parent.name != "lib"},
    **{f"services/{path.parents[1].name}/{path.stem}": path for path in SERVICES.glob("*/scripts/*.sh")},
}
RUN = sorted(name for name, path in ALL.items() if path.read_text().startswith("# shellcheck shell="))


@pytest.mark.parametrize("name", RUN)
def test_every_script_can_be_read_by_its_shell_and_keeps_away_from_tmp(name: str) -> None:
    script = Script(name)
    text = program([script], script.text())
    checked = subprocess.run([script.shell, "-n"], input=text, capture_output=True, text=True, check=False)
    assert checked.stderr == ""
    assert "/tmp" not in text
    assert "#include" not in text


@pytest.mark.parametrize("name", RUN)
def test_a_program_that_was_cut_off_does_nothing(host: StubHost, name: str) -> None:
    text = program([Script(name)], "touch x\n")
    for length in (*range(0, len(text) - 40, max(1, len(text) // 20)), *range(len(text) - 40, len(text) - 1, 3)):
        subprocess.run(["bash", "-c", text[:length]], cwd=host.root, env={"PATH": host.path}, capture_output=True, check=False)
    assert not (host.root / "x").exists()
