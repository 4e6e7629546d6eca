"""images/*: which image has a name, what a registry says, and what is pulled with which login."""

from __future__ import annotations

import json
import stat
from base64 import urlsafe_b64decode
from pathlib import Path

import pytest

from operations.facts.images import Images, Registry
from operations.stack.snapshot import UNKNOWN, SeenImage
from tests.unit.stubs import StubHost

NAME, REPOSITORY = "reg.example:5000/team/app:1", "reg.example:5000/team/app"
DIGEST, ID = (f"sha256:{letter * 64}" for letter in "ab")
CONFIG = json.dumps({"auths": {"reg.example:5000": {"auth": "bWFya2VyLXRva2Vu"}}})
THERE = {"Id": ID, "RepoDigests": [f"{REPOSITORY}@{DIGEST}"], "Created": "2026-11-01T00:00:00Z", "Config": {"Env": ["SECRET=x"]}}
# notes the config that it finds, whoever asks
NOTE_CONFIG = (
    'case $1 in pull) ls -l "${DOCKER_CONFIG:-/nowhere}" >>$HOME/seen; cat "$DOCKER_CONFIG/config.json" >>$HOME/seen ;; esac\n'
)


@pytest.fixture
def host(tmp_path: Path) -> StubHost:
    return StubHost(tmp_path)


def pull(host: StubHost, *lines: str, logins: str = "reg.example:5000") -> tuple[int, str, str]:
    done = host.script("images/pull", root=str(host.root), images=lines, config=CONFIG, logins=logins)
    return done.returncode, done.stdout, done.stderr


def test_it_is_pulled_by_its_digest_and_gets_its_name(host: StubHost) -> None:
    host.stub("docker")
    assert pull(host, f"{NAME} {REPOSITORY} {DIGEST} reg.example:5000") == (0, f"pulled {NAME}\n", "")
    assert host.calls("docker") == [["pull", "--quiet", f"{REPOSITORY}@{DIGEST}"], ["tag", f"{REPOSITORY}@{DIGEST}", NAME]]


def test_the_login_is_a_file_of_the_stack_for_as_long_as_it_is_used(host: StubHost) -> None:
    host.stub("docker", NOTE_CONFIG)
    pull(host, f"{NAME} {REPOSITORY} {DIGEST} reg.example:5000")
    seen = (host.home / "seen").read_text()
    assert CONFIG in seen
    assert "-rw-------" in seen
    assert [path.name for path in host.root.iterdir()] == [".fleet"]
    assert "bWFya2VyLXRva2Vu" not in host.shown_to_processes()
    assert stat.S_IMODE((host.root / ".fleet").stat().st_mode) == 0o700


def test_another_registry_is_asked_with_the_hosts_own_login(host: StubHost) -> None:
    host.stub("docker", NOTE_CONFIG)
    pull(host, f"redis:8 redis {DIGEST} docker.io")
    assert CONFIG not in (host.home / "seen").read_text()


def test_where_one_cannot_be_pulled_no_name_is_changed(host: StubHost) -> None:
    host.stub("docker", 'case "$*" in *other*) echo "manifest unknown"; exit 1 ;; esac\n')
    lines = (f"{NAME} {REPOSITORY} {DIGEST} reg.example:5000", f"other:1 other {DIGEST} docker.io")
    assert pull(host, *lines) == (1, "", "other:1 could not be pulled; no service was touched. Docker says: manifest unknown\n")
    assert [words[0] for words in host.calls("docker")] == ["pull", "pull"]


def test_one_without_a_digest_is_pulled_by_its_name(host: StubHost) -> None:
    host.stub("docker")
    pull(host, f"{NAME} {REPOSITORY} - reg.example:5000")
    assert host.calls("docker") == [["pull", "--quiet", NAME]]


def seen(host: StubHost, *answers: object) -> object:
    host.stub("curl", "".join(f"cat <<'END'\n{json.dumps(one)}\nEND\n" for one in answers))
    fact = Images()
    return fact.process(host.command(fact.command([NAME, "redis:8"])).stdout.splitlines())


def test_the_host_tells_which_image_has_a_name_and_nothing_else_of_it(host: StubHost) -> None:
    found = seen(host, THERE, {"message": "No such image: redis:8"})
    assert found == {NAME: SeenImage(ID, (DIGEST,), "2026-11-01T00:00:00Z"), "redis:8": None}


@pytest.mark.parametrize("answers", [(THERE,), (THERE, {}), (THERE, {**THERE, "Id": "x"}), ("x", "y")], ids=str)
def test_an_answer_that_is_none_is_unknown(host: StubHost, answers: tuple[object, ...]) -> None:
    assert seen(host, *answers) is UNKNOWN


def registry(host: StubHost, answer: str) -> object:
    host.stub("curl", f"cat >>$HOME/asked\ncat <<'END'\n{answer}\nEND\n")
    fact = Registry()
    return fact.process(host.command(fact.command([NAME], {"reg.example:5000": "bWFya2VyLXRva2Vu"})).stdout.splitlines())


def test_a_registry_is_asked_with_a_login_that_no_process_list_shows(host: StubHost) -> None:
    assert registry(host, json.dumps({"Descriptor": {"digest": DIGEST}})) == {NAME: (DIGEST, "no answer")}
    assert (host.home / "asked").read_text() == 'header = "X-Registry-Auth: bWFya2VyLXRva2Vu"\n'
    assert "bWFya2VyLXRva2Vu" not in "".join(map(" ".join, host.calls("curl")))


def test_why_it_has_none_is_told(host: StubHost) -> None:
    assert registry(host, '{"message": "unauthorized:\\u001b[2J no"}') == {NAME: ("", "unauthorized:?[2J no")}


def test_a_registry_that_needs_no_login_of_ours_is_asked_with_the_hosts_own(host: StubHost) -> None:
    (host.home / ".docker").mkdir()
    (host.home / ".docker/config.json").write_text(json.dumps({"auths": {"https://index.docker.io/v1/": {"auth": "dTpw"}}}))
    host.stub("curl", "cat >>$HOME/asked\necho '{}'\n")
    host.command(Registry().command(["redis:8"], {}))
    token = (host.home / "asked").read_text().split()[-1].strip('"')
    assert json.loads(urlsafe_b64decode(token)) == {"username": "u", "password": "p"}
