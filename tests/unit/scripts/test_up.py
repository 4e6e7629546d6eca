"""services/up: services come up tier by tier, each awaited, and those that are no longer wanted go before."""

from __future__ import annotations

from pathlib import Path

import pytest

from operations.facts.state import State
from operations.stack.snapshot import UNKNOWN
from tests.unit.scripts.up_sh import DOCKER_UP, INPUTS, applied, up, ups
from tests.unit.stubs import HOSTILE_FOLDERS, StubHost


def test_tiers_come_up_one_after_the_other_each_awaited(stack_host: StubHost) -> None:
    assert up(stack_host, "watchtower", "redis", "redis-exporter web").returncode == 0
    common = ["--detach", "--pull", "missing", "--wait", "--wait-timeout", "300"]
    assert ups(stack_host) == [
        [*common, "watchtower"], [*common, "redis"], [*common, "redis-exporter", "web"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("touched", "no_deps"),
    [("", [False, False]), ("erni-ki-web-1", [True, False]), ("erni-ki-db-1", [True, True]), ("erni-ki-redis-1", [False, True])],
)
def test_where_it_is_in_doubt_nothing_else_is_made_anew_together_with_a_tier(
    stack_host: StubHost, touched: str, no_deps: list[bool]
) -> None:
    (stack_host.home / "touched").write_text(f"{touched}\n" if touched else "")
    assert up(stack_host, "redis", "web", doubt=True).returncode == 0
    asked, done = ups(stack_host)[::2], ups(stack_host)[1::2]
    assert asked == [["--detach", "--dry-run", "redis"], ["--detach", "--dry-run", "web"]]
    assert [call[-1] for call in done] == ["redis", "web"]
    assert ["--no-deps" in call for call in done] == no_deps


@pytest.mark.parametrize(("touched", "no_deps"), [("erni-ki-web-1", False), ("erni-ki-web-1 erni-ki-db-1", True)])
def test_services_of_one_tier_may_be_made_anew_together(stack_host: StubHost, touched: str, no_deps: bool) -> None:
    (stack_host.home / "touched").write_text("".join(f"{name}\n" for name in touched.split()))
    assert up(stack_host, "redis web", doubt=True).returncode == 0
    asked, started = ups(stack_host)
    assert asked == ["--detach", "--dry-run", "redis", "web"]
    assert started[-2:] == ["redis", "web"]
    assert ("--no-deps" in started) == no_deps


def test_a_reader_of_a_secrets_file_is_made_anew_and_a_redis_that_reads_it_restarted(stack_host: StubHost) -> None:
    done = up(stack_host, "redis", "web api db", restart=["redis"], recreate=["web", "api"])
    assert done.returncode == 0, done.stderr
    assert ["restart", "--time", "30", "id-of-running-redis"] in stack_host.calls("docker")
    assert [[word for word in call if word in ("--force-recreate", "web", "api", "db")] for call in ups(stack_host)] == [
        ["db"], ["--force-recreate", "web", "api"],
    ]  # fmt: skip
    assert done.stdout.startswith("restarted redis, which reads its password when it starts: away for ")


def test_what_would_interfere_rests_meanwhile(stack_host: StubHost) -> None:
    assert up(stack_host, "redis").returncode == 0
    kept = [call for call in stack_host.calls("docker") if call[0] == "kill" or call[:2] == ["compose", "up"]]
    assert [call[2:] for call in kept if call[0] == "kill"] == [
        ["STOP", "id-of-running-watchtower"], ["CONT", "id-of-running-watchtower"],
    ]  # fmt: skip
    assert [call[0] for call in kept] == ["kill", "compose", "kill"]


@pytest.mark.parametrize("resting", [(), ("another",)])
def test_nothing_else_rests(stack_host: StubHost, resting: tuple[str, ...]) -> None:
    assert up(stack_host, "redis", resting=resting).returncode == 0
    assert [call for call in stack_host.calls("docker") if call[0] == "kill"] == []


def test_what_rests_goes_on_where_something_fails(stack_host: StubHost) -> None:
    (stack_host.home / "bad").write_text("redis")
    assert up(stack_host, "redis").returncode == 1
    assert stack_host.calls("docker")[-1] == ["kill", "--signal", "CONT", "id-of-running-watchtower"]


def at_redis(command: str) -> str:
    """What is run before redis is replaced, as the operation gives it."""
    return f'case " $plain " in *" redis "*) {command} || exit 1 ;; esac'


def test_what_redis_holds_is_brought_just_before_it_is_replaced(stack_host: StubHost) -> None:
    before = """docker carry "it's" && echo brought"""
    done = up(stack_host, "watchtower", "redis", "web", before=at_redis(before))
    assert (done.returncode, done.stderr) == (0, "")
    calls = [call[-1] for call in stack_host.calls("docker") if call[:2] == ["compose", "up"] or call[0] == "carry"]
    assert calls == ["watchtower", "it's", "redis", "web"]
    assert done.stdout.splitlines()[1] == "brought"


def test_redis_is_not_replaced_where_that_fails(stack_host: StubHost) -> None:
    done = up(stack_host, "watchtower", "redis", "web", before=at_redis("{ echo 'it does not fit' >&2; false; }"))
    assert (done.returncode, done.stderr) == (1, "it does not fit\n")
    assert [call[-1] for call in ups(stack_host)] == ["watchtower"]


def test_what_redis_holds_is_no_matter_where_it_is_not_replaced(stack_host: StubHost) -> None:
    assert up(stack_host, "watchtower", "redis-exporter web", before=at_redis("false")).returncode == 0


def test_what_a_server_is_told_when_it_is_up_comes_before_those_that_use_it(stack_host: StubHost) -> None:
    done = up(stack_host, "watchtower", "redis", "web", after=at_redis("docker tell"))
    assert (done.returncode, done.stderr) == (0, "")
    calls = [call[-1] for call in stack_host.calls("docker") if call[:2] == ["compose", "up"] or call[0] == "tell"]
    assert calls == ["watchtower", "redis", "tell", "web"]


def test_those_that_use_it_do_not_start_where_it_could_not_be_told(stack_host: StubHost) -> None:
    done = up(stack_host, "watchtower", "redis", "web", after=at_redis("{ echo 'it does not listen' >&2; false; }"))
    assert (done.returncode, done.stderr) == (1, "it does not listen\n")
    assert [call[-1] for call in ups(stack_host)] == ["watchtower", "redis"]


def test_nobody_is_told_anything_where_it_is_not_started(stack_host: StubHost) -> None:
    assert up(stack_host, "watchtower", "redis-exporter web", after=at_redis("false")).returncode == 0


def test_images_are_pulled_as_it_is_set(stack_host: StubHost) -> None:
    up(stack_host, "redis", pull="always")
    (words,) = ups(stack_host)
    assert words[words.index("--pull") + 1] == "always"


def test_what_was_done_is_said_and_nothing_else(stack_host: StubHost) -> None:
    done = up(stack_host, "redis", "web")
    assert done.stdout == "Container erni-ki-redis-1  Created\nContainer erni-ki-web-1  Created\n"
    assert done.stderr == ""


def test_services_that_are_no_longer_wanted_go_before_the_others_come(stack_host: StubHost) -> None:
    done = up(stack_host, "redis", removed=("searxng", "litellm"))
    assert done.stdout.splitlines()[:2] == ["removed searxng", "removed litellm"]
    verbs = [(call[0], call[-1]) for call in stack_host.calls("docker") if call[0] in ("stop", "rm", "compose")]
    assert verbs == [
        ("stop", "id-of-searxng"), ("rm", "id-of-searxng"), ("stop", "id-of-litellm"), ("rm", "id-of-litellm"),
        ("compose", "redis"),
    ]  # fmt: skip


def test_the_env_files_of_those_go_with_them(stack_host: StubHost) -> None:
    stack_host.write("env/searxng.env", "A=1\n")
    done = up(stack_host, "redis", removed=["searxng"], removed_files=["env/searxng.env", "env/none.env"])
    assert done.stdout.splitlines()[:2] == ["removed searxng", "removed env/searxng.env"]
    assert not (stack_host.root / "env/searxng.env").exists()


@pytest.mark.parametrize("before", [None, '{"inputs": "i", "services": {"redis": {"env": "e"}}}', "{"])
def test_a_service_that_cannot_be_stopped_fails_the_host_and_stays_known(stack_host: StubHost, before: str | None) -> None:
    if before:
        stack_host.write(".fleet/applied.json", before)
    stack_host.write("env/searxng.env", "A=1\n")
    stack_host.stub("docker", 'case $1 in stop) echo "permission denied" >&2; exit 1 ;; esac\n' + DOCKER_UP)
    done = up(stack_host, "redis", removed=["searxng"], removed_files=["env/searxng.env"])
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "searxng is no longer in the stack, but its container could not be removed; nothing was started. "
        "Docker says: permission denied\n"
    )
    assert ups(stack_host) == []
    assert (stack_host.root / "env/searxng.env").exists()
    known = {"searxng", "redis"} if before and "redis" in before else {"searxng"}
    fact = State()
    seen = fact.process(stack_host.command(fact.command(str(stack_host.root), "erni-ki")).stdout.splitlines())
    assert seen is not UNKNOWN
    assert seen.applied.services.keys() == known


def test_a_service_that_is_already_gone_need_not_be_removed(stack_host: StubHost) -> None:
    (stack_host.home / "gone-searxng").touch()
    done = up(stack_host, "redis", removed=("searxng",))
    assert done.returncode == 0
    assert "removed" not in done.stdout


@pytest.mark.parametrize("name", HOSTILE_FOLDERS)
def test_a_stack_in_a_hostile_folder_comes_up_there(tmp_path: Path, name: str) -> None:
    host = StubHost(tmp_path, root=name)
    host.stub("docker", DOCKER_UP + 'pwd >>"$HOME/where"')
    for path in INPUTS:
        host.write(path, path)
    assert up(host, "redis").returncode == 0
    assert applied(host)["services"].keys() == {"redis"}
    assert host.nothing_was_executed()
