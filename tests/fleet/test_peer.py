"""What a peer without a password, somebody's image, a file or a log says on a real host changes nothing and reads no secret."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest

from operations.controller.secrets import new
from tests.fleet.fleet import STACK, Fleet, containers, files
from tests.fleet.passwords import accepted, digest
from tests.fleet.wait import until
from tests.lab import Host

INTRUDER = hashlib.sha256(b"intruder").hexdigest()
# what earlier versions took for the frame of an answer, and what a reader of this one's might take for more of it
FORGED = [
    f"\n##fleet:end\n##fleet:text users.acl\nuser default on #{INTRUDER} ~* &* +@all\n##fleet:end\n",
    f'"], "digests": ["{INTRUDER}"], "x": ["',
    f"\n1) 1) flags\n2) 1) on\n3) passwords\n4) 1) {INTRUDER}\n",
    "\x1b]52;c;aW50cnVkZXI=\x07\x1b[2J\r\t\x00\xff",
]
LISTENER = """
import socket
server = socket.create_server(("", 6379))
while True:
    peer, _ = server.accept()
    print("came", peer.recv(4096), flush=True)
    peer.sendall(b"-NOAUTH Authentication required.\\r\\n")
    print("came", peer.recv(4096), flush=True)
    peer.close()
"""


@pytest.fixture
def one(converged: Fleet) -> Fleet:
    """An operator with one host, which is as wanted."""
    return converged.at(converged.hosts[0])


def unchanged(one: Fleet) -> None:
    """A preview and a run find nothing to do, and redis accepts what it did."""
    host = one.hosts[0]
    before = files(host), containers(host)
    for run in (one.preview(), one.deploy()):
        assert (run.ok, run.host(host.name)["status"]) == (True, "ok"), run.output
        assert run.bad_checks(host.name) == []
        assert "\x1b]" not in run.output
    assert (files(host), containers(host)) == before
    assert accepted(host, one.password) == {digest(one.password)}


@pytest.mark.parametrize("name", FORGED)
def test_a_peer_without_a_password_changes_nothing_with_a_name(one: Fleet, name: str) -> None:
    said = name.encode("latin-1")
    packet = b"*3\r\n$4\r\nAUTH\r\n$%d\r\n%s\r\n$1\r\nx\r\n" % (len(said), said)
    octal = "".join(f"\\{byte:03o}" for byte in packet)
    answer = one.hosts[0].run(
        f"""
        ip=$(docker inspect --format '{{{{range .NetworkSettings.Networks}}}}{{{{.IPAddress}}}}{{{{end}}}}' erni-ki-redis-1)
        timeout 5 bash -c 'exec 3<>"/dev/tcp/$0/6379" && printf "$1" >&3 && head -n 1 <&3' "$ip" '{octal}'
        """
    )
    assert answer.startswith("-WRONGPASS")
    unchanged(one)


def test_names_of_files_beside_redis_acl_change_nothing(one: Fleet) -> None:
    host = one.hosts[0]
    folder = f"{STACK}/data/redis"
    host.run(f"cd {folder} && printf x >\"$(printf 'a\\n##fleet:end\\nuser default on #{INTRUDER} ~* +@all')\"")
    try:
        unchanged(one)
    finally:
        host.run(f"find {folder} -name 'a?##fleet*' -delete")


@pytest.fixture
def liar(one: Fleet) -> Iterator[Host]:
    """A container of the project that waits for passwords; its image has a label that looks like Compose's."""
    host = one.hosts[0]
    host.run(
        """
        image=$(docker inspect --format '{{.Image}}' erni-ki-openwebui-1)
        docker create --name liar-base "$image"
        docker commit --change 'LABEL "com.docker.compose.service/x"="redis"' liar-base liar
        docker rm liar-base
        cat >/run/liar.py
        docker run --detach --name liar --network erni-ki_default --volume /run/liar.py:/liar.py --entrypoint python3 \
            --label com.docker.compose.project=erni-ki --label com.docker.compose.oneoff=False liar /liar.py
        """,
        stdin=LISTENER,
    )
    yield host
    host.run("docker rm --force liar; docker rmi liar; rm -f /run/liar.py", check=False)


def test_a_container_that_looks_like_redis_is_told_no_password(one: Fleet, liar: Host) -> None:
    # with a change due, a run asks redis about both passwords
    one.password, former = new(), one.password
    one.preview()
    run = one.deploy()
    assert run.ok, run.output
    assert accepted(liar, one.password) == {digest(one.password)}
    told = liar.run("docker logs liar 2>&1", check=False)
    assert (one.password in told, former in told) == (False, False)


def test_what_lies_in_backups_and_is_not_ours_stays(one: Fleet) -> None:
    host = one.hosts[0]
    theirs = f"{STACK}/backups/20200101T000000Z"
    host.run(f"mkdir -p {theirs} && echo mine >{theirs}/dump.sql")
    one.settings["backup_keep"] = 1
    for _ in range(2):
        one.password = new()
        run = one.deploy()
        assert run.ok, run.output
    assert host.run(f"cat {theirs}/dump.sql; rm -r {theirs}") == "mine\n"


def test_a_log_shows_no_secret_and_moves_no_cursor(one: Fleet) -> None:
    host = one.hosts[0]
    line = f"ERROR \\033]52;c;eA==\\007{'x' * 280} {one.password} \\033[2J"
    host.run(f"docker exec erni-ki-openwebui-1 sh -c 'printf \"$1\\n\" >/proc/1/fd/1' sh '{line}'")
    until(lambda: host.succeeds("docker logs --tail 5 erni-ki-openwebui-1 2>&1 | grep -q xxxx"))
    run = one.preview()
    assert one.password[:12] not in run.output
    assert "\x1b]" not in run.output
    assert "\x1b[2J" not in run.output
