"""up.sh: services come up tier by tier, each awaited; what runs is noted, what fails is explained, and no secret is said."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest

from operations.facts.base import END
from operations.facts.state import State
from operations.stack.plan import inputs_digest
from operations.stack.snapshot import SeenFile, Snapshot
from tests.unit.stack.hosts import a_stack, converged
from tests.unit.stubs import HOSTILE_FOLDERS, StubHost

PASSWORD = "Marker_Password-0123456789"
OLD_PASSWORD = "Former_Password-9876543210"


@pytest.fixture
def host(tmp_path: Path) -> StubHost:
    host = StubHost(tmp_path)
    host.with_compose("echo 2.99")
    return host


def mode(path: Path) -> str:
    return f"{stat.S_IMODE(path.stat().st_mode):04o}"


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


# up.sh

DOCKER_UP = r"""
service_of() { for word; do case $word in label=com.docker.compose.service=*) echo "${word##*=}" ;; esac; done; }
case "$*" in
*.Names*) printf '%s\n' redis=erni-ki-redis-1 web=erni-ki-web-1 db=erni-ki-db-1 && exit ;;
*--dry-run*) sed 's/.*/ DRY-RUN MODE -  Container &  Recreate/' "$HOME/touched" && exit ;;
*"{{.State}} {{.Status}}"*) echo "id-of-running-watchtower watchtower running Up 2 minutes (healthy)" && exit ;;
*config-hash*) for one in web redis; do echo "$one id-of-$one label-of-$one"; done; exit ;;
esac
case "$1 $2" in
"ps --quiet") echo "id-of-running-$(service_of "$@")" ;;
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
    "{{if .State.Health}}{{.State.Health.Status}}"*) echo healthy ;;
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

TOLD = '{"definitions": {"web": "d"}, "needs": {"web": []}, "starter": "docker"}'
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
    host: StubHost,
    *tiers: str,
    removed: tuple[str, ...] = (),
    pull: str = "missing",
    doubt: str = "no",
    starter: str = "compose",
    carry: str = "",
    inputs: tuple[str, ...] = ("", *INPUTS),
    stdin: str = f"{PASSWORD}\n",
) -> subprocess.CompletedProcess[str]:
    services = [word.partition(":")[0] for tier in tiers for word in tier.split(",")]
    definitions = [f"{service}=definition-of-{service}=env/{service}.env" for service in services]
    words = [
        str(host.root),
        "erni-ki",
        "300",
        pull,
        doubt,
        starter,
        carry,
        "2.26.1",
        TOLD,
        *inputs,
        "--",
        *removed,
        "--",
        *tiers,
        "--",
        *definitions,
    ]
    return host.script("up.sh", *words, stdin=stdin)


def fleet_files(host: StubHost) -> set[str]:
    """What lies in .fleet, but for the mutex and what is known of Compose."""
    return {path.name for path in (host.root / ".fleet").iterdir()} - {"mutex", "compose"}


def ups(host: StubHost) -> list[list[str]]:
    return [call[2:] for call in host.calls("docker") if call[:2] == ["compose", "up"]]


def applied(host: StubHost) -> Any:
    return json.loads((host.root / ".fleet" / "applied.json").read_text())


def test_tiers_come_up_one_after_the_other_each_awaited(stack_host: StubHost) -> None:
    assert up(stack_host, "watchtower", "redis", "redis-exporter,web").returncode == 0
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
    assert up(stack_host, "redis", "web", doubt="yes").returncode == 0
    asked, done = ups(stack_host)[::2], ups(stack_host)[1::2]
    assert asked == [["--detach", "--dry-run", "redis"], ["--detach", "--dry-run", "web"]]
    assert [call[-1] for call in done] == ["redis", "web"]
    assert ["--no-deps" in call for call in done] == no_deps


