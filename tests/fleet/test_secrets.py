"""The password is searched for in all that runs say and leave, on this machine and on every host. It is only where it may be."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from operations.controller.secrets import new
from tests.fleet.fleet import ROOT, SERVICES, STACK, Fleet, Run, containers, wipe
from tests.lab import Host

LOUD = ("-vvv", "--debug", "--diff")

# Looks at every process until standard input ends; which of them had one of the secrets among its arguments or, unless it
# is a container's, in its environment. The secrets come over standard input, one a line, and then an empty line.
SAMPLER = r"""
use strict; use IO::Select; $| = 1;
my @secrets; while (my $line = <STDIN>) { chomp $line; last if $line eq ""; push @secrets, $line }
my $pattern = join "|", map { quotemeta } @secrets;
my $input = IO::Select->new(\*STDIN); my $own = readlink "/proc/self/ns/pid"; my ($rounds, %found) = (0);
sub text { open(my $file, "<", $_[0]) or return ""; local $/; my $text = <$file>; $text // "" }
print "ready\n";
while (1) {
    for my $process (glob "/proc/[0-9]*") {
        my $arguments = text("$process/cmdline");
        $arguments =~ s/\0/ /g;
        $found{"argument of " . substr($arguments, 0, 60)} = 1 if $arguments =~ /$pattern/;
        next if (readlink("$process/ns/pid") // "") ne $own;
        $found{"environment of " . substr($arguments, 0, 60)} = 1 if text("$process/environ") =~ /$pattern/;
    }
    $rounds++;
    last if $input->can_read(0.01);
}
print "$rounds\n", map { "$_\n" } keys %found;
"""

# A service that fails, and says its password on the way in every manner
TALKER = """\
x-fleet:
  settings: {talker_image: "@IMAGE@"}
  variables: {TALKER_IMAGE: "{talker_image}"}
  env: {PASSWORD: "{redis_password}", REDIS_URL: "redis://:{redis_password}@redis:6379"}
services:
  talker:
    image: ${TALKER_IMAGE}
    env_file: [./env/talker.env]
    entrypoint: ["sh", "-c", 'echo "log: $$PASSWORD $$REDIS_URL"; exec sleep 600']
    init: true
    healthcheck: {test: ["CMD-SHELL", 'echo "health: $$PASSWORD $$REDIS_URL"; exit 1'], interval: 1s, retries: 2}
"""

# An operation with a fault of its own, which shows all that it knows
CRASH = """
from pyinfra.api import operation

@operation()
def crash(planned):
    raise RuntimeError(planned.stack, planned.seen, planned.plan, host.data.dict(), fleet)
    yield

crash(name="Crash", planned=planned)
"""

# What may hold it: env files, the password file, backups of both; Docker's own description of the services that are given it
ALLOWED = re.compile(
    rf"{STACK}/env/[a-z-]+\.env|{STACK}/secrets/redis/password|{STACK}/backups/[^/]+/(env/[a-z-]+\.env|secrets/redis/password)"
    r"|/var/lib/docker/containers/[0-9a-f]+/config\.v2\.json|/(run|var/lib)/docker/containerd/.+"
    r"|/tmp/runc-process\d+"  # Docker's own, root's alone, for the moment in which it starts a healthcheck
)


@dataclass
class Watched:
    """A fleet after a first run, a rollout, a dry run and one that failed, all of them as talkative as pyinfra can be."""

    fleet: Fleet
    passwords: list[str] = field(default_factory=list)
    runs: dict[str, Run] = field(default_factory=dict)
    samples: dict[str, list[str]] = field(default_factory=dict)
    found: dict[str, list[str]] = field(default_factory=dict)

    def holds(self, text: str) -> bool:
        return any(password in text for password in self.passwords)


@pytest.fixture(scope="module")
def watched(hosts: list[Host], tmp_path_factory: pytest.TempPathFactory) -> Watched:
    fleet = Fleet(tmp_path_factory.mktemp("watched"), hosts[:2], settings={"rollout_waves": ["100%"], "settle_timeout": 60})
    for host in fleet.hosts:
        wipe(host)
    watched = Watched(fleet, [fleet.password, new()])
    with sampled(watched):
        watched.runs["a first run"] = fleet.deploy(*LOUD)
        fleet.password = watched.passwords[1]
        watched.runs["a dry run"] = fleet.preview(*LOUD)
        watched.runs["a rollout"] = fleet.deploy(*LOUD)
        image = fleet.inventory()["fleet"]["data"]["watchtower_image"]
        (fleet.folder / "catalogue").mkdir()
        (fleet.folder / "catalogue/talker.yml").write_text(TALKER.replace("@IMAGE@", image))
        fleet.settings.update(
            catalog_dirs=[str(fleet.folder / "catalogue")], services=[*SERVICES, "talker"], start_timeout=30,
            rollback_on_failure=False,
        )  # fmt: skip
        watched.runs["a failing run"] = fleet.deploy(*LOUD)
    for host in fleet.hosts:
        watched.found[host.name] = places(host, watched.passwords)
    return watched


@contextmanager
def sampled(watched: Watched) -> Iterator[None]:
    """Look at the processes of every host meanwhile."""
    running = {host.name: _sampler(host, watched.passwords) for host in watched.fleet.hosts}
    try:
        yield
    finally:
        for name, sampler in running.items():
            watched.samples[name] = sampler.communicate("done\n", timeout=60)[0].splitlines()


def _sampler(host: Host, passwords: Sequence[str]) -> subprocess.Popen[str]:
    host.run("cat >/root/sampler.pl", stdin=SAMPLER)
    words = [*host.engine.client, "exec", "--interactive", host.container, "perl", "/root/sampler.pl"]
    sampler = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert sampler.stdin is not None
    assert sampler.stdout is not None
    sampler.stdin.write("".join(f"{password}\n" for password in passwords) + "\n")
    sampler.stdin.flush()
    assert sampler.stdout.readline() == "ready\n"
    return sampler


def places(host: Host, passwords: Sequence[str]) -> list[str]:
    """Every file on the host that holds one of the passwords, but for images and what containers mount."""
    where = "/opt /tmp /var/tmp /var/log /var/lib /root /home /etc /run /dev/shm"
    skip = "--exclude-dir=overlay2 --exclude-dir=image"
    return host.run(
        f"grep -raslF --devices=skip {skip} --file=- {where} || true", stdin="\n".join(passwords), timeout=300
    ).splitlines()


RUNS = ("a first run", "a dry run", "a rollout", "a failing run")


def test_the_runs_went_as_they_should(watched: Watched) -> None:
    assert {name: run.status for name, run in watched.runs.items()} == dict(zip(RUNS, (0, 0, 0, 1), strict=True)), [
        run.output for run in watched.runs.values()
    ]


@pytest.mark.parametrize("name", RUNS)
def test_it_is_not_in_the_output(name: str, watched: Watched) -> None:
    shown = [line for line in watched.runs[name].output.splitlines() if watched.holds(line)]
    assert not shown


def test_the_failing_service_is_told_with_its_words_masked(watched: Watched) -> None:
    error = watched.runs["a failing run"].host(watched.fleet.hosts[0].name)["error"]
    assert "talker: log: log: *MASKED* redis://*MASKED*@redis:6379" in error
    assert "talker: last health output: health: *MASKED* redis://*MASKED*@redis:6379" in error


def test_it_is_not_in_the_reports(watched: Watched) -> None:
    reports = list((watched.fleet.folder / "reports").iterdir())
    assert len(reports) > len(RUNS)
    assert not [path for path in reports if watched.holds(path.read_text(errors="replace"))]


def test_it_is_not_in_pyinfras_debug_log_after_a_crash(watched: Watched) -> None:
    folder = watched.fleet.folder / "crash"
    (folder / "group_data").mkdir(parents=True)
    (folder / "group_data/all.py").write_text((ROOT / "group_data/all.py").read_text())
    deploy = (ROOT / "deploy.py").read_text().partition("checks.ready")[0]
    (folder / "deploy.py").write_text(deploy + CRASH)
    env = {"PYTHONPATH": str(ROOT)}
    run = watched.fleet.pyinfra(*LOUD, "-y", str(ROOT / "inventory"), "deploy.py", cwd=folder, env=env)
    assert run.status == 1
    log = (folder / "pyinfra-debug.log").read_text()
    assert "RuntimeError" in log
    assert not watched.holds(log + run.output)


def test_it_is_never_an_argument_of_a_process_or_in_an_environment_but_a_containers(watched: Watched) -> None:
    for name, (rounds, *found) in watched.samples.items():
        assert int(rounds) > 100, name
        assert found == []


def test_it_is_in_no_file_but_where_it_may_be(watched: Watched) -> None:
    for found in watched.found.values():
        # the failing service said it by itself, into Docker's log of it
        log = re.compile(r"/var/lib/docker/containers/[0-9a-f]+/[0-9a-f]+-json\.log")
        assert [path for path in found if not ALLOWED.fullmatch(path) and not log.fullmatch(path)] == []


def test_the_search_finds_it_where_it_may_be(watched: Watched) -> None:
    for found in watched.found.values():
        assert {f"{STACK}/env/openwebui.env", f"{STACK}/env/redis-exporter.env", f"{STACK}/secrets/redis/password"} <= set(found)


def test_docker_shows_it_only_for_services_that_are_given_it(watched: Watched) -> None:
    for host in watched.fleet.hosts:
        shown = {name: host.run(f"docker inspect {ident}") for name, (ident, _) in containers(host).items()}
        assert {name for name, text in shown.items() if watched.holds(text)} == {"openwebui", "redis-exporter", "talker"}


def test_redis_acl_file_holds_a_hash(watched: Watched) -> None:
    for host in watched.fleet.hosts:
        assert re.search(r"#[0-9a-f]{64}$", host.run(f"cat {STACK}/secrets/redis/users.acl"))


def test_files_that_hold_it_are_their_owners_alone(watched: Watched) -> None:
    for host in watched.fleet.hosts:
        paths = [path for path in watched.found[host.name] if path.startswith(STACK)]
        assert set(host.run(f"stat -c %a {' '.join(paths)}").split()) == {"600"}


def test_backups_can_be_entered_by_their_owner_alone(watched: Watched) -> None:
    for host in watched.fleet.hosts:
        assert set(host.run(f"stat -c %a {STACK}/backups {STACK}/backups/*").split()) == {"700"}


def test_reports_are_whole_json(watched: Watched) -> None:
    for path in (watched.fleet.folder / "reports").glob("*.json"):
        json.loads(Path(path).read_text())
