"""The checks tell the truth about the real Open WebUI, and its users hardly notice a new password."""

from __future__ import annotations

import pytest

from operations.controller.secrets import new
from tests.fleet.fleet import STACK, Run, containers
from tests.fleet.passwords import refused
from tests.openwebui.conftest import Real
from tests.openwebui.user import User


@pytest.fixture
def well(real: Real) -> Real:
    """As wanted, whatever an earlier test left."""
    run = real.deploy()
    assert run.ok, run.output
    return real


def test_a_first_run_provisions_and_validates_it(real: Real) -> None:
    assert real.first.ok, real.first.output
    assert real.first.bad_checks(real.host.name) == []
    assert real.deploy().changes(real.host.name) == []


def test_the_checks_alone_find_nothing(well: Real) -> None:
    run = well.validate()
    assert (run.ok, run.bad_checks(well.host.name)) == (True, []), run.output


def test_a_user_stays_connected_while_the_password_is_rolled_out(well: Real) -> None:
    before = containers(well.host)
    with User(well.host, well.image) as user:
        well.fleet.password = new()
        run = well.deploy()
        assert run.ok, run.output
        user.wait_until_joined(times=2)
    after = containers(well.host)
    assert run.bad_checks(well.host.name) == []
    assert {service for service in before if before[service] != after[service]} == {"openwebui", "redis-exporter"}
    assert "AuthenticationError" not in well.log()
    assert refused(well.host) == []


def test_wrong_urls_are_seen_though_health_says_200_and_the_next_run_repairs_them(well: Real) -> None:
    host = well.host
    host.run(
        f"""
        cd {STACK}
        sed -i 's/{well.fleet.password}/{new()}/' env/openwebui.env
        docker compose up --detach --wait --no-deps openwebui
        """,
        timeout=300,
    )
    broken = well.validate()
    assert well.health() == 200
    assert_login_is_broken(broken, host.name)
    repaired = well.deploy()
    assert (repaired.ok, repaired.bad_checks(host.name)) == (True, []), repaired.output


def test_a_password_given_to_redis_by_hand_is_seen_and_taken_back(well: Real) -> None:
    host = well.host
    host.run(
        f"""
        docker exec --env REDISCLI_AUTH={well.fleet.password} erni-ki-redis-1 sh -c '
            printf "%s\\n" "ACL SETUSER default resetpass >{new()}" "CLIENT KILL TYPE pubsub" "CLIENT KILL TYPE normal" | redis-cli'
        """
    )
    broken = well.validate()
    assert well.health() == 200
    assert_login_is_broken(broken, host.name)
    # redis still says what it was started with is well until its healthcheck, which logs in, has failed for some times
    unhealthy = "docker inspect --format '{{.State.Health.Status}}' erni-ki-redis-1 | grep -q unhealthy"
    host.run(f"until {unhealthy}; do sleep 0.5; done")
    # the run restarts it, and so gives it its password back; Open WebUI itself tries again for a minute, and its log keeps what was
    well.deploy()
    # while redis' own healthcheck, which was refused too, may need one more turn
    up = "docker compose up --detach --wait --no-recreate --no-deps"
    host.run(f"cd {STACK} && docker compose restart openwebui && {up} openwebui && until {up} redis; do sleep 1; done", timeout=300)
    repaired = well.validate()
    assert (repaired.ok, repaired.bad_checks(host.name)) == (True, []), repaired.output


def assert_login_is_broken(run: Run, name: str) -> None:
    bad = run.bad_checks(name)
    assert not run.ok
    assert {"openwebui.redis_login", "logs.auth_errors"} <= set(bad), run.output
    assert "openwebui.health" not in bad
