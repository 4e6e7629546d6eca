"""ask.sh and set_users.sh: what they say to redis, in which order, and what they make of its answers.

redis is a server of the test's own. That the real one takes these words and answers like this is shown in the lab.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from operations.services.redis.facts import Redis, TriedRedis
from operations.services.redis.seen import SeenRedis
from operations.stack.snapshot import UNKNOWN, Unknown
from tests.unit.dockers_api import a_container, docker_answers
from tests.unit.redis_server import CLOSE, HANG, NOAUTH, NOPERM, WRONGPASS, RedisServer, running
from tests.unit.stack.hosts import sha256, shared_acl
from tests.unit.stubs import StubHost

PASSWORD = "Marker_Password-0123456789"
FORMER = "Former_Password-9876543210"
PROGRAMS = ("cat", "cmp", "cut", "date", "find", "flock", "grep", "head", "sleep", "sort", "tail", "timeout", "tr")


@pytest.fixture
def host(tmp_path: Path) -> StubHost:
    host = StubHost(tmp_path)
    host.write("secrets/redis/password", f"{PASSWORD}\n")
    return host


@pytest.fixture
def redis(host: StubHost) -> Iterator[RedisServer]:
    """redis runs and accepts the password."""
    with running(RedisServer(PASSWORD), host) as server:
        yield server


def look(host: StubHost, address: str | None = None) -> SeenRedis | Unknown:
    """What the fact makes of redis."""
    fact = Redis()
    command = fact.command(str(host.root), "erni-ki", at=address)
    return fact.process(host.command(command).stdout.splitlines())


def the_answers(host: StubHost, address: str | None = None) -> SeenRedis:
    found = look(host, address)
    assert found is not UNKNOWN
    return found


def where(host: StubHost, users: Sequence[str] = ("default",)) -> dict[str, str | Sequence[str]]:
    root = str(host.root)
    return {"root": root, "project": "erni-ki", "server": "redis", "users": users, "password_file": "secrets/redis/password"}


ACL = "secrets/redis/users.acl"


def load(host: StubHost, *proof: str) -> subprocess.CompletedProcess[str]:
    """redis takes what users.acl says; with "retired" nothing else, and the previous password must be refused afterwards."""
    file = host.root / ACL
    lines = file.read_text().splitlines() if file.exists() else [f"user default on #{sha256(PASSWORD)}"]
    return told(host, [line.removeprefix("user ").replace(" ", " reset ", 1) for line in lines], bool(proof))


def told(
    host: StubHost, changes: list[str], only: bool = False, restart: bool = True, users: Sequence[str] = ("default",)
) -> subprocess.CompletedProcess[str]:
    """redis takes these changes, beside what it accepts or alone."""
    proof = {"only": only, "retired": only, "restart": restart}
    return host.script("services/redis/set_users", **where(host, users), changes=changes, **proof)


def ask(host: StubHost) -> subprocess.CompletedProcess[str]:
    return host.script("services/redis/ask", **where(host), at="", dry=[])


def watch(host: StubHost) -> None:
    """Every program of the scripts is noted with its words and its environment."""
    for name in PROGRAMS:
        host.stub(name, f'exec {shutil.which(name)} "$@"')


def quicker(host: StubHost) -> None:
    """The time that redis is given is up sooner."""
    host.stub("timeout", f'[ "$1" != 5 ] || {{ shift; set -- 0.3 "$@"; }}; exec {shutil.which("timeout")} "$@"')


# ask.sh


def test_redis_is_asked_first_without_and_then_with_the_password(host: StubHost, redis: RedisServer) -> None:
    assert the_answers(host).login == "PONG"
    (asked,) = redis.asked
    assert asked[:5] == [
        ["PING"], ["AUTH", PASSWORD], ["PING"], ["CONFIG", "GET", "dir"], ["ACL", "LIST"],
    ]  # fmt: skip
    assert asked[-1] == ["QUIT"]
    assert [words[0] for words in asked].count("AUTH") == 1


def test_what_redis_answers_is_told(host: StubHost, redis: RedisServer) -> None:
    found = the_answers(host)
    assert (found.anonymous, found.login, found.directory, found.denied) == (NOAUTH[1:], "PONG", "/data", "")
    assert found.users == {"default": (sha256(PASSWORD),)}


def test_only_a_running_redis_of_this_project_is_asked(host: StubHost, redis: RedisServer) -> None:
    web, exited = a_container("web", networks={"a": "127.0.0.1"}), a_container(state="exited", networks={"a": "127.0.0.2"})
    docker_answers(host, web, exited, a_container(networks={"a": redis.address}))
    assert the_answers(host).login == "PONG"
    (words,) = host.calls("curl")
    assert 'filters={"label":["com.docker.compose.project=erni-ki","com.docker.compose.oneoff=False"]}' in words
    assert words[words.index("--unix-socket") + 1] == "/var/run/docker.sock"
    assert "--fail" in words


def test_another_hosts_redis_is_asked_at_its_own_address(host: StubHost) -> None:
    with running(RedisServer(PASSWORD)) as other:
        host.stub("curl", "exit 1")
        assert the_answers(host, f"{other.address}:6379").login == "PONG"
        assert host.calls("curl") == []


def test_a_password_that_redis_refuses_is_told_with_its_words(host: StubHost) -> None:
    with running(RedisServer(FORMER), host):
        found = the_answers(host)
    assert (found.anonymous, found.login, found.users) == (NOAUTH[1:], WRONGPASS[1:], {})


def test_a_redis_that_does_not_let_its_acl_be_told_says_so(host: StubHost, redis: RedisServer) -> None:
    redis.says["ACL LIST"] = NOPERM
    found = the_answers(host)
    assert (found.login, found.users, found.denied) == ("PONG", {}, NOPERM[1:])


@pytest.mark.parametrize("password", [PASSWORD, "with blanks and 'quotes'", "$(touch x)`touch x`", "*3", "ü-and-€", "%s\\n", "-"])
def test_whatever_the_password_it_arrives_as_it_is(host: StubHost, password: str) -> None:
    host.write("secrets/redis/password", f"{password}\n")
    with running(RedisServer(password), host) as server:
        assert the_answers(host).login == "PONG"
    assert server.commands[1] == ["AUTH", password]
    assert host.nothing_was_executed()


def test_a_host_without_a_password_file_asks_with_an_empty_one(host: StubHost, redis: RedisServer) -> None:
    (host.root / "secrets" / "redis" / "password").unlink()
    assert the_answers(host).login == WRONGPASS[1:]
    assert redis.commands[1] == ["AUTH", ""]


def test_without_a_running_redis_there_is_no_answer(host: StubHost) -> None:
    docker_answers(host)
    assert look(host) is UNKNOWN
    assert ask(host).returncode != 0


def test_a_redis_without_an_address_of_its_own_is_no_answer(host: StubHost) -> None:
    docker_answers(host, a_container("redis", networks={"host": ""}))
    assert look(host) is UNKNOWN


def test_a_docker_that_does_not_answer_is_no_answer(host: StubHost) -> None:
    host.stub("curl", "exit 7")
    assert look(host) is UNKNOWN


@pytest.mark.parametrize("text", ['"IPAddress":"127.0.0.9"', 'x"IPAddress":"127.0.0.9"', '\\"IPAddress":"127.0.0.9'])
def test_the_password_goes_to_no_address_that_a_command_or_a_label_names(host: StubHost, redis: RedisServer, text: str) -> None:
    labels = {"note": text, text: text, "IPAddress": "127.0.0.9", "NetworkSettings": text}
    docker_answers(host, a_container("redis", command=text, labels=labels, networks={"a": redis.address}))
    assert the_answers(host).login == "PONG"


def test_a_refused_connection_is_no_answer(host: StubHost) -> None:
    docker_answers(host, a_container("redis", networks={"a": "127.255.255.254"}))
    done = ask(host)
    assert (done.returncode != 0, done.stdout) == (True, "")
    assert PASSWORD not in done.stderr
    assert look(host) is UNKNOWN


def test_a_redis_that_says_nothing_is_no_answer_after_a_while(host: StubHost, redis: RedisServer) -> None:
    quicker(host)
    redis.says["PING"] = HANG
    before = time.monotonic()
    assert look(host) is UNKNOWN
    assert time.monotonic() - before < 8


def test_a_redis_that_takes_no_connection_is_no_answer_after_a_while(host: StubHost) -> None:
    # the listener's queue is full, so the kernel leaves a further connection without an answer
    quicker(host)
    with running(RedisServer(PASSWORD)) as server:
        address = server.address
    with socket.create_server((address, 6379), backlog=0) as full, socket.socket() as first, socket.socket() as second:
        for client in (first, second):
            client.setblocking(False)
            client.connect_ex(full.getsockname())
        docker_answers(host, a_container("redis", networks={"a": address}))
        before = time.monotonic()
        assert look(host) is UNKNOWN
        assert time.monotonic() - before < 8


@pytest.mark.parametrize("command", ["AUTH", "CONFIG", "ACL"])
@pytest.mark.parametrize("end", [HANG, CLOSE])
def test_a_redis_that_falls_silent_is_never_taken_for_one_that_is_well(
    host: StubHost, redis: RedisServer, command: str, end: str
) -> None:
    quicker(host)
    redis.says[command] = end
    found = the_answers(host)
    assert (found.login == "PONG") == (command != "AUTH")
    assert (found.directory, found.users) == ("/data" if command == "ACL" else "", {})


def test_a_hanging_redis_is_given_five_seconds(host: StubHost, redis: RedisServer) -> None:
    host.stub("timeout", f'exec {shutil.which("timeout")} "$@"')
    look(host)
    assert [words[:2] for words in host.calls("timeout")] == [["5", "bash"]]


@pytest.mark.parametrize("asking", ["ask", "set_users"])
def test_the_password_is_in_no_argv_and_no_environment(host: StubHost, redis: RedisServer, asking: str) -> None:
    watch(host)
    host.write("backups/20260101T000000Z/secrets/redis/password", f"{FORMER}\n")
    done = ask(host) if asking == "ask" else load(host, "retired")
    assert done.returncode == 0, done.stderr
    assert ["AUTH", PASSWORD] in redis.commands
    shown = host.shown_to_processes()
    assert len(host.calls("timeout")) >= 1
    for secret in (PASSWORD, FORMER):
        assert secret not in shown + done.stdout + done.stderr


# set_users.sh


def test_a_running_redis_takes_what_it_should_accept_and_ends_no_connection_for_it(host: StubHost, redis: RedisServer) -> None:
    host.write(ACL, shared_acl(sha256(PASSWORD), sha256("another")))
    done = load(host)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert redis.users == {"default": {sha256(PASSWORD), sha256("another")}}
    changed = [words for words in redis.commands if words[:1] == ["ACL"]]
    assert [words[:4] for words in changed] == [["ACL", "SETUSER", "default", "reset"]]


def test_users_beside_those_that_are_named_stay_until_they_are_retired(host: StubHost, redis: RedisServer) -> None:
    redis.users["app"] = {"x"}
    change = f"operator reset on ~* #{sha256('new')}"
    assert told(host, [change]).returncode == 0
    assert redis.users == {"app": {"x"}, "default": {sha256(PASSWORD)}, "operator": {sha256("new")}}
    host.write("secrets/redis/password", "new\nuser operator\n")
    assert told(host, [change], only=True).returncode == 0
    assert redis.users == {"app": set(), "default": set(), "operator": {sha256("new")}}
    # a connection that is open keeps its rights
    assert [words[3:] for words in redis.commands if words[2:3] in (["app"], ["default"])] == [["off", "resetpass"]] * 2


@pytest.mark.parametrize("name", ["with'quote", 'with"quote', "$(touch x)", "*3", "ü-and-€", "-x", "a\\nb"])
def test_whatever_the_name_of_a_user_that_is_refused_it_is_nobody_else(host: StubHost, redis: RedisServer, name: str) -> None:
    redis.users |= {name: {"x"}}
    assert told(host, [f"default reset on #{sha256(PASSWORD)}"], only=True).returncode == 0
    assert redis.users == {name: set(), "default": {sha256(PASSWORD)}}
    assert host.nothing_was_executed()


def test_the_user_that_the_password_file_names_logs_in(host: StubHost, redis: RedisServer) -> None:
    redis.users = {"default": set(), "operator": {sha256(PASSWORD)}}
    host.write("secrets/redis/password", f"{PASSWORD}\nuser operator\n")
    assert the_answers(host).login == "PONG"
    assert told(host, ["app on #1"]).returncode == 0
    assert {tuple(words) for words in redis.commands if words[0] == "AUTH"} == {("AUTH", "operator", PASSWORD)}


def test_a_file_that_names_a_user_whom_redis_does_not_know_yet_is_no_dead_end(host: StubHost, redis: RedisServer) -> None:
    host.write("secrets/redis/password", "not-yet-accepted\nuser operator\n")
    host.write("env/redis.env", f"REDIS_PASSWORD={PASSWORD}\n")
    found = tried(host)
    assert found is not UNKNOWN
    assert (found.place, found.nowhere) == ("env/redis.env", False)
    assert told(host, [f"operator reset on #{sha256('not-yet-accepted')}"]).returncode == 0
    assert "operator" in redis.users


def test_a_file_that_names_nobody_any_more_is_none_either(host: StubHost, redis: RedisServer) -> None:
    redis.users = {"default": set(), "operator": {sha256(PASSWORD)}}
    fact = TriedRedis()
    command = fact.command(str(host.root), "erni-ki", users=["default", "operator"])
    found = fact.process(host.command(command).stdout.splitlines())
    assert found is not UNKNOWN
    assert (found.place, found.nowhere) == ("secrets/redis/password", False)
    assert told(host, ["app on #1"], users=["default", "operator"]).returncode == 0


def test_what_the_projects_own_no_longer_accepts_need_not_be_refused_again(host: StubHost, redis: RedisServer) -> None:
    redis.users |= {"admin": {sha256(PASSWORD), "old"}, "app": {"old"}}
    changes = ["admin !old", "app !old", "app !older"]
    done = told(host, changes, restart=False, users=["admin"])
    assert (done.returncode, done.stderr) == (0, "")
    assert redis.users == {"default": {sha256(PASSWORD)}, "admin": {sha256(PASSWORD)}, "app": set()}


def test_the_projects_own_is_not_restarted_where_it_does_not_let_itself_be_changed(host: StubHost, redis: RedisServer) -> None:
    redis.says["ACL SETUSER"] = NOPERM
    host.stub("docker")
    done = told(host, ["default #1"], restart=False)
    assert done.returncode == 1
    assert f'it answered "{NOPERM}".' in done.stderr
    assert host.calls("docker") == []


def test_a_docker_that_does_not_answer_does_not_say_that_redis_does_not_run(host: StubHost) -> None:
    host.stub("curl", "exit 28")
    done = load(host)
    assert (done.returncode, done.stdout) == (1, "")
    assert "Docker did not answer" in done.stderr


def test_a_redis_that_does_not_run_reads_it_when_it_starts(host: StubHost) -> None:
    docker_answers(host)
    done = load(host)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("AUTH", WRONGPASS),
        ("ACL SETUSER", "-ERR Error in ACL SETUSER modifier '+x': Unknown command or category name in ACL"),
        ("ACL SETUSER", "-LOADING Redis is loading the dataset in memory"),
    ],
)
def test_a_redis_that_does_not_take_it_fails_with_what_it_says_and_the_way_out(
    host: StubHost, redis: RedisServer, command: str, says: str
) -> None:
    redis.says[command] = says
    host.stub("docker")
    done = load(host)
    assert done.returncode == 1
    assert done.stdout == ""
    told = f'it answered "{says}". Read `docker compose logs redis` in {host.root}'
    assert ("rejects every password" if command == "AUTH" else told) in done.stderr
    assert PASSWORD not in done.stderr
    assert host.calls("docker") == []


@pytest.mark.parametrize("place", ["env/redis.env", "secrets/redis_password.txt"])
def test_a_redis_that_somebody_else_started_accepts_both(host: StubHost, place: str) -> None:
    host.write(place, f"REDIS_PASSWORD={FORMER}\n" if place.endswith(".env") else f"{FORMER}\n")
    host.write("secrets/redis/users.acl", shared_acl(sha256(FORMER), sha256(PASSWORD)))
    with running(RedisServer(FORMER), host) as redis:
        done = load(host)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert redis.hashes == {sha256(FORMER), sha256(PASSWORD)}


def test_a_redis_that_wants_no_password_goes_on_without_until_it_is_started_with_the_file(host: StubHost) -> None:
    host.write(ACL, shared_acl(sha256(PASSWORD)))
    with running(RedisServer(), host) as redis:
        redis.says["AUTH"] = "-ERR AUTH <password> called without any password configured for the default user."
        redis.says["CONFIG GET ACLFILE"] = "*2\r\n$7\r\naclfile\r\n$0\r\n"
        done = load(host)
        assert (done.returncode, done.stderr) == (0, "")
        assert redis.hashes == set()
        redis.says.pop("CONFIG GET ACLFILE")
        assert load(host).returncode == 0
        assert redis.hashes == {sha256(PASSWORD)}


def test_a_redis_that_somebody_else_started_and_whose_password_is_nowhere_fails(host: StubHost) -> None:
    host.write("secrets/redis/users.acl", shared_acl(sha256(PASSWORD)))
    with running(RedisServer(FORMER), host) as redis:
        done = load(host)
        assert (done.returncode, done.stdout) == (1, "")
        assert redis.hashes == {sha256(FORMER)}
    assert "rejects every password found on this host" in done.stderr


@pytest.mark.parametrize("end", [HANG, CLOSE])
@pytest.mark.parametrize("command", ["AUTH", "ACL SETUSER", "QUIT"])
def test_a_redis_that_falls_silent_before_the_end_did_not_read_it(
    host: StubHost, redis: RedisServer, command: str, end: str
) -> None:
    quicker(host)
    redis.says[command] = end
    assert load(host).returncode == 1


def test_a_redis_that_cannot_be_reached_did_not_read_it(host: StubHost) -> None:
    docker_answers(host, a_container("redis", networks={"a": "127.255.255.254"}))
    done = load(host)
    assert done.returncode == 1
    assert "redis did not answer, so it was not told what to accept" in done.stderr


# set_users.sh where redis does not let its users be changed


@pytest.fixture
def strict(host: StubHost, redis: RedisServer) -> RedisServer:
    """redis refuses ACL SETUSER; restarted by docker, it reads its file and is away for a moment."""
    redis.says["ACL SETUSER"] = NOPERM
    redis.acl_file = host.write("secrets/redis/users.acl", shared_acl(sha256(PASSWORD)))
    host.stub("docker", 'case $1 in ps) echo id-of-redis ;; restart) echo "$4"; touch "$HOME/restarted" ;; esac')

    def started() -> None:
        if (host.home / "restarted").exists() and redis.acl_file:
            redis.says.pop("PING", None)
            redis.restart()

    redis.on["PING"] = started
    redis.on["AUTH"] = started
    return redis


def test_a_redis_that_does_not_let_its_acl_be_changed_is_restarted_and_the_time_told(host: StubHost, strict: RedisServer) -> None:
    done = load(host)
    assert (done.returncode, done.stderr) == (0, "")
    told = "restarted redis, which does not let its ACL be changed: away for "
    assert done.stdout.startswith(told)
    number, unit = done.stdout.removeprefix(told).split()
    assert unit == "ms"
    assert 0 < int(number) < 20_000


def test_only_the_container_of_redis_is_restarted_and_given_the_time_to_save(host: StubHost, strict: RedisServer) -> None:
    load(host)
    assert host.calls("docker") == [["restart", "--time", "30", "id-of-redis"]]


def test_it_is_awaited_until_it_wants_a_password_again(host: StubHost, strict: RedisServer) -> None:
    waits = iter(range(3))

    def starting() -> None:
        if (host.home / "restarted").exists():
            strict.says["PING"] = NOAUTH if next(waits, None) is None else "-LOADING Redis is loading the dataset in memory"

    strict.on["PING"] = starting
    assert load(host).returncode == 0
    assert [words for words in strict.commands if words == ["PING"]] == [["PING"]] * 5


def test_a_restart_that_fails_fails(host: StubHost, strict: RedisServer) -> None:
    host.stub("docker", "[ $1 != restart ] || exit 1; echo id-of-redis")
    done = load(host)
    assert done.returncode == 1
    assert done.stdout == ""


# set_users.sh and the proof that the former password is refused


def backed_up(host: StubHost, **backups: str) -> None:
    """Backups, by the day of their time: the password that each holds."""
    for day, password in backups.items():
        host.write(f"backups/202601{day[1:]}T000000Z/secrets/redis/password", f"{password}\n")


def test_the_former_password_is_tried_and_must_be_refused(host: StubHost, redis: RedisServer) -> None:
    backed_up(host, d01=FORMER)
    done = load(host, "retired")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert redis.asked[-1] == [["AUTH", FORMER], ["PING"], ["QUIT"]]


def test_a_former_password_that_is_still_accepted_fails(host: StubHost, redis: RedisServer) -> None:
    backed_up(host, d01=FORMER)
    redis.on["AUTH"] = lambda: redis.hashes.add(sha256(FORMER))
    done = load(host, "retired")
    assert done.returncode == 1
    assert "redis still accepts the previous password" in done.stderr
    assert "backups/20260101T000000Z/secrets/redis/password" in done.stderr
    assert FORMER not in done.stdout + done.stderr


@pytest.mark.parametrize("says", ["+OK", HANG, CLOSE, "-LOADING Redis is loading the dataset in memory"])
def test_what_is_no_refusal_is_no_proof(host: StubHost, redis: RedisServer, says: str) -> None:
    quicker(host)
    backed_up(host, d01=FORMER)

    def loaded() -> None:
        redis.says["AUTH"] = says

    redis.on["ACL SETUSER"] = loaded
    assert load(host, "retired").returncode == 1


def test_the_newest_backup_with_a_password_counts(host: StubHost, redis: RedisServer) -> None:
    backed_up(host, d01="an-older-one", d02=FORMER)
    host.write("backups/20260103T000000Z/secrets/redis/users.acl", "x")
    assert load(host, "retired").returncode == 0
    assert ["AUTH", FORMER] in redis.commands
    assert ["AUTH", "an-older-one"] not in redis.commands


def test_of_two_backups_of_one_second_the_second_counts(host: StubHost, redis: RedisServer) -> None:
    host.write("backups/20260101T000000Z/secrets/redis/password", "an-older-one\n")
    host.write("backups/20260101T000000Z-2/secrets/redis/password", f"{FORMER}\n")
    assert load(host, "retired").returncode == 0
    assert redis.asked[-1][0] == ["AUTH", FORMER]


def test_half_a_backup_does_not_count(host: StubHost, redis: RedisServer) -> None:
    backed_up(host, d01=FORMER)
    host.write("backups/.partial/secrets/redis/password", "half\n")
    assert load(host, "retired").returncode == 0
    assert redis.asked[-1][0] == ["AUTH", FORMER]


@pytest.mark.parametrize("proof", [[], ["retired"]])
def test_without_another_password_in_a_backup_there_is_nothing_to_prove(
    host: StubHost, redis: RedisServer, proof: list[str]
) -> None:
    assert load(host, *proof).returncode == 0
    backed_up(host, d01=PASSWORD)
    assert load(host, *proof).returncode == 0
    assert {tuple(words) for words in redis.commands if words[0] == "AUTH"} == {("AUTH", PASSWORD)}


def test_while_both_are_accepted_nothing_is_proved(host: StubHost, redis: RedisServer) -> None:
    backed_up(host, d01=FORMER)
    redis.hashes.add(sha256(FORMER))
    assert load(host).returncode == 0
    assert ["AUTH", FORMER] not in redis.commands


def test_a_restarted_redis_must_refuse_it_too(host: StubHost, strict: RedisServer) -> None:
    backed_up(host, d01=FORMER)
    assert load(host, "retired").returncode == 0
    strict.acl_file = host.write("secrets/redis/users.acl", shared_acl(sha256(PASSWORD), sha256(FORMER)))
    (host.home / "restarted").unlink()
    done = load(host, "retired")
    assert done.returncode == 1
    assert "redis still accepts the previous password" in done.stderr


# Whom a password goes to, and which ones


def test_of_two_containers_that_say_they_are_redis_none_is_asked(host: StubHost, redis: RedisServer) -> None:
    docker_answers(host, a_container(networks={"a": redis.address}), a_container(networks={"a": "127.0.0.9"}))
    assert look(host) is UNKNOWN
    assert redis.asked == []


@pytest.mark.parametrize(
    "label", ["com.docker.compose.service/x", "x/com.docker.compose.service", "com.docker.compose.service\n", "service"]
)
def test_a_label_that_only_looks_like_composes_makes_no_redis(host: StubHost, redis: RedisServer, label: str) -> None:
    docker_answers(host, a_container("web", labels={label: "redis"}, networks={"a": redis.address}))
    assert look(host) is UNKNOWN
    assert redis.asked == []


def test_a_container_whose_image_pretends_to_be_composes_is_no_redis(host: StubHost, redis: RedisServer) -> None:
    docker_answers(host, a_container(networks={"a": redis.address}), posing=[f"sha256:{'ab' * 32}"])
    assert look(host) is UNKNOWN
    assert redis.asked == []


def tried(host: StubHost) -> SeenRedis | Unknown:
    fact = TriedRedis()
    return fact.process(host.command(fact.command(str(host.root), "erni-ki")).stdout.splitlines())


def test_only_what_the_files_call_redis_is_tried_on_it(host: StubHost) -> None:
    host.write("secrets/postgres_password.txt", "The_Password_Of_Postgres\n")
    host.write("secrets/app/key", "Some_Key_Of_An_Application\n")
    host.write("env/app.env", "DATABASE_URL=postgres://u:In_A_Database_URL@db/x\nADMIN_PASSWORD=The_Admins\nTOKEN=A_Token\n")
    host.write("compose.yml", "services: {db: {environment: {POSTGRES_PASSWORD: In_The_Compose_File}}}\n")
    host.write("env/cache.env", f"SEARXNG_VALKEY_URL=valkey://:In_A_Valkey_URL@redis/0\nREDIS_URL=redis://:{FORMER}@redis:6379/3\n")
    with running(RedisServer("none-that-is-here"), host) as server:
        found = tried(host)
    assert found is not UNKNOWN
    assert found.nowhere
    offered = {words[-1] for words in server.commands if words[0] == "AUTH"}
    assert offered == {PASSWORD, FORMER, "In_A_Valkey_URL"}


def test_a_file_name_forges_no_answer(host: StubHost) -> None:
    for name in (f"redis\nfound x {'0' * 64}", "redis\tx", "a=b redis", "redis'; touch x; '"):
        host.write(f"secrets/{name}", f"{FORMER}\n")
    with running(RedisServer(FORMER), host):
        found = tried(host)
    assert found is not UNKNOWN
    assert found.users == {"default": (sha256(FORMER),)}
    assert host.nothing_was_executed()


def test_a_redis_that_answers_without_end_is_unknown_soon(host: StubHost, redis: RedisServer) -> None:
    redis.says["PING"] = f"+{'x' * 8_000_000}"
    before = time.monotonic()
    assert look(host) is UNKNOWN
    assert time.monotonic() - before < 8
