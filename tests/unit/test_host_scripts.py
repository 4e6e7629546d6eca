"""The scripts that run on hosts: what they hand to docker, curl and the disk, in which words, and what they keep back.

They run with the real sh against stand-ins. That shows the words, the order, the quoting, the files and the masking; it
cannot show that Docker, Compose, redis and curl take these words and answer like this. The tests in the lab do.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest

from operations.facts.base import END
from operations.facts.state import State
from operations.scripts import script
from operations.stack.plan import inputs_digest
from operations.stack.snapshot import SeenFile, Snapshot
from tests.unit.stack.hosts import a_stack, converged
from tests.unit.stubs import HOSTILE_FOLDERS, StubHost

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
    done = host.script("engine.sh")
    assert done.returncode == 0
    return dict(line.split("=", 1) for line in done.stdout.splitlines())


def test_engine_tells_the_servers_version(host: StubHost) -> None:
    # over the socket where the machine has one, else by the docker client
    host.stub("curl", "printf 'HTTP/1.1 200 OK\\r\\nServer: Docker/28.2.2 (linux)\\r\\n\\r\\n'")
    host.stub("docker", "echo 28.2.2")
    found = engine_lines(host)
    assert (found["docker"], found["curl"], found["server"]) == ("yes", "yes", "28.2.2")


def test_engine_asks_the_plugin_that_docker_would_take_first(host: StubHost) -> None:
    plugin = host.home / ".docker" / "cli-plugins" / "docker-compose"
    plugin.parent.mkdir(parents=True)
    plugin.write_text('#!/bin/sh\n[ "$*" = "version --short" ] && echo 2.99.0\n')
    plugin.chmod(0o755)
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


# containers.sh


def test_containers_of_the_project_are_inspected_in_one_call(host: StubHost) -> None:
    host.stub("docker", 'case $1 in ps) printf "id1\\nid2\\n" ;; inspect) echo "line one"; echo "line two" ;; esac')
    done = host.script("containers.sh", "erni-ki")
    assert done.stdout == "line one\nline two\n"
    ps, inspect = host.calls("docker")
    assert ps == [
        "ps", "--all", "--quiet", "--no-trunc", "--filter", "label=com.docker.compose.project=erni-ki",
        "--filter", "label=com.docker.compose.oneoff=False",
    ]  # fmt: skip
    assert (inspect[:2], inspect[3:]) == (["inspect", "--format"], ["id1", "id2"])


def test_only_chosen_fields_of_a_container_leave_the_host(host: StubHost) -> None:
    host.stub("docker", "[ $1 != ps ] || echo id1")
    host.script("containers.sh", "erni-ki")
    template = host.calls("docker")[1][2]
    assert len(template.split("\t")) == 8
    for secret in ("Env", "Cmd", "Args", "Healthcheck", "Log", "json", "Labels}}"):
        assert secret not in template


def test_a_host_without_containers_is_an_answer(host: StubHost) -> None:
    host.stub("docker")
    done = host.script("containers.sh", "erni-ki")
    assert (done.returncode, done.stdout) == (0, "")
    assert len(host.calls("docker")) == 1


@pytest.mark.parametrize("command", ["ps", "inspect"])
def test_a_docker_that_fails_is_no_answer(host: StubHost, command: str) -> None:
    host.stub("docker", f"[ $1 != {command} ] || exit 1; echo id1")
    assert host.script("containers.sh", "erni-ki").returncode != 0


@pytest.mark.skipif(shutil.which("docker") is None, reason="no docker client on this machine to ask")
def test_dockers_client_understands_the_template(host: StubHost) -> None:
    host.stub("docker", "[ $1 != ps ] || echo id1")
    host.script("containers.sh", "erni-ki")
    # the client reads the template before it calls the engine, so none is needed
    done = subprocess.run(
        ["docker", "--host", "unix:///nowhere.sock", *host.calls("docker")[1]],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert "template" not in done.stderr
    assert "connect" in done.stderr


# redis.sh and acl_load.sh

DOCKER_WITH_REDIS = 'case $1 in ps) printf "id1\\nid2\\n" ;; inspect) echo "172.18.0.7 172.19.0.2 " ;; esac'


def redis_answers(host: StubHost, *lines: str, then: str = "exit 0") -> None:
    """redis runs and gives these answers to whatever it is sent."""
    host.stub("docker", DOCKER_WITH_REDIS)
    words = " ".join(f"'{line}'" for line in lines)
    host.stub("curl", f"cat >\"$HOME/asked\"; printf '%s\\r\\n' {words}; {then}")
    host.write("secrets/redis/password", f"{PASSWORD}\n")


def asked(host: StubHost) -> bytes:
    return (host.home / "asked").read_bytes()


def test_redis_is_asked_first_without_and_then_with_the_password(host: StubHost) -> None:
    redis_answers(host, "-NOAUTH no", "+OK", "+PONG")
    done = host.script("redis.sh", str(host.root), "erni-ki")
    assert (done.returncode, done.stdout.splitlines()) == (0, ["-NOAUTH no", "+OK", "+PONG"])
    assert asked(host) == (
        b"PING\r\n"
        + b"*2\r\n$4\r\nAUTH\r\n$%d\r\n%s\r\n" % (len(PASSWORD), PASSWORD.encode())
        + b"PING\r\nCONFIG GET dir\r\nACL GETUSER default\r\nQUIT\r\n"
    )


def test_redis_is_asked_on_its_first_address(host: StubHost) -> None:
    redis_answers(host, "+OK")
    host.script("redis.sh", str(host.root), "erni-ki")
    assert host.calls("curl")[0][-1] == "telnet://172.18.0.7:6379"


def test_only_a_running_redis_of_this_project_is_asked(host: StubHost) -> None:
    redis_answers(host, "+OK")
    host.script("redis.sh", str(host.root), "erni-ki")
    ps, inspect = host.calls("docker")
    filters = [after for before, after in itertools.pairwise(ps) if before == "--filter"]
    assert filters == [
        "label=com.docker.compose.project=erni-ki", "label=com.docker.compose.service=redis", "status=running",
    ]  # fmt: skip
    assert inspect[-1] == "id1"


@pytest.mark.parametrize("name", ["redis.sh", "acl_load.sh"])
def test_the_password_is_in_no_argv_and_no_environment(host: StubHost, name: str) -> None:
    redis_answers(host, "+OK", "+OK", "+OK")
    host.script(name, str(host.root), "erni-ki")
    assert PASSWORD.encode() in asked(host)
    assert PASSWORD not in host.shown_to_processes()


@pytest.mark.parametrize(("docker", "curl"), [("exit 0", "exit 0"), (DOCKER_WITH_REDIS, "echo +OK; exit 28")])
def test_a_redis_that_does_not_run_or_not_answer_is_no_answer(host: StubHost, docker: str, curl: str) -> None:
    host.stub("docker", docker)
    host.stub("curl", curl)
    assert host.script("redis.sh", str(host.root), "erni-ki").returncode != 0


def test_a_host_without_a_password_file_asks_with_an_empty_one(host: StubHost) -> None:
    redis_answers(host, "-NOAUTH no", "-WRONGPASS no")
    (host.root / "secrets" / "redis" / "password").unlink()
    done = host.script("redis.sh", str(host.root), "erni-ki")
    assert (done.returncode, done.stderr) == (0, "")
    assert b"\r\nAUTH\r\n$0\r\n\r\n" in asked(host)


def test_a_running_redis_reads_its_acl_file_again(host: StubHost) -> None:
    redis_answers(host, "+OK", "+OK", "+OK")
    done = host.script("acl_load.sh", str(host.root), "erni-ki")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert asked(host).endswith(PASSWORD.encode() + b"\r\nACL LOAD\r\nQUIT\r\n")


def test_a_redis_that_does_not_run_reads_it_when_it_starts(host: StubHost) -> None:
    host.stub("docker")
    host.stub("curl")
    assert host.script("acl_load.sh", str(host.root), "erni-ki").returncode == 0
    assert host.calls("curl") == []


@pytest.mark.parametrize(
    "answers",
    [
        ("-WRONGPASS invalid username-password pair", "-NOAUTH no", "+OK"),
        ("+OK", "-ERR /run/redis-auth/users.acl:1: no", "+OK"),
        ("+OK", "-ERR This Redis instance is not configured to use an ACL file.", "+OK"),
    ],
)
def test_a_redis_that_does_not_read_it_fails_with_what_it_says_and_the_way_out(host: StubHost, answers: tuple[str, ...]) -> None:
    redis_answers(host, *answers)
    done = host.script("acl_load.sh", str(host.root), "erni-ki")
    (refusal, *_) = [answer for answer in answers if answer.startswith("-")]
    assert done.returncode == 1
    assert refusal in done.stderr
    assert "docker compose restart redis" in done.stderr
    assert PASSWORD not in done.stdout + done.stderr


@pytest.mark.parametrize("then", ["exit 7", "exit 28"])
def test_a_redis_that_is_cut_off_before_the_end_did_not_read_it(host: StubHost, then: str) -> None:
    redis_answers(host, "+OK", then=then)
    assert host.script("acl_load.sh", str(host.root), "erni-ki").returncode == 1


# probe.sh

METRICS = """# HELP redis_up Information about the Redis instance
# TYPE redis_up gauge
redis_up_total 7
my_redis_up 8
redis_up 1
redis_uptime_in_seconds 100
redis_db_keys{db="db0"} 42
"""


@pytest.mark.parametrize(
    ("metric", "value"),
    [("redis_up", "1\n"), ("redis_db_keys", "42\n"), ("redis", ""), ("no_such", "")],
)
def test_a_metric_is_found_by_its_whole_name(host: StubHost, metric: str, value: str) -> None:
    host.stub("curl", f"cat <<'EOF'\n{METRICS}EOF")
    done = host.script("probe.sh", "http://127.0.0.1:9121/metrics", metric)
    assert (done.returncode, done.stdout) == (0, value)


@pytest.mark.parametrize(("code", "answer"), [("200", "200\n"), ("503", "503\n"), ("000", "")])
def test_a_status_is_told_and_no_connection_is_none(host: StubHost, code: str, answer: str) -> None:
    host.stub("curl", f"printf {code}; [ {code} != 000 ] || exit 7")
    done = host.script("probe.sh", "http://127.0.0.1:8080/health", "")
    assert (done.returncode, done.stdout) == (0, answer)


@pytest.mark.parametrize("metric", ["", "redis_up"])
def test_a_probe_is_bounded_in_time(host: StubHost, metric: str) -> None:
    host.stub("curl")
    host.script("probe.sh", "http://[::1]:8080/a?b={c}", metric)
    (words,) = host.calls("curl")
    assert words[words.index("--max-time") + 1] == "5"
    assert "--globoff" in words
    assert words[-2:] == ["--", "http://[::1]:8080/a?b={c}"]


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


# backup.sh


def backups(host: StubHost) -> list[Path]:
    """The backups that a person sees with `ls`."""
    return sorted((host.root / "backups").glob("[!.]*"))


def back_up(host: StubHost, *paths: str, keep: int = 10) -> subprocess.CompletedProcess[str]:
    return host.script("backup.sh", str(host.root), str(keep), *paths)


def test_a_backup_holds_the_files_as_they_are(host: StubHost) -> None:
    file = host.write("env/redis.env", f"REDIS_PASSWORD={OLD_PASSWORD}\n", 0o600)
    host.write("compose.yml", "services: {}\n", 0o640)
    os.utime(file, (1_700_000_000, 1_700_000_000))
    done = back_up(host, "env/redis.env", "compose.yml")
    (copy,) = backups(host)
    assert done.stdout == f"kept backups/{copy.name}\n"
    assert (copy / "env/redis.env").read_text() == f"REDIS_PASSWORD={OLD_PASSWORD}\n"
    assert (copy / "env/redis.env").stat().st_mtime == 1_700_000_000
    assert (mode(copy / "env/redis.env"), mode(copy / "compose.yml")) == ("0600", "0640")


def test_nobody_else_can_look_into_a_backup(host: StubHost) -> None:
    host.write("compose.yml", "services: {}\n", 0o644)
    back_up(host, "compose.yml")
    (copy,) = backups(host)
    assert (mode(host.root / "backups"), mode(copy)) == ("0700", "0700")


def test_a_backup_is_named_by_the_time_in_utc(host: StubHost) -> None:
    host.write("compose.yml", "x")
    host.stub("date", 'TZ=America/New_York exec /bin/date "$@" --date "2026-03-04 05:06:07 UTC"')
    back_up(host, "compose.yml")
    assert [copy.name for copy in backups(host)] == ["20260304T050607Z"]


def test_two_backups_of_one_second_are_two(host: StubHost) -> None:
    host.stub("date", "echo 20260304T050607Z")
    for content in ("one", "two", "three"):
        host.write("compose.yml", content)
        assert back_up(host, "compose.yml").returncode == 0
    assert [(copy.name, (copy / "compose.yml").read_text()) for copy in backups(host)] == [
        ("20260304T050607Z", "one"), ("20260304T050607Z-2", "two"), ("20260304T050607Z-3", "three"),
    ]  # fmt: skip


def test_the_newest_backups_are_kept(host: StubHost) -> None:
    host.write("compose.yml", "x")
    for day in range(1, 6):
        host.stub("date", f"echo 2026030{day}T000000Z")
        back_up(host, "compose.yml", keep=3)
    assert [copy.name for copy in backups(host)] == ["20260303T000000Z", "20260304T000000Z", "20260305T000000Z"]


def test_files_that_are_not_there_yet_are_left_out(host: StubHost) -> None:
    host.write("compose.yml", "x")
    back_up(host, "env/new.env", "compose.yml", "compose.d/new.yml")
    (copy,) = backups(host)
    assert [path.name for path in copy.rglob("*")] == ["compose.yml"]


@pytest.mark.parametrize("root", ["stack", "nowhere"])
def test_without_a_file_there_is_no_backup(host: StubHost, root: str) -> None:
    done = host.script("backup.sh", str(host.root.parent / root), "10", "compose.yml")
    assert (done.returncode, done.stdout) == (0, "")
    assert not (host.root / "backups").exists()


def test_a_backup_that_fails_in_the_middle_is_none(host: StubHost) -> None:
    host.write("compose.yml", "x")
    host.write(".env", "x")
    host.stub("cp", '[ "$4" != .env ] || exit 1; exec /bin/cp "$@"')
    done = back_up(host, "compose.yml", ".env")
    assert done.returncode != 0
    assert done.stdout == ""
    assert backups(host) == []


def test_what_a_killed_backup_left_is_taken_away(host: StubHost) -> None:
    host.write("backups/.partial/old", "half")
    host.write("compose.yml", "x")
    back_up(host, "compose.yml")
    (copy,) = (host.root / "backups").iterdir()
    assert [path.name for path in copy.iterdir()] == ["compose.yml"]


@pytest.mark.parametrize("name", HOSTILE_FOLDERS)
def test_a_backup_in_a_hostile_folder_stays_there(tmp_path: Path, name: str) -> None:
    host = StubHost(tmp_path, root=name)
    host.write("compose.yml", "x")
    assert back_up(host, "compose.yml").returncode == 0
    assert len(backups(host)) == 1
    assert host.nothing_was_executed()


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


def test_a_project_that_compose_does_not_accept_is_no_answer(host: StubHost) -> None:
    host.stub("docker", "echo invalid >&2; exit 15")
    done = host.script("project_seen.sh", str(host.root))
    assert done.returncode != 0
    assert "invalid" in done.stderr


def test_a_stack_that_is_not_there_is_no_answer(host: StubHost) -> None:
    host.stub("docker", "echo redis r1")
    assert host.script("project_seen.sh", str(host.root / "nowhere")).returncode != 0
    assert host.calls("docker") == []


# up.sh

DOCKER_UP = r"""
service_of() { for word; do case $word in label=com.docker.compose.service=*) echo "${word##*=}" ;; esac; done; }
case "$1 $2" in
"ps --all") [ ! -e "$HOME/gone-$(service_of "$@")" ] && echo "id-of-$(service_of "$@")" ;;
"compose up")
    for word; do last=$word; done
    printf ' Container erni-ki-%s-1  Creating\n Container erni-ki-%s-1  Created\n' "$last" "$last"
    echo ' Container x  Waiting'
    echo "pulled with @PASSWORD@ from redis://:another-secret@redis:6379"
    for word; do
        [ "$word" != "$(cat "$HOME/bad" 2>/dev/null)" ] || {
            echo "dependency failed to start: container is unhealthy, @PASSWORD@"
            exit 1
        }
    done ;;
