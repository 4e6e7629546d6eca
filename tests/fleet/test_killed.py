"""A rollout that is interrupted anywhere leaves clients that work, and the next run ends what is left, with no help by hand.

FLEET_KILLS=300 adds points at random times up to that number; FLEET_SEED repeats those of an earlier run.
"""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from operations.controller.secrets import new
from tests.fleet.clients import Clients
from tests.fleet.fleet import SERVICES, STACK, Fleet, containers
from tests.fleet.passwords import accepted, accepts, digest, on_disk, refused
from tests.lab import Host

KILLS = int(os.environ.get("FLEET_KILLS", "60"))
SEED = int(os.environ.get("FLEET_SEED") or random.randrange(10**6))
SESSIONS = 11  # commands that a rollout runs on a host: see test_a_rollout_is_so_many_commands
PATIENCE = 120
ACCEPTED = "secrets/redis/users.acl"
APPLIED = ".fleet/applied.json"

# a healthcheck every two seconds costs more than the rollouts do
CALM = {
    f"{service}_health_{name}": value
    for service in ("watchtower", "redis", "openwebui")
    for name, value in {"interval": "15s", "start_period": "60s"}.items()
}

# functions of bash that return when something has happened since $before, which WHERE printed
WHERE = "touch /run/before && stat --format %s /var/log/sshd.log && date +%s.%N"
WATCH = f"""
cd {STACK}
# line: how often, a text, and the command that prints lines with it
line() {{
    local left=$1 text=$2
    shift 2
    exec 3< <(exec "$@" 2>/dev/null)
    while IFS= read -r -t {PATIENCE} -u 3 said; do
        case $said in *"$text"*) left=$((left - 1)) && [ $left -gt 0 ] || break ;; esac
    done
    kill $!
}}
# tail looks every second where it cannot be told of changes, as on overlayfs
session() {{ line "$1" 'Starting session' tail --sleep-interval 0.01 -c "+$((log + 1))" -f /var/log/sshd.log; }}
event() {{ line 1 '' docker events --since "$now" --filter type=container --filter "event=$1" \
    --filter "label=com.docker.compose.service=$2"; }}
newer() {{ until [ "$1" -nt "$2" ]; do [ $SECONDS -lt {PATIENCE} ] && sleep 0.003 || break; done; }}
"""
# the processes that serve connections, not the one that listens
CUT = "kill -KILL $(ps --no-headers -o pid --ppid $(cat /run/sshd.pid))"
RESTART_DOCKER = "service docker restart"
# so that the controller cannot end between the moment and its death; what it began on the host goes on
FREEZE, THAW = "pkill -STOP '^sshd'", "pkill -CONT '^sshd'"
KILL_REDIS = (
    "kill -KILL $(docker inspect --format '{{.State.Pid}}' $(docker ps --quiet --filter label=com.docker.compose.service=redis))"
)


@dataclass(frozen=True)
class Point:
    """Where a rollout is interrupted, and how.

    + when: bash text that ends at that moment
    + then: sh text that is run on the host at that moment; where there is none, the controller is killed
    + restarts: whether containers go down with it
    + must: whether it is wrong that a rollout has ended before
    """

    name: str
    when: str
    then: str = ""
    restarts: bool = False
    must: bool = True


class TooLate(Exception):
    """The rollout had ended before it was to be interrupted."""


@dataclass
class Count:
    """How many points there were."""

    points: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def one(self) -> None:
        with self.lock:
            self.points += 1


@pytest.fixture(scope="module")
def count() -> Count:
    return Count()


@pytest.fixture(scope="module")
def alone(shared: Fleet) -> Sequence[Fleet]:
    """An operator for each host, so that rollouts of several can be interrupted at once. One of them needs sudo."""
    operators = []
    for host in shared.hosts:
        folder = shared.folder / host.name
        folder.mkdir()
        operators.append(Fleet(folder, [host], settings=dict(CALM)))
    operators[1].host_settings[operators[1].hosts[0].name] = {"ssh_user": "operator", "_sudo": True}
    with ThreadPoolExecutor(len(operators)) as pool:
        for run in pool.map(Fleet.deploy, operators):
            assert run.ok, run.output
    return operators


