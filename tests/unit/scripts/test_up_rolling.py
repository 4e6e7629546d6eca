"""services/up rolls a service: new containers come up beside the old ones, which go only when the new ones are well."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.unit.scripts.up_sh import INPUTS, PASSWORD, up, with_compose
from tests.unit.stubs import StubHost

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
def host(tmp_path: Path) -> StubHost:
    return with_compose(tmp_path)


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
    """Starts tiers; `web:2` is rolled, to two containers."""
    words = [word for tier in tiers for word in tier.split()]
    names = [word.partition(":")[0] for word in words]
    services = json.dumps({name: {"definition": "definition", "file": f"env/{name}.env"} for name in names})
    plain = [" ".join(word.partition(":")[0] for word in tier.split()) for tier in tiers]
    return up(host, *plain, rolling=[word.replace(":", "=") for word in words if ":" in word], services=services)


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
    started, *others = done_to_containers(fleet)
    assert started == [
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
        "web did not start; services that depend on that were not started.",
        "container erni-ki-web-4 is unhealthy",
        "web: did not come up; it is running, unhealthy.",
        "web: last health output: NOAUTH with *MASKED*",
        "web: log: log of 004-web",
    ]


def test_fewer_or_more_containers_than_before_are_as_many_as_are_wanted(fleet: StubHost) -> None:
    roll(fleet, "web:1 api:3")
    assert sorted(name.partition("-")[2] for name in containers(fleet)) == ["api", "api", "api", "web"]


def test_a_service_that_does_not_run_is_started_as_any_other(fleet: StubHost) -> None:
    a_container_of(fleet, "003-api", "exited")
    done = roll(fleet, "api:1")
    assert done.returncode == 0
    (started,) = done_to_containers(fleet)
    assert started[-1] == "api"
    assert "--scale" not in started


def test_a_stopped_container_beside_a_running_one_goes_too(fleet: StubHost) -> None:
    a_container_of(fleet, "002-web", "exited")
    assert roll(fleet, "web:1").returncode == 0
    assert sorted(containers(fleet)) == ["003-api", "004-web"]


def test_in_a_tier_the_others_come_first_together(fleet: StubHost) -> None:
    a_container_of(fleet, "004-db")
    roll(fleet, "web:2 db api:1")
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
    assert roll(fleet, "web:1 api:1").stdout == "rolled web\nrolled api\n"


def applied_services(host: StubHost) -> Any:
    path = host.root / ".fleet" / "applied.json"
    return json.loads(path.read_text())["services"] if path.exists() else None