"inspect --format")
    case $3 in
    *config-hash*) echo "label-of-${4#id-of-}" ;;
    *Health.Log*) printf 'AUTH @PASSWORD@ failed\nNOAUTH Authentication required.\n' ;;
    *) cat "$HOME/state" 2>/dev/null || echo running, healthy ;;
    esac ;;
"logs --tail")
    [ ! -e "$HOME/log" ] || exec cat "$HOME/log"
    echo "connecting to redis://:@OLD@@redis:6379/0 with @PASSWORD@@PASSWORD@" >&2
    echo "giving up" ;;
esac
exit 0
""".replace("@PASSWORD@", PASSWORD).replace("@OLD@", OLD_PASSWORD)

INPUTS = ("compose.yml", ".env", "compose.d/redis.yml")


@pytest.fixture
def stack_host(host: StubHost) -> StubHost:
    host.stub("docker", DOCKER_UP)
    host.stub("sync")
    for path in INPUTS:
        host.write(path, f"this is {path}\n")
    host.write("env/web.env", f"URL=redis://:{PASSWORD}@redis\n")
    host.write("secrets/redis/password", f"{OLD_PASSWORD}\n")
    return host


def up(
    host: StubHost, *tiers: str, removed: tuple[str, ...] = (), pull: str = "missing", stdin: str = f"{PASSWORD}\n"
) -> subprocess.CompletedProcess[str]:
    definitions = [f"{service}=definition-of-{service}" for tier in tiers for service in tier.split(",")]
    words = [str(host.root), "erni-ki", "300", pull, *INPUTS, "--", *removed, "--", *tiers, "--", *definitions]
    return host.script("up.sh", *words, stdin=stdin)


def ups(host: StubHost) -> list[list[str]]:
    return [call[2:] for call in host.calls("docker") if call[:2] == ["compose", "up"]]


def applied(host: StubHost) -> Any:
    return json.loads((host.root / ".fleet" / "applied.json").read_text())


def test_tiers_come_up_one_after_the_other_each_awaited(stack_host: StubHost) -> None:
    assert up(stack_host, "watchtower", "redis", "redis-exporter,web").returncode == 0
    common = ["--detach", "--no-deps", "--pull", "missing", "--wait", "--wait-timeout", "300"]
    assert ups(stack_host) == [
        [*common, "watchtower"], [*common, "redis"], [*common, "redis-exporter", "web"],
    ]  # fmt: skip


def test_images_are_pulled_as_it_is_set(stack_host: StubHost) -> None:
    up(stack_host, "redis", pull="always")
    (words,) = ups(stack_host)
    assert words[words.index("--pull") + 1] == "always"


def test_what_was_done_is_said_and_nothing_else(stack_host: StubHost) -> None:
    done = up(stack_host, "redis", "web")
    assert done.stdout == "Container erni-ki-redis-1  Created\nContainer erni-ki-web-1  Created\n"
    assert done.stderr == ""


def test_nothing_to_start_is_noted_all_the_same(stack_host: StubHost) -> None:
    words = [str(stack_host.root), "erni-ki", "300", "missing", *INPUTS, "--", "--", "--", "redis=d1"]
    assert stack_host.script("up.sh", *words).returncode == 0
    assert ups(stack_host) == []
    assert applied(stack_host)["services"]["redis"]["definition"] == "d1"


def test_what_runs_is_noted(stack_host: StubHost) -> None:
    up(stack_host, "redis", "web")
    env = sha256(stack_host.root / "env" / "web.env")
    assert applied(stack_host)["services"] == {
        "redis": {
            "definition": "definition-of-redis", "env": "", "label": "label-of-redis", "container": "id-of-redis",
        },
        "web": {"definition": "definition-of-web", "env": env, "label": "label-of-web", "container": "id-of-web"},
    }  # fmt: skip


def test_what_is_noted_can_be_read_by_the_state_fact(stack_host: StubHost) -> None:
    up(stack_host, "redis", "web")
    fact = State()
    seen = fact.process([*stack_host.script("state.sh", str(stack_host.root)).stdout.splitlines(), END])
    assert seen.applied.services == applied(stack_host)["services"]  # type: ignore[union-attr]
    assert seen.applied.inputs == applied(stack_host)["inputs"]  # type: ignore[union-attr]


def test_the_digest_of_the_inputs_is_the_one_that_the_plan_computes(host: StubHost) -> None:
    stack = a_stack()
    host.stub("docker", DOCKER_UP)
    files = {}
    for path in stack.inputs():
        file = host.write(path, f"this is {path}\n")
        files[path] = SeenFile("file", "0644", "0:0", sha256(file))
    words = [str(host.root), "erni-ki", "300", "missing", *stack.inputs(), "--", "--", "--"]
    assert host.script("up.sh", *words).returncode == 0
    assert applied(host)["inputs"] == inputs_digest(stack, Snapshot(files=files))
    assert applied(host)["inputs"] != inputs_digest(stack, converged(stack))


def test_what_is_noted_is_for_its_owner_alone(stack_host: StubHost) -> None:
    up(stack_host, "redis")
    assert mode(stack_host.root / ".fleet" / "applied.json") == "0600"
    assert mode(stack_host.root / ".fleet") == "0700"
    assert [path.name for path in (stack_host.root / ".fleet").iterdir()] == ["applied.json"]


@pytest.mark.parametrize("broken", ["sync", "mv"])
def test_what_was_noted_before_stays_whole_when_the_disk_fails(stack_host: StubHost, broken: str) -> None:
    before = stack_host.write(".fleet/applied.json", '{"old": 1}')
    stack_host.stub(broken, "exit 1")
    assert up(stack_host, "redis").returncode != 0
    assert before.read_text() == '{"old": 1}'


def test_services_that_are_no_longer_wanted_go_before_the_others_come(stack_host: StubHost) -> None:
    done = up(stack_host, "redis", removed=("searxng", "litellm"))
    assert done.stdout.splitlines()[:2] == ["removed searxng", "removed litellm"]
    verbs = [(call[0], call[-1]) for call in stack_host.calls("docker") if call[0] in ("stop", "rm", "compose")]
    assert verbs == [
        ("stop", "id-of-searxng"), ("rm", "id-of-searxng"), ("stop", "id-of-litellm"), ("rm", "id-of-litellm"),
        ("compose", "redis"),
    ]  # fmt: skip


def test_a_service_that_is_already_gone_need_not_be_removed(stack_host: StubHost) -> None:
    (stack_host.home / "gone-searxng").touch()
    done = up(stack_host, "redis", removed=("searxng",))
    assert done.returncode == 0
    assert "removed" not in done.stdout


# up.sh where a service does not come up


@pytest.fixture
def failing(stack_host: StubHost) -> StubHost:
    """redis does not become healthy."""
    (stack_host.home / "bad").write_text("redis")
    (stack_host.home / "state").write_text("running, unhealthy\n")
    stack_host.write(".fleet/applied.json", '{"old": 1}')
    return stack_host


def logs(host: StubHost, text: str) -> None:
    """Every container's log says this."""
    (host.home / "log").write_text(text)