@pytest.fixture
def interrupt(alone: Sequence[Fleet], count: Count) -> Callable[[Sequence[Point]], list[str]]:
    """Interrupts a rollout at each of the points, on all hosts at once, and tells what was wrong afterwards."""

    def interrupt_all(points: Sequence[Point]) -> list[str]:
        def some(number: int) -> list[str]:
            fleet, found = alone[number], []
            for point in points[number :: len(alone)]:
                began = time.monotonic()
                try:
                    wrong = list(_interrupt(fleet, point))
                    count.one()
                    outcome = wrong or "ok"
                except TooLate:
                    outcome = "the rollout had ended before"
                    wrong = [outcome] if point.must else []
                print(f"{fleet.hosts[0].name}: {point.name}: {outcome} ({time.monotonic() - began:.0f} s)", flush=True)
                found += [f"{fleet.hosts[0].name}: {point.name}: {problem}" for problem in wrong]
            return found

        with ThreadPoolExecutor(len(alone)) as pool:
            return [problem for found in pool.map(some, range(len(alone))) for problem in found]

    return interrupt_all


def _interrupt(fleet: Fleet, point: Point) -> Iterator[str]:
    """What was wrong with one rollout that was interrupted, and with the run after it."""
    host = fleet.hosts[0]
    former, fleet.password = fleet.password, new()
    log, now = host.run(WHERE).split()
    rollout = fleet.start()
    text = f"log={log} now={now}\n{WATCH}\n{point.when}\n{point.then or FREEZE}"
    host.run('exec bash -c "$(cat)"', stdin=text, timeout=2 * PATIENCE, check=False)
    if not point.then:
        late = rollout.poll() is not None
        if not late:
            os.killpg(rollout.pid, signal.SIGKILL)
        host.run(THAW)
        if late:
            raise TooLate
    rollout.communicate(timeout=2 * PATIENCE)

    # clients work: at once, and when what the controller had begun on the host has ended
    if not point.restarts and (wrong := refused(host)):
        yield f"refused right after it: {wrong}"
    host.run(f"flock --timeout {PATIENCE} {STACK}/.fleet/mutex true", timeout=2 * PATIENCE)
    if wrong := eventually(lambda: broken(host, point.restarts)):
        yield f"before the next run: {wrong}"

    run = fleet.deploy()
    if not run.ok:
        yield f"the next run failed: {run.output[-3000:]}"
        fleet.deploy("--data", "break_lock=True")  # so that it does not spoil the next point
        return
    if not accepted(host, fleet.password) == on_disk(host) == {digest(fleet.password)} or accepts(host, former):
        yield "the former password is still accepted"
    if wrong := [*broken(host), *residue(host)]:
        yield f"after the next run: {wrong}"


def broken(host: Host, restarted: bool = False) -> list[str]:
    """What does not work for clients on the host.

    + restarted: whether containers were restarted: one that was just being replaced may be gone until the next run
    """
    wrong = refused(host)
    missing = set(SERVICES) - set(containers(host))
    if missing and not restarted:
        wrong.append(f"no container of {missing}")
    password = host.run(f"cat {STACK}/secrets/redis/password").strip()
    if accepted(host, password) != on_disk(host):
        wrong.append("redis accepts other passwords than users.acl has")
    if not missing:
        login = host.run("curl --silent http://127.0.0.1:8080/lab/redis", check=False)
        up = host.run("curl --silent http://127.0.0.1:9121/metrics | grep '^redis_up '", check=False).strip()
        if (login, up) != ('{"redis": "1"}', "redis_up 1") and not restarted:
            wrong.append(f"Open WebUI says {login}, the exporter {up}")
    return wrong


def eventually(problems: Callable[[], list[str]]) -> list[str]:
    """Nothing, as soon as there is no problem; else what is still wrong after a while."""
    until = time.monotonic() + 30
    while (found := problems()) and time.monotonic() < until:
        time.sleep(0.2)
    return found


