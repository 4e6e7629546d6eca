"""services/up where Compose makes the containers and Docker starts them, and tells of them."""

from __future__ import annotations

import json

import pytest

from operations.stack.diagnosis import explanation
from tests.unit.scripts.up_sh import fleet_files, up, ups
from tests.unit.stubs import StubHost

# a container is a file with its state and health, or exit code; `docker start` makes it what `becomes` says
DOCKER_STARTS = r"""
box=$HOME/containers
state() { read -r state health <"$box/$1"; }
case "$*" in
"ps --all --quiet "*) ls "$box" ;;
*"{{.State}} {{.Status}}"*) for one in $(ls "$box"); do state "$one"; echo "$one $one $state Up ($health)"; done ;;
*config-hash*) for one in $(ls "$box"); do echo "$one id-of-$one label-of-$one"; done ;;
"ps --all --no-trunc "*depends_on*)
    for one in $(ls "$box"); do
        state "$one"
        status=
        case $state in running) status="Up 2 minutes ($health)" ;; exited) status="Exited ($health) 2 minutes ago" ;; esac
        echo "$one|$one|erni-ki-$one-1|$state|$(cat "$HOME/needs-$one" 2>/dev/null)|$status"
    done ;;
"compose up --no-start "*)
    cat "$HOME/beside" 2>/dev/null
    for word; do case $word in redis | web | db) echo " Container erni-ki-$word-1  Created"
    echo "created none" >"$box/$word" ;; esac; done ;;
"start "*) [ ! -e "$HOME/taken" ] || { echo "Error response: $(cat "$HOME/taken")" >&2; exit 1; }
    cp "$HOME/becomes" "$box/$2"; echo "$2" ;;
"events "*)
    [ -e "$HOME/later" ] || exit 0
    sleep 0.2
    for one in $(ls "$box"); do cp "$HOME/later" "$box/$one"; done
    echo health_status ;;
"inspect --format "*) echo "running, unhealthy" ;;
"inspect "*)
    [ ! -e "$HOME/silent" ] || { echo "[]"; exit 1; }
    shift
    for one; do
        state "$one"
        [ "$health" = none ] || health="{\"Status\": \"$health\"}"
        printf '{"Id": "%s", "Name": "/erni-ki-%s-1", "State": {"Status": "%s", "Health": %s}, "Config": %s}\n' \
            "$one" "$one" "$state" "$(echo "$health" | sed 's/^none$/null/')" "$(cat "$HOME/check-$one" 2>/dev/null || echo '{}')"
    done | jq --slurp . ;;
"exec "*) echo "$*" >>"$HOME/asked"; [ -e "$HOME/answers" ] || exit 1 ;;
esac
exit 0
"""


@pytest.fixture
def starting(stack_host: StubHost) -> StubHost:
    """Compose makes containers; Docker starts them, and they are healthy at once."""
    stack_host.stub("docker", DOCKER_STARTS)
    (stack_host.home / "containers").mkdir()
    (stack_host.home / "becomes").write_text("running healthy\n")
    (stack_host.root / ".fleet").mkdir(exist_ok=True)
    return stack_host


def test_compose_makes_all_of_a_new_project_and_docker_starts_it_tier_by_tier(starting: StubHost) -> None:
    done = up(starting, "redis", "web db", starter="docker")
    assert (done.returncode, done.stderr) == (0, "")
    assert ups(starting) == [["--no-start", "--pull", "missing", "redis", "web", "db"]]
    first, *others = [call[1] for call in starting.calls("docker") if call[0] == "start"]
    assert (first, sorted(others)) == ("redis", ["db", "web"])
    assert sorted(done.stdout.splitlines()) == sorted(
        f"Container erni-ki-{one}-1  {what}" for one in ("redis", "web", "db") for what in ("Created", "Started")
    )
    assert fleet_files(starting) == {"applied.json"}


def test_where_something_of_it_is_there_each_tier_is_made_when_its_turn_comes(starting: StubHost) -> None:
    (starting.home / "containers/redis").write_text("running healthy\n")
    assert up(starting, "redis", "web", starter="docker").returncode == 0
    assert ups(starting) == [["--no-start", "--pull", "missing", name] for name in ("redis", "web")]


def test_a_container_is_awaited_until_docker_tells_of_it(starting: StubHost) -> None:
    (starting.home / "becomes").write_text("running starting\n")
    (starting.home / "later").write_text("running healthy\n")
    assert up(starting, "redis", starter="docker").returncode == 0


@pytest.mark.parametrize(
    ("becomes", "said"),
    [
        ("running unhealthy", "container erni-ki-redis-1 is unhealthy"),
        ("exited none", "container erni-ki-redis-1 failed: it is exited"),
        ("created none", "container erni-ki-redis-1 failed: it is created"),
    ],
)
def test_a_container_that_fails_is_told_and_those_behind_it_are_not_started(starting: StubHost, becomes: str, said: str) -> None:
    (starting.home / "becomes").write_text(f"{becomes}\n")
    done = up(starting, "redis", "web", starter="docker")
    assert done.returncode == 1
    assert said in done.stderr.splitlines()
    assert [call[1] for call in starting.calls("docker") if call[0] == "start"] == ["redis"]


def test_what_docker_says_where_it_cannot_start_one_is_told(starting: StubHost) -> None:
    (starting.home / "taken").write_text("port is already allocated")
    done = up(starting, "redis", starter="docker")
    assert done.returncode == 1
    assert "Error response: port is already allocated" in done.stderr.splitlines()


OCI = "failed to create task for container: OCI runtime create failed: runc create failed: unable to start container process: "
A_FOLDER = (
    'error during container init: error mounting "/opt/erni-ki/web.conf" to rootfs at "/web.conf": not a directory: unknown: '
    "Are you trying to mount a directory onto a file (or vice-versa)?"
)