@pytest.mark.parametrize(("touched", "no_deps"), [("erni-ki-web-1", False), ("erni-ki-web-1 erni-ki-db-1", True)])
def test_services_of_one_tier_may_be_made_anew_together(stack_host: StubHost, touched: str, no_deps: bool) -> None:
    (stack_host.home / "touched").write_text("".join(f"{name}\n" for name in touched.split()))
    assert up(stack_host, "redis,web", doubt="yes").returncode == 0
    asked, started = ups(stack_host)
    assert asked == ["--detach", "--dry-run", "redis", "web"]
    assert started[-2:] == ["redis", "web"]
    assert ("--no-deps" in started) == no_deps


def test_a_reader_of_a_secrets_file_is_made_anew_and_a_redis_that_reads_it_restarted(stack_host: StubHost) -> None:
    done = up(stack_host, "redis:restart", "web:anew,api:anew,db")
    assert done.returncode == 0, done.stderr
    assert ["restart", "--time", "30", "id-of-running-redis"] in stack_host.calls("docker")
    assert [[word for word in call if word in ("--force-recreate", "web", "api", "db")] for call in ups(stack_host)] == [
        ["db"], ["--force-recreate", "web", "api"],
    ]  # fmt: skip
    assert done.stdout.startswith("restarted redis, which reads its password when it starts: away for ")


@pytest.mark.parametrize(("tiers", "still"), [(("redis",), True), (("watchtower", "redis"), False), (("redis,watchtower",), False)])
def test_watchtower_does_not_interfere_meanwhile(stack_host: StubHost, tiers: tuple[str, ...], still: bool) -> None:
    assert up(stack_host, *tiers).returncode == 0
    kept = [call for call in stack_host.calls("docker") if call[0] == "kill" or call[:2] == ["compose", "up"]]
    signals = [call[2:] for call in kept if call[0] == "kill"]
    assert signals == ([["STOP", "id-of-running-watchtower"], ["CONT", "id-of-running-watchtower"]] if still else [])
    if still:
        assert [call[0] for call in kept] == ["kill", "compose", "kill"]


def test_watchtower_goes_on_where_something_fails(stack_host: StubHost) -> None:
    (stack_host.home / "bad").write_text("redis")
    assert up(stack_host, "redis").returncode == 1
    assert stack_host.calls("docker")[-1] == ["kill", "--signal", "CONT", "id-of-running-watchtower"]


def test_what_redis_holds_is_brought_just_before_it_is_replaced(stack_host: StubHost) -> None:
    carry = """docker carry "it's" && echo brought"""
    done = up(stack_host, "watchtower", "redis", "web", carry=carry)
    assert (done.returncode, done.stderr) == (0, "")
    calls = [call[-1] for call in stack_host.calls("docker") if call[:2] == ["compose", "up"] or call[0] == "carry"]
    assert calls == ["watchtower", "it's", "redis", "web"]
    assert done.stdout.splitlines()[1] == "brought"


def test_redis_is_not_replaced_where_that_fails(stack_host: StubHost) -> None:
    done = up(stack_host, "watchtower", "redis", "web", carry="echo 'it does not fit' >&2; false")
    assert (done.returncode, done.stderr) == (1, "it does not fit\n")
    assert [call[-1] for call in ups(stack_host)] == ["watchtower"]


def test_what_redis_holds_is_no_matter_where_it_is_not_replaced(stack_host: StubHost) -> None:
    assert up(stack_host, "watchtower", "redis-exporter,web", carry="false").returncode == 0


def test_images_are_pulled_as_it_is_set(stack_host: StubHost) -> None:
    up(stack_host, "redis", pull="always")
    (words,) = ups(stack_host)
    assert words[words.index("--pull") + 1] == "always"


def test_what_was_done_is_said_and_nothing_else(stack_host: StubHost) -> None:
    done = up(stack_host, "redis", "web")
    assert done.stdout == "Container erni-ki-redis-1  Created\nContainer erni-ki-web-1  Created\n"
    assert done.stderr == ""