def test_the_services_behind_one_that_does_not_come_up_are_not_started(failing: StubHost) -> None:
    assert up(failing, "watchtower", "redis", "web").returncode == 1
    assert [words[-1] for words in ups(failing)] == ["watchtower", "redis"]


def test_a_failed_start_notes_nothing(failing: StubHost) -> None:
    up(failing, "watchtower", "redis", "web")
    assert applied(failing) == {"old": 1}
    assert [path.name for path in (failing.root / ".fleet").iterdir()] == ["applied.json"]


def test_a_failed_start_says_the_state_the_last_health_output_and_the_last_words(failing: StubHost) -> None:
    assert up(failing, "redis").stderr.splitlines() == [
        "The services that depend on these were not started: redis.",
        "dependency failed to start: container is unhealthy, *MASKED*",
        "redis: did not come up in 300 s; it is running, unhealthy.",
        "redis: last health output: AUTH *MASKED* failed",
        "redis: last health output: NOAUTH Authentication required.",
        "redis: log: connecting to redis://*MASKED*@redis:6379/0 with *MASKED**MASKED*",
        "redis: log: giving up",
    ]


def test_of_a_tier_only_those_that_are_not_up_are_explained(failing: StubHost) -> None:
    (failing.home / "state").write_text("running, healthy\n")
    done = up(failing, "redis,web")
    assert "did not come up" not in done.stderr
    assert "log:" not in done.stderr


