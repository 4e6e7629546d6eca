"""The scripts that run on hosts: what they hand to docker, curl and the disk, in which words, and what they keep back.

They run with the real sh against stand-ins. That shows the words, the order, the quoting, the files and the masking; it
cannot show that Docker, Compose, redis and curl take these words and answer like this. The tests in the lab do.
"""

from __future__ import annotations

import hashlib
import stat
import subprocess
from pathlib import Path

import pytest

from operations.scripts import script
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


# engine.sh


def engine_lines(host: StubHost) -> dict[str, str]:
    done = host.script("engine/seen", root=str(host.root))
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
    host.only("sed")
    found = engine_lines(host)
    assert (found["docker"], found["curl"], found["server"]) == ("no", "no", "")


# state.sh


def test_state_tells_each_line_with_its_kind(host: StubHost) -> None:
    host.write(".fleet/applied.json", '{"a": "b\\n"\n}')
    host.write(".fleet/fragments", "redis\nweb\n")
    host.write("secrets/redis/users.acl", "user default on ~* #abc\n")
    done = host.script("state.sh", str(host.root))
    assert done.stdout.splitlines() == [
        'applied\t{"a": "b\\n"', "applied\t}", "fragment\tredis", "fragment\tweb", "acl\tuser default on ~* #abc",
    ]  # fmt: skip


def test_a_host_without_a_past_tells_nothing(host: StubHost) -> None:
    done = host.script("state.sh", str(host.root))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    done = host.script("state.sh", str(host.root / "nowhere"))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


# project_seen.sh

CONFIG = f"""name: erni-ki
services:
  redis:
    command:
      - /entrypoint.sh
    depends_on:
      watchtower:
        condition: service_healthy
        required: true
    environment:
      depends_on: not this
      PASSWORD: {PASSWORD}
  "watchtower":
    image: x
    labels:
      depends_on: nor this
  web:
    depends_on:
      "redis":
        condition: service_started
      watchtower:
        condition: service_healthy
    environment:
      A: b
networks:
  default:
    depends_on:
      elsewhere:
"""


def test_the_projects_hashes_and_dependencies_are_told_and_nothing_else(host: StubHost) -> None:
    host.stub(
        "docker",
        f"case $3 in --hash) printf 'redis r1\\nwatchtower w1\\nweb b1\\n' ;; *) cat <<'EOF'\n{CONFIG}EOF\n;; esac",
    )
    done = host.script("project_seen.sh", str(host.root))
    assert done.stdout.splitlines() == [
        "hash\tredis\tr1", "hash\twatchtower\tw1", "hash\tweb\tb1",
        "needs\tredis\twatchtower", "needs\tweb\tredis", "needs\tweb\twatchtower",
    ]  # fmt: skip
    assert PASSWORD not in done.stdout + done.stderr


@pytest.mark.parametrize(
    "more",
    [
        "configs:\n  page:\n    name: x\n    content: |\n      text\n",
        "secrets:\n  key:\n    name: x\n    environment: KEY\n",
        "services:\n  web:\n    post_start:\n      - command: x\n",
    ],
)
def test_what_compose_itself_does_at_a_start_is_told(host: StubHost, more: str) -> None:
    host.stub("docker", f"case $3 in --hash) echo redis r1 ;; *) cat <<'EOF'\n{CONFIG}{more}EOF\n;; esac")
    assert host.script("project_seen.sh", str(host.root)).stdout.splitlines()[-1] == "starts\tcompose\t"


def test_a_project_that_compose_does_not_accept_is_no_answer(host: StubHost) -> None:
    host.stub("docker", "echo invalid >&2; exit 15")
    done = host.script("project_seen.sh", str(host.root))
    assert done.returncode != 0
    assert "invalid" in done.stderr


def test_a_stack_that_is_not_there_is_no_answer(host: StubHost) -> None:
    host.stub("docker", "echo redis r1")
    assert host.script("project_seen.sh", str(host.root / "nowhere")).returncode != 0
    assert host.calls("docker") == []


# All of them


@pytest.mark.parametrize("path", sorted(SCRIPTS.glob("*.sh")), ids=lambda path: path.name)
def test_every_script_can_be_read_by_its_shell_and_keeps_away_from_tmp(path: Path) -> None:
    text = script(path.name)
    # where the first line names none, the script is a part of others
    shell = "bash" if text.startswith("# shellcheck shell=bash\n") else "sh"
    checked = subprocess.run([shell, "-n"], input=text, capture_output=True, text=True, check=False)
    assert checked.stderr == ""
    assert "/tmp" not in text


@pytest.mark.parametrize("path", sorted(SCRIPTS.glob("*.sh")), ids=lambda path: path.name)
def test_what_a_script_includes_stands_in_it(path: Path) -> None:
    assert "#include" not in script(path.name)