def test_nothing_to_start_is_noted_all_the_same(stack_host: StubHost) -> None:
    words = [
        str(stack_host.root),
        "erni-ki",
        "300",
        "missing",
        "no",
        "compose",
        "",
        "",
        "null",
        "",
        *INPUTS,
        "--",
        "--",
        "--",
        "redis=d1=env/redis.env",
    ]
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


def test_what_compose_said_is_noted(stack_host: StubHost) -> None:
    up(stack_host, "redis")
    assert (applied(stack_host)["compose"], applied(stack_host)["project"]) == ("2.26.1", json.loads(TOLD))


@pytest.mark.parametrize(
    "line",
    [
        "include:",
        "    extends: base.yml",
        "x: {extends: {file: a}}",
        '  "label_file": a',
        "{include: [a]}",
        '{"include":["a"]}',
        "'extends': a",
    ],
)
def test_what_compose_said_is_not_noted_where_further_files_have_a_part_in_it(stack_host: StubHost, line: str) -> None:
    stack_host.write("compose.yml", f"# a project\n{line}\n")
    up(stack_host, "redis")
    assert applied(stack_host)["project"] is None


@pytest.mark.parametrize("line", ["# include what you like", "  image: extends:1", "    command: [--include]"])
def test_words_that_name_no_further_file_are_no_reason_to_ask_again(stack_host: StubHost, line: str) -> None:
    stack_host.write("compose.yml", f"{line}\n")
    up(stack_host, "redis")
    assert applied(stack_host)["project"] == json.loads(TOLD)


def test_the_env_file_that_a_service_reads_is_the_one_that_is_given(stack_host: StubHost) -> None:
    file = stack_host.write("conf/n8n=1.env", "A=1\n")
    words = [str(stack_host.root), "erni-ki", "300", "missing", "no", "compose", "", "", "null", "", *INPUTS, "--", "--", "--"]
    assert stack_host.script("up.sh", *words, "web=d1=conf/n8n=1.env", "redis=d2=conf/none.env").returncode == 0
    noted = applied(stack_host)["services"]
    assert (noted["web"]["definition"], noted["web"]["env"]) == ("d1", sha256(file))
    assert (noted["redis"]["definition"], noted["redis"]["env"]) == ("d2", "")


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
    words = [str(host.root), "erni-ki", "300", "missing", "no", "compose", "", "", "null", "", *stack.inputs(), "--", "--", "--"]
    assert host.script("up.sh", *words).returncode == 0
    assert applied(host)["inputs"] == inputs_digest(stack, Snapshot(files=files))
    assert applied(host)["inputs"] != inputs_digest(stack, converged(stack))


def test_what_is_noted_is_for_its_owner_alone(stack_host: StubHost) -> None:
    up(stack_host, "redis")
    assert mode(stack_host.root / ".fleet" / "applied.json") == "0600"
    assert mode(stack_host.root / ".fleet") == "0700"
    assert fleet_files(stack_host) == {"applied.json"}


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
    assert fleet_files(failing) == {"applied.json"}


