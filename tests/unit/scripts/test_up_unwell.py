"""services/up sees to containers that Compose does not start or wait for by itself: those that are paused, or unhealthy."""

from __future__ import annotations

import pytest

from tests.unit.scripts.up_sh import up, ups
from tests.unit.stubs import StubHost

# redis is unhealthy, or paused; Compose gives it up until something was done about it
DOCKER_UNWELL = r"""
case "$*" in
*"{{.State}} {{.Status}}"*)
    [ ! -e "$HOME/unhealthy" ] || echo "id-of-redis redis running Up 2 minutes (unhealthy)"
    [ ! -e "$HOME/paused" ] || echo "id-of-redis redis paused Up 2 minutes (Paused)" ;;
"unpause "*) rm "$HOME/paused"; echo "$2" ;;
"restart "*) echo healthy >"$HOME/health"; echo "$4" ;;
*Healthcheck.Interval*) cat "$HOME/interval" ;;
"inspect --format {{if .State.Health}}{{.State.Health.Status}}{{end}} "*) cat "$HOME/health" ;;
"compose up "*)
    [ ! -e "$HOME/paused" ] && [ "$(cat "$HOME/health")" = healthy ] || { echo "container erni-ki-redis-1 is unhealthy"; exit 1; }
    echo " Container erni-ki-redis-1  Started" ;;
"ps --all "*) echo id-of-redis ;;
"inspect "*) echo running, healthy ;;
esac
exit 0
"""


@pytest.fixture
def unwell(stack_host: StubHost) -> StubHost:
    stack_host.stub("docker", DOCKER_UNWELL)
    (stack_host.home / "health").write_text("healthy\n")
    (stack_host.home / "interval").write_text("100000000 100000000\n")
    return stack_host


def done_by_hand(host: StubHost) -> list[list[str]]:
    """What was done to containers beside `compose up`."""
    return [call for call in host.calls("docker") if call[0] in ("unpause", "restart", "stop", "rm")]


def test_a_container_that_runs_well_is_left_to_compose(unwell: StubHost) -> None:
    assert up(unwell, "redis").returncode == 0
    assert done_by_hand(unwell) == []
    assert len(ups(unwell)) == 1


def test_a_paused_container_is_woken_first(unwell: StubHost) -> None:
    (unwell.home / "paused").touch()
    assert up(unwell, "redis").returncode == 0
    assert done_by_hand(unwell) == [["unpause", "id-of-redis"]]
    assert len(ups(unwell)) == 1


def test_a_paused_container_is_woken_also_after_a_redis_that_is_restarted(unwell: StubHost) -> None:
    (unwell.home / "paused").touch()
    assert up(unwell, "db", "redis", restart=["db"]).returncode == 0
    assert ["unpause", "id-of-redis"] in done_by_hand(unwell)


def test_a_container_that_was_unhealthy_before_and_stays_so_is_restarted(unwell: StubHost) -> None:
    (unwell.home / "unhealthy").touch()
    (unwell.home / "health").write_text("unhealthy\n")
    done = up(unwell, "redis")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0] == "restarted redis, which was unhealthy"
    assert done_by_hand(unwell) == [["restart", "--time", "30", "id-of-redis"]]
    assert len(ups(unwell)) == 2


def test_a_paused_container_that_became_unhealthy_meanwhile_is_given_the_time_of_one_more_check(unwell: StubHost) -> None:
    (unwell.home / "paused").touch()
    (unwell.home / "health").write_text("unhealthy\n")
    unwell.stub("sleep", 'echo healthy >"$HOME/health"')
    (unwell.home / "interval").write_text("60000000000 null\n")
    assert up(unwell, "redis").returncode == 0
    assert done_by_hand(unwell) == [["unpause", "id-of-redis"]]
    assert len(ups(unwell)) == 2


def test_a_container_that_recovers_at_its_next_check_is_not_restarted(unwell: StubHost) -> None:
    (unwell.home / "unhealthy").touch()
    (unwell.home / "health").write_text("unhealthy\n")
    unwell.stub("sleep", 'echo healthy >"$HOME/health"')
    (unwell.home / "interval").write_text("60000000000 null\n")
    assert up(unwell, "redis").returncode == 0
    assert done_by_hand(unwell) == []
    assert len(ups(unwell)) == 2


def test_a_container_that_became_unhealthy_only_now_is_not_restarted(unwell: StubHost) -> None:
    (unwell.home / "health").write_text("unhealthy\n")
    done = up(unwell, "redis")
    assert done.returncode == 1
    assert "redis did not start" in done.stderr
    assert done_by_hand(unwell) == []
    assert len(ups(unwell)) == 1