@pytest.mark.parametrize(
    ("said", "row"),
    [
        (OCI + A_FOLDER, "mounts"),
        ('invalid mount config for type "bind": bind source path does not exist: /opt/erni-ki/conf', "mounts"),
        (OCI + 'exec: "no-such": executable file not found in $PATH: unknown', "no program of the name"),
    ],
)
def test_what_the_runtime_refuses_fails_at_once_and_is_explained(starting: StubHost, said: str, row: str) -> None:
    (starting.home / "taken").write_text(said)
    done = up(starting, "redis", starter="docker")
    assert done.returncode == 1
    assert f"Error response: {said}" in done.stderr.splitlines()
    assert " in 300 s" not in done.stderr
    assert row in (explanation(done.stderr) or "")


@pytest.mark.parametrize(
    ("needs", "state", "by_docker"),
    [
        ("other:service_healthy:false", "running healthy", True),
        ("other:service_healthy:false", "running unhealthy", False),
        ("other:service_started:false", "running none", True),
        ("other:service_started:false", "exited 0", False),
        ("other:service_completed_successfully:false", "exited 0", True),
        ("other:service_completed_successfully:false", "exited 1", False),
        ("gone:service_started:false", "running healthy", False),
    ],
)
def test_compose_sees_to_what_a_service_depends_on_where_that_is_not_well(
    starting: StubHost, needs: str, state: str, by_docker: bool
) -> None:
    (starting.home / "containers/other").write_text(f"{state}\n")
    (starting.home / "needs-web").write_text(needs)
    assert up(starting, "web", starter="docker").returncode == 0
    assert [call[0] for call in ups(starting)] == (["--no-start"] if by_docker else ["--no-start", "--detach"])
    assert [call[1] for call in starting.calls("docker") if call[0] == "start"] == (["web"] if by_docker else [])


def test_what_compose_made_beside_the_services_is_its_to_start(starting: StubHost) -> None:
    (starting.home / "containers/redis").write_text("running healthy\n")
    (starting.home / "beside").write_text(" Container erni-ki-db-1  Recreated\n")
    assert up(starting, "web", starter="docker").returncode == 0
    assert [call[0] for call in ups(starting)] == ["--no-start", "--detach"]


def test_a_container_that_crashed_once_and_then_runs_is_well(starting: StubHost) -> None:
    (starting.home / "becomes").write_text("restarting none\n")
    starting.stub("sleep", 'echo "running none" >"$HOME/containers/redis"; exec /bin/sleep "$@"')
    assert up(starting, "redis", starter="docker").returncode == 0
    # then it is given the rest of half a second, of which a busy machine has none left
    first, *rest = [float(call[0]) for call in starting.calls("sleep")]
    assert first == 0.2
    assert all(pause <= 0.5 for pause in rest)


# A healthcheck that Docker asks only after an interval


def checked(host: StubHost, service: str, *test: str, **healthcheck: object) -> None:
    """A service's container has this healthcheck, and Docker did not ask it yet."""
    config = {"Healthcheck": {"Test": test, "Interval": 60_000_000_000, **healthcheck}, "Shell": None}
    (host.home / f"check-{service}").write_text(json.dumps(config))
    (host.home / "becomes").write_text("running starting\n")


def test_it_is_asked_meanwhile_with_its_own_words_and_the_next_tier_does_not_wait(starting: StubHost) -> None:
    checked(starting, "redis", "CMD", "redis-cli", "it's", "a b;touch x")
    checked(starting, "web", "CMD-SHELL", 'test "$(cat /x)" = 1')
    (starting.home / "answers").touch()
    (starting.home / "needs-web").write_text("redis:service_healthy:false")
    done = up(starting, "redis", "web", starter="docker")
    assert (done.returncode, done.stderr) == (0, "")
    execs = [call[1:] for call in starting.calls("docker") if call[0] == "exec"]
    assert execs == [
        ["redis", "redis-cli", "it's", "a b;touch x"],
        ["web", "/bin/sh", "-c", 'test "$(cat /x)" = 1'],
    ]
    assert [call[1] for call in starting.calls("docker") if call[0] == "start"] == ["redis", "web"]
    assert starting.nothing_was_executed()


def test_one_that_says_no_is_awaited_until_it_says_yes(starting: StubHost) -> None:
    checked(starting, "redis", "CMD", "true")
    starting.stub("sleep", 'touch "$HOME/answers"; exec /bin/sleep 0.1')
    assert up(starting, "redis", starter="docker").returncode == 0
    assert len((starting.home / "asked").read_text().splitlines()) == 2


def test_one_that_never_says_yes_fails_when_its_time_is_over(starting: StubHost) -> None:
    checked(starting, "redis", "CMD", "true")
    assert up(starting, "redis", starter="docker", seconds=1).returncode == 1


@pytest.mark.parametrize("healthcheck", [{"StartInterval": 2_000_000_000}, {"Test": ["NONE"]}, {"Test": None}])
def test_one_that_docker_asks_soon_is_left_to_it(starting: StubHost, healthcheck: dict[str, object]) -> None:
    checked(starting, "redis", "CMD", "true", **healthcheck)
    (starting.home / "later").write_text("running healthy\n")
    assert up(starting, "redis", starter="docker").returncode == 0
    assert not (starting.home / "asked").exists()


def test_a_docker_that_does_not_answer_for_a_while_is_asked_again(starting: StubHost) -> None:
    (starting.home / "silent").touch()
    starting.stub("sleep", 'rm -f "$HOME/silent"')
    assert up(starting, "redis", starter="docker").returncode == 0
    assert starting.calls("sleep") == [["0.2"]]