def test_a_failed_start_says_the_state_the_last_health_output_and_the_last_words(failing: StubHost) -> None:
    assert up(failing, "redis").stderr.splitlines() == [
        "redis did not start; the services that depend on it were not started.",
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


@pytest.mark.parametrize("secret", ["MASKED", "*MASKED*", "ASKE", "*MASKED*MASKED*", "SKED*"])
def test_a_secret_that_is_part_of_the_mask_comes_to_an_end(failing: StubHost, secret: str) -> None:
    logs(failing, f"before {secret}{secret} after\n")
    done = up(failing, "redis", stdin=f"{secret}\n{PASSWORD}\n")
    assert "redis: log: before *MASKED**MASKED* after" in done.stderr.splitlines()


def test_secrets_that_hold_each_other_are_masked_whatever_their_order(failing: StubHost) -> None:
    for known in (("the-long-secret", "long-sec"), ("long-sec", "the-long-secret")):
        logs(failing, "the-long-secret long-sec\n")
        done = up(failing, "redis", stdin="\n".join(known) + "\n")
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


def composes_version(host: StubHost) -> str:
    """The version that engine.sh tells after the stack was started."""
    lines = host.script("engine.sh", str(host.root)).stdout.splitlines()
    (version,) = [line.removeprefix("compose=") for line in lines if line.startswith("compose=")]
    return version


def test_composes_version_is_noted_and_its_file_not_asked_again(stack_host: StubHost) -> None:
    up(stack_host, "redis")
    seen = stack_host.plugin.stat()
    stack_host.plugin.write_text("#!/bin/sh\necho 6.66\n")
    os.utime(stack_host.plugin, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    assert stack_host.plugin.stat().st_size == seen.st_size
    assert composes_version(stack_host) == "2.99"


def test_another_file_in_its_place_is_asked(stack_host: StubHost) -> None:
    up(stack_host, "redis")
    stack_host.plugin.write_text("#!/bin/sh\necho 3.0.0 # newer\n")
    assert composes_version(stack_host) == "3.0.0"


@pytest.mark.parametrize("name", HOSTILE_FOLDERS)
def test_a_stack_in_a_hostile_folder_comes_up_there(tmp_path: Path, name: str) -> None:
    host = StubHost(tmp_path, root=name)
    host.stub("docker", DOCKER_UP + 'pwd >>"$HOME/where"')
    for path in INPUTS:
        host.write(path, path)
    assert up(host, "redis").returncode == 0
    assert applied(host)["services"].keys() == {"redis"}
    assert host.nothing_was_executed()


# Containers that Compose does not start or wait for by itself

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
    assert up(unwell, "db:restart", "redis").returncode == 0
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


# Containers that Docker starts, and tells of

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
"start "*) [ ! -e "$HOME/taken" ] || { echo "Error response: port is already allocated" >&2; exit 1; }
    cp "$HOME/becomes" "$box/$2"; echo "$2" ;;
"events "*)
    [ -e "$HOME/later" ] || exit 0
    sleep 0.2
    for one in $(ls "$box"); do cp "$HOME/later" "$box/$one"; done
    echo health_status ;;
"inspect --format {{.Name}}"*)
    [ ! -e "$HOME/silent" ] || exit 1
    shift 3; for one; do state "$one"; echo "/erni-ki-$one-1 $state $health"; done ;;
"inspect "*) echo "running, unhealthy" ;;
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
    done = up(starting, "redis", "web,db", starter="docker")
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
    ],
)
def test_a_container_that_fails_is_told_and_those_behind_it_are_not_started(starting: StubHost, becomes: str, said: str) -> None:
    (starting.home / "becomes").write_text(f"{becomes}\n")
    done = up(starting, "redis", "web", starter="docker")
    assert done.returncode == 1
    assert said in done.stderr.splitlines()
    assert [call[1] for call in starting.calls("docker") if call[0] == "start"] == ["redis"]


def test_what_docker_says_where_it_cannot_start_one_is_told(starting: StubHost) -> None:
    (starting.home / "taken").touch()
    done = up(starting, "redis", starter="docker")
    assert done.returncode == 1
    assert "Error response: port is already allocated" in done.stderr.splitlines()


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


def test_a_docker_that_does_not_answer_for_a_while_is_asked_again(starting: StubHost) -> None:
    (starting.home / "silent").touch()
    starting.stub("sleep", 'rm -f "$HOME/silent"')
    assert up(starting, "redis", starter="docker").returncode == 0
    assert starting.calls("sleep") == [["0.2"]]


# Rolling updates