def test_a_service_without_a_container_is_told(failing: StubHost) -> None:
    (failing.home / "gone-redis").touch()
    assert "redis: no container was created." in up(failing, "redis").stderr.splitlines()


def test_the_wanted_password_is_masked_wherever_docker_prints_it(failing: StubHost) -> None:
    done = up(failing, "watchtower", "redis")
    assert PASSWORD not in done.stdout + done.stderr


def test_the_hosts_own_password_and_any_in_an_url_are_masked_too(failing: StubHost) -> None:
    done = up(failing, "redis", stdin="\n")
    assert OLD_PASSWORD not in done.stdout + done.stderr
    assert "another-secret" not in done.stdout + done.stderr


@pytest.mark.parametrize("secret", ["a.b*c[d]e", "back\\slash\\n", "am&per&sand", "$(touch x)", "sl/ash|pipe", 'it\'s "q"'])
def test_a_secret_is_masked_as_it_stands_and_never_taken_for_a_pattern(failing: StubHost, secret: str) -> None:
    logs(failing, f"before {secret} after {secret}, but not abbbcde\n")
    done = up(failing, "redis", stdin=f"{secret}\n")
    assert "redis: log: before *MASKED* after *MASKED*, but not abbbcde" in done.stderr.splitlines()
    assert failing.nothing_was_executed()