def residue(host: Host) -> list[str]:
    names = r"\( -name '.fleet-new.*' -o -name 'lock*' \)"
    return host.run(f"find {STACK} -path {STACK}/data -prune -o {names} -print").split()


def test_a_rollout_is_so_many_commands(alone: Sequence[Fleet]) -> None:
    fleet = alone[0]
    before = fleet.hosts[0].sessions()
    fleet.password = new()
    assert fleet.deploy().ok
    assert fleet.hosts[0].sessions() - before == SESSIONS


def test_killed_at_every_command(alone: Sequence[Fleet], interrupt: Callable[[Sequence[Point]], list[str]]) -> None:
    every = range(1, SESSIONS + 1)
    # the last three may end within the pause, the last two as they are seen
    points = [
        Point(f"killed {pause} s after command {n}", f"session {n}\nsleep {pause}", must=n + bool(pause) < SESSIONS - 1)
        for n in every
        for pause in (0, 0.15)
    ]
    with Clients(alone[0].hosts[0]) as clients:
        assert interrupt(points) == []
        assert clients.failures() == {}


def test_killed_at_every_step(interrupt: Callable[[Sequence[Point]], list[str]]) -> None:
    files = (ACCEPTED, "env/openwebui.env", "secrets/redis/password", APPLIED, ".fleet/history.jsonl")
    points = [Point(f"killed when {path} was written", f"newer {path} /run/before") for path in files]
    retired = f"newer {APPLIED} /run/before\nnewer {ACCEPTED} {APPLIED}"
    points += [Point(f"killed when {ACCEPTED} was written again", retired)]
    for service in ("redis-exporter", "openwebui"):
        points += [Point(f"killed at a {what} of {service}", f"event {what} {service}") for what in ("die", "start")]
    assert interrupt(points) == []


def test_the_connection_is_cut_at_every_command(interrupt: Callable[[Sequence[Point]], list[str]]) -> None:
    points = [Point(f"cut after command {n}", f"session {n}\nsleep {0.05 * (n % 3)}", CUT) for n in range(1, SESSIONS + 1)]
    assert interrupt(points) == []


def test_docker_is_restarted(interrupt: Callable[[Sequence[Point]], list[str]]) -> None:
    moments = ("session 5", "event die openwebui", "session 10")
    assert interrupt([Point(f"Docker restarted at {when}", when, RESTART_DOCKER, restarts=True) for when in moments]) == []


def test_redis_is_killed(interrupt: Callable[[Sequence[Point]], list[str]]) -> None:
    moments = ("session 4", "session 5", f"newer {ACCEPTED} /run/before", "session 8", "session 10", "session 11")
    assert interrupt([Point(f"redis killed at {when}", when, KILL_REDIS, restarts=True) for when in moments]) == []


def test_killed_at_random_times(
    alone: Sequence[Fleet],
    interrupt: Callable[[Sequence[Point]], list[str]],
    count: Count,
    until: float,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """So many that all tests of this module together reach the number that was asked for. Printed: the seed, and how many."""
    with capsys.disabled():
        print(f"\nrandom points of FLEET_SEED={SEED}")
    began = time.monotonic()
    alone[0].password = new()
    assert alone[0].deploy().ok
    longest = time.monotonic() - began
    chance = random.Random(SEED)
    problems: list[str] = []
    while count.points < KILLS and not problems and time.time() < until:
        pauses = [chance.uniform(0.3, longest) for _ in range(min(KILLS - count.points, 12))]
        problems = interrupt([Point(f"killed after {pause:.2f} s", f"sleep {pause:.2f}", must=False) for pause in pauses])
    with capsys.disabled():
        print(f"\n{count.points} points at which a rollout was interrupted")
    assert problems == []
    if count.points < KILLS:
        pytest.fail(f"there was no time left for more than {count.points} of {KILLS} points (TESTS_UNTIL)")