# containers are files, the newest first by name; `compose up --scale` makes new ones
DOCKER_ROLL = r"""
box=$HOME/containers
words="$*"
service_of() { for word; do case $word in label=com.docker.compose.service=*) echo "${word##*=}" ;; esac; done; }
of() { ls -r "$box" | grep "^[0-9]*-$1\$"; }
case "$*" in
*"{{.State}} {{.Status}}"*)
    for id in $(ls -r "$box"); do echo "$id ${id#*-} $(sed 's/, \(.*\)/ Up 5 minutes (\1)/' "$box/$id")"; done
    exit ;;
*status=exited*) for id in $(of "$(service_of "$@")"); do grep -l exited "$box/$id" | xargs -r -n 1 basename; done; exit ;;
*config-hash*) for id in $(ls -r "$box"); do echo "${id#*-} $id label-of-${id#*-}"; done; exit ;;
esac
case "$1 $2" in
"ps --all") of "$(service_of "$@")" ;;
"ps --quiet") for id in $(of "$(service_of "$@")"); do grep -l running "$box/$id" | xargs -n 1 basename; done ;;
"compose up")
    for word; do last=$word; done
    wanted=1
    for word; do case $word in "$last="*) wanted=${word#*=} ;; esac; done
    number=$(ls "$box" | tail -n 1 | sed 's/^0*//; s/-.*//')
    while [ "$(of "$last" | wc -l)" -lt "$wanted" ]; do
        number=$((number + 1))
        if [ -e "$HOME/bad" ]; then state="running, unhealthy"; else state="running, healthy"; fi
        echo "$state" >"$box/$(printf %03d "$number")-$last"
    done
    echo " Container erni-ki-$last-$number  Started"
    [ ! -e "$HOME/bad" ] || { echo "container erni-ki-$last-$number is unhealthy"; exit 1; } ;;
"stop "*) [ ! -e "$HOME/stuck" ] || exit 1; echo exited >"$box/$2"; echo "$2" ;;
"rm --force") rm "$box/$3"; echo "$3" ;;
"rm "*) grep -q exited "$box/$2" && rm "$box/$2"; echo "$2" ;;
"inspect --format")
    case $3 in
    *Health.Log*) echo "NOAUTH with $(cat "$HOME/secret")" ;;
    *) cat "$box/$4" ;;
    esac ;;
"logs --tail") echo "log of $4" ;;
esac
"""


@pytest.fixture
def fleet(host: StubHost) -> StubHost:
    """Two containers of `web` and one of `api` run, all of them old."""
    host.stub("docker", DOCKER_ROLL)
    for path in INPUTS:
        host.write(path, f"this is {path}\n")
    (host.home / "containers").mkdir()
    (host.home / "secret").write_text(PASSWORD)
    for name in ("001-web", "002-web", "003-api"):
        a_container_of(host, name)
    return host


def a_container_of(host: StubHost, name: str, state: str = "running, healthy") -> None:
    (host.home / "containers" / name).write_text(f"{state}\n")


def containers(host: StubHost) -> dict[str, str]:
    return {path.name: path.read_text().strip() for path in sorted((host.home / "containers").iterdir())}


def roll(host: StubHost, *tiers: str) -> subprocess.CompletedProcess[str]:
    definitions = [f"{name}=definition=env/{name}.env" for tier in tiers for name in (w.partition(":")[0] for w in tier.split(","))]
    words = [str(host.root), "erni-ki", "300", "missing", "no", "compose", "", "", "null", "", *INPUTS, "--", "--"]
    words += [*tiers, "--", *definitions]
    return host.script("up.sh", *words, stdin=f"{PASSWORD}\n")


def done_to_containers(host: StubHost) -> list[list[str]]:
    return [call for call in host.calls("docker") if call[0] in ("stop", "rm", "compose")]


def test_new_containers_are_started_beside_the_old_ones_which_then_go(fleet: StubHost) -> None:
    done = roll(fleet, "web:2")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "rolled web\n"
    assert containers(fleet) == {
        "003-api": "running, healthy", "004-web": "running, healthy", "005-web": "running, healthy",
    }  # fmt: skip