def test_several_secrets_are_masked(failing: StubHost) -> None:
    logs(failing, "first-secret second-secret third\n")
    done = up(failing, "redis", stdin="first-secret\nsecond-secret\n\n")
    assert "redis: log: *MASKED* *MASKED* third" in done.stderr.splitlines()


def test_no_secret_is_in_an_argv_or_the_environment_of_docker(failing: StubHost) -> None:
    up(failing, "redis")
    shown = failing.shown_to_processes()
    assert "compose" in shown
    assert PASSWORD not in shown
    assert OLD_PASSWORD not in shown


@pytest.mark.parametrize("name", HOSTILE_FOLDERS)
def test_a_stack_in_a_hostile_folder_comes_up_there(tmp_path: Path, name: str) -> None:
    host = StubHost(tmp_path, root=name)
    host.stub("docker", DOCKER_UP + 'pwd >>"$HOME/where"')
    for path in INPUTS:
        host.write(path, path)
    assert up(host, "redis").returncode == 0
    assert applied(host)["services"].keys() == {"redis"}
    assert host.nothing_was_executed()


# All of them


@pytest.mark.parametrize("path", sorted(SCRIPTS.glob("*.sh")), ids=lambda path: path.name)
def test_every_script_is_sh_and_keeps_away_from_tmp(path: Path) -> None:
    checked = subprocess.run(["sh", "-n"], input=script(path.name), capture_output=True, text=True, check=False)
    assert checked.stderr == ""
    assert "/tmp" not in script(path.name)
