"""services/up where a service does not come up: those behind it are not started, why is explained, and no secret is said."""

from __future__ import annotations

import pytest

from tests.unit.scripts.up_sh import OLD_PASSWORD, PASSWORD, applied, fleet_files, up, ups
from tests.unit.stubs import StubHost


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
    assert fleet_files(failing) == {"applied.json"}


def test_a_failed_start_says_the_state_the_last_health_output_and_the_last_words(failing: StubHost) -> None:
    assert up(failing, "redis").stderr.splitlines() == [
        "redis did not start; services that depend on that were not started.",
        "dependency failed to start: container is unhealthy, *MASKED*",
        "redis: did not come up; it is running, unhealthy.",
        "redis: last health output: AUTH *MASKED* failed",
        "redis: last health output: NOAUTH Authentication required.",
        "redis: log: connecting to redis://*MASKED*@redis:6379/0 with *MASKED**MASKED*",
        "redis: log: giving up",
    ]


def test_how_long_it_was_awaited_is_told_only_where_that_was_so_long(failing: StubHost) -> None:
    stub = (failing.bin / "docker").read_text().partition("\n")[2]
    failing.stub("docker", f'case "$1 $2" in "compose up") sleep 1.2 ;; esac\n{stub}')
    assert "redis: did not come up in 1 s; it is running, unhealthy." in up(failing, "redis", seconds=1).stderr.splitlines()


def test_of_a_tier_only_those_that_are_not_up_are_explained(failing: StubHost) -> None:
    (failing.home / "state").write_text("running, healthy\n")
    done = up(failing, "redis web")
    assert "did not come up" not in done.stderr
    assert "log:" not in done.stderr


def test_a_service_without_a_container_is_told(failing: StubHost) -> None:
    (failing.home / "gone-redis").touch()
    assert "redis: no container was created." in up(failing, "redis").stderr.splitlines()


def test_the_wanted_password_is_masked_wherever_docker_prints_it(failing: StubHost) -> None:
    done = up(failing, "watchtower", "redis")
    assert PASSWORD not in done.stdout + done.stderr


def test_the_hosts_own_password_and_any_in_an_url_are_masked_too(failing: StubHost) -> None:
    done = up(failing, "redis", masks="")
    assert OLD_PASSWORD not in done.stdout + done.stderr
    assert "another-secret" not in done.stdout + done.stderr


@pytest.mark.parametrize("secret", ["MASKED", "*MASKED*", "ASKE", "*MASKED*MASKED*", "SKED*"])
def test_a_secret_that_is_part_of_the_mask_comes_to_an_end(failing: StubHost, secret: str) -> None:
    logs(failing, f"before {secret}{secret} after\n")
    done = up(failing, "redis", masks=f"{secret}\n{PASSWORD}")
    assert "redis: log: before *MASKED**MASKED* after" in done.stderr.splitlines()


def test_secrets_that_hold_each_other_are_masked_whatever_their_order(failing: StubHost) -> None:
    for known in (("the-long-secret", "long-sec"), ("long-sec", "the-long-secret")):
        logs(failing, "the-long-secret long-sec\n")
        done = up(failing, "redis", masks="\n".join(known))
        assert "long-sec" not in done.stderr


@pytest.mark.parametrize("name", ["WEBUI_SECRET_KEY", "OPENAI_API_KEY", "SMTP_PASSWORD", "HF_TOKEN", "DB_PASS"])
@pytest.mark.parametrize("quote", ["", "'", '"'])
def test_what_env_files_call_a_secret_is_masked(failing: StubHost, name: str, quote: str) -> None:
    failing.write("env/web.env", f"PORT=8080\n{name}={quote}s3cr3t-of-somebody{quote}\n")
    logs(failing, "port 8080 with s3cr3t-of-somebody\n")
    assert "redis: log: port 8080 with *MASKED*" in up(failing, "redis").stderr.splitlines()


@pytest.mark.parametrize("secret", ["a.b*c[d]e", "back\\slash\\n", "am&per&sand", "$(touch x)", "sl/ash|pipe", 'it\'s "q"'])
def test_a_secret_is_masked_as_it_stands_and_never_taken_for_a_pattern(failing: StubHost, secret: str) -> None:
    logs(failing, f"before {secret} after {secret}, but not abbbcde\n")
    done = up(failing, "redis", masks=secret)
    assert "redis: log: before *MASKED* after *MASKED*, but not abbbcde" in done.stderr.splitlines()
    assert failing.nothing_was_executed()


def test_several_secrets_are_masked(failing: StubHost) -> None:
    logs(failing, "first-secret second-secret third\n")
    done = up(failing, "redis", masks="first-secret\nsecond-secret\n")
    assert "redis: log: *MASKED* *MASKED* third" in done.stderr.splitlines()


def test_no_secret_is_in_an_argv_or_the_environment_of_docker(failing: StubHost) -> None:
    up(failing, "redis")
    shown = failing.shown_to_processes()
    assert "compose" in shown
    assert PASSWORD not in shown
    assert OLD_PASSWORD not in shown