def test_the_old_ones_go_only_when_the_new_ones_are_healthy(fleet: StubHost) -> None:
    roll(fleet, "web:2")
    up, *others = done_to_containers(fleet)
    assert up == [
        "compose", "up", "--detach", "--pull", "missing", "--wait", "--wait-timeout", "300",
        "--no-recreate", "--scale", "web=4", "web",
    ]  # fmt: skip
    assert others == [["stop", "002-web"], ["rm", "002-web"], ["stop", "001-web"], ["rm", "001-web"]]


def test_new_containers_that_do_not_become_healthy_go_and_the_old_ones_stay(fleet: StubHost) -> None:
    (fleet.home / "bad").touch()
    before = containers(fleet)
    done = roll(fleet, "web:2", "api")
    assert (done.returncode, done.stdout) == (1, "")
    assert containers(fleet) == before
    assert [call[-1] for call in done_to_containers(fleet) if call[0] == "compose"] == ["web"]
    assert applied_services(fleet) is None


def test_why_they_did_not_is_told_from_a_new_one_before_it_goes(fleet: StubHost) -> None:
    (fleet.home / "bad").touch()
    assert roll(fleet, "web:1").stderr.splitlines() == [
        "web did not start; the services that depend on it were not started.",
        "container erni-ki-web-4 is unhealthy",
        "web: did not come up in 300 s; it is running, unhealthy.",
        "web: last health output: NOAUTH with *MASKED*",
        "web: log: log of 004-web",
    ]


def test_fewer_or_more_containers_than_before_are_as_many_as_are_wanted(fleet: StubHost) -> None:
    roll(fleet, "web:1,api:3")
    assert sorted(name.partition("-")[2] for name in containers(fleet)) == ["api", "api", "api", "web"]


def test_a_service_that_does_not_run_is_started_as_any_other(fleet: StubHost) -> None:
    a_container_of(fleet, "003-api", "exited")
    done = roll(fleet, "api:1")
    assert done.returncode == 0
    (up,) = done_to_containers(fleet)
    assert up[-1] == "api"
    assert "--scale" not in up


def test_a_stopped_container_beside_a_running_one_goes_too(fleet: StubHost) -> None:
    a_container_of(fleet, "002-web", "exited")
    assert roll(fleet, "web:1").returncode == 0
    assert sorted(containers(fleet)) == ["003-api", "004-web"]


def test_in_a_tier_the_others_come_first_together(fleet: StubHost) -> None:
    a_container_of(fleet, "004-db")
    roll(fleet, "web:2,db,api:1")
    ups = [[word for word in call[8:] if word != "--no-recreate"] for call in done_to_containers(fleet) if call[0] == "compose"]
    assert ups == [["db"], ["--scale", "web=4", "web"], ["--scale", "api=2", "api"]]


def test_one_that_is_not_well_is_brought_up_with_the_others_instead_of_beside_them(fleet: StubHost) -> None:
    a_container_of(fleet, "002-web", "running, unhealthy")
    assert roll(fleet, "web:2").returncode == 0
    assert [call for call in done_to_containers(fleet) if call[0] == "compose"] == [
        ["compose", "up", "--detach", "--pull", "missing", "--wait", "--wait-timeout", "300", "web"]
    ]


def test_what_was_rolled_is_noted_with_its_new_container(fleet: StubHost) -> None:
    roll(fleet, "web:1")
    services = applied_services(fleet)
    assert services is not None
    assert services["web"] == {"definition": "definition", "env": "", "label": "label-of-web", "container": "004-web"}


def test_an_old_container_that_cannot_be_stopped_fails(fleet: StubHost) -> None:
    (fleet.home / "stuck").touch()
    assert roll(fleet, "web:1").returncode != 0
    assert applied_services(fleet) is None


def test_a_file_in_the_stacks_folder_is_not_taken_for_a_service(fleet: StubHost) -> None:
    fleet.write("web-of-1", "")
    fleet.write("api-1", "")
    assert roll(fleet, "web:1,api:1").stdout == "rolled web\nrolled api\n"


def applied_services(host: StubHost) -> Any:
    path = host.root / ".fleet" / "applied.json"
    return json.loads(path.read_text())["services"] if path.exists() else None
