"""client.sh, tls.sh and certificate.sh with a redis that wants TLS: whom they trust with a password, and what they tell it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from operations.controller.authority import Authority
from operations.controller.files import put_list
from operations.services.redis.facts import Certificate, Redis
from operations.services.redis.seen import SeenCertificate, SeenRedis
from operations.stack.certificate import Certificate as Known
from operations.stack.files import File
from operations.stack.snapshot import UNKNOWN, Unknown
from tests.unit.redis_server import RedisServer, running
from tests.unit.stack.hosts import sha256
from tests.unit.stubs import StubHost

PASSWORD = "Marker_Password-0123456789"
CA, PEM, CONF = "secrets/redis/ca.crt", "secrets/redis/server.pem", "secrets/redis/tls.conf"


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    made = Authority(tmp_path_factory.mktemp("tls"))
    made.make()
    return made


def known(fleet: Authority, *names: str) -> Known:
    return fleet.certificate("-".join(names), "redis", names)


@pytest.fixture
def host(tmp_path: Path, fleet: Authority) -> StubHost:
    """One that trusts the fleet's authority."""
    host = StubHost(tmp_path)
    host.write("secrets/redis/password", f"{PASSWORD}\n")
    host.write(CA, known(fleet, "redis").trusted)
    host.write(PEM, known(fleet, "redis").pem)
    return host


@pytest.fixture
def redis(host: StubHost) -> Iterator[RedisServer]:
    with running(RedisServer(PASSWORD, certificate=host.root / PEM), host) as server:
        yield server


def look(host: StubHost, at: str | None = None) -> SeenRedis | Unknown:
    fact = Redis()
    return fact.process(
        host.command(fact.command(str(host.root), "erni-ki", at=at, ca=CA, secure=at is not None)).stdout.splitlines()
    )


def shown(host: StubHost, trusted: str, at: str | None = None) -> SeenCertificate | Unknown:
    fact = Certificate()
    return fact.process(host.command(fact.command(str(host.root), "erni-ki", trusted, at=at)).stdout.splitlines())


def tell(host: StubHost, content: str, back: str = "") -> subprocess.CompletedProcess[str]:
    """Redis gets another certificate, and another configuration."""
    files = put_list([File(CONF, "0600", "port 0\n"), *([] if back else [File(PEM, "0600", content)])])
    changes = ["tls-cert-file /run/redis-auth/server.pem", "port 0"]
    where = {"root": str(host.root), "project": "erni-ki", "server": "redis", "ca": CA, "password_file": "secrets/redis/password"}
    return host.script("services/redis/tls", **where, users=["default"], files=files, certificate=PEM, back=back, changes=changes)


def test_a_redis_that_wants_tls_is_asked_with_it(host: StubHost, redis: RedisServer) -> None:
    found = look(host)
    assert found is not UNKNOWN
    assert (found.login, found.directory) == ("PONG", "/data")


def test_one_that_is_not_the_one_that_is_meant_is_told_no_password(host: StubHost, fleet: Authority, tmp_path: Path) -> None:
    stranger = Authority(tmp_path / "other")
    stranger.make()
    for pem in (known(fleet, "other").pem, stranger.certificate("erni-1", "redis", ("redis",)).pem):
        host.write(PEM, pem)
        with running(RedisServer(PASSWORD, certificate=host.root / PEM), host) as server:
            assert look(host) is UNKNOWN
        assert server.commands == []


def test_another_hosts_redis_proves_itself_by_its_address_and_never_goes_without_tls(host: StubHost, fleet: Authority) -> None:
    with running(RedisServer(PASSWORD)) as plain:
        assert look(host, f"{plain.address}:6379") is UNKNOWN
    assert plain.commands == []
    host.write(PEM, known(fleet, "redis").pem)
    server = RedisServer(PASSWORD, certificate=host.root / PEM)
    assert server.context
    with running(server):
        assert look(host, f"{server.address}:6380") is UNKNOWN
        assert server.commands == []
        host.write(PEM, known(fleet, "redis", server.address).pem)
        server.context.load_cert_chain(host.root / PEM)
        found = look(host, f"{server.address}:6380")
    assert found is not UNKNOWN
    assert found.login == "PONG"


def test_it_is_seen_what_redis_proves_itself_with_and_whether_clients_will_trust_that(
    host: StubHost, redis: RedisServer, fleet: Authority, tmp_path: Path
) -> None:
    mine = known(fleet, "redis")
    found = shown(host, mine.trusted)
    assert found == SeenCertificate(mine.digest, mine.until, "0 (ok)")
    other = Authority(tmp_path / "other")
    other.make()
    without = shown(host, other.certificate("erni-1", "redis", ()).trusted)
    assert without is not UNKNOWN
    assert (without.digest, without.trusted) == (mine.digest, False)
    assert redis.commands == []


def test_without_openssl_that_is_said(host: StubHost, fleet: Authority) -> None:
    host.without("openssl")
    assert shown(host, known(fleet, "redis").trusted) == SeenCertificate(lacking=True)


def test_it_takes_another_certificate_and_keeps_the_previous_one_for_the_way_back(host: StubHost, redis: RedisServer) -> None:
    redis.says["CONFIG SET"] = "+OK"
    before = (host.root / PEM).read_text()
    done = tell(host, "another\n")
    assert done.returncode == 0, done.stderr
    assert (host.root / PEM).read_text() == "another\n"
    assert (host.root / CONF).read_text() == "port 0\n"
    assert [words for words in redis.commands if words[0] == "CONFIG"] == [
        ["CONFIG", "SET", "tls-cert-file", "/run/redis-auth/server.pem"], ["CONFIG", "SET", "port", "0"],
    ]  # fmt: skip
    assert (host.root / f"{PEM}.previous").stat().st_mode & 0o077 == 0
    assert tell(host, "", back=sha256("something else")).returncode == 0
    assert (host.root / PEM).read_text() == "another\n"
    assert tell(host, "", back=sha256("another\n")).returncode == 0
    assert (host.root / PEM).read_text() == before


def test_one_that_it_does_not_take_is_not_kept(host: StubHost, redis: RedisServer) -> None:
    redis.says["CONFIG SET TLS"] = "-ERR CONFIG SET failed - Unable to update TLS configuration. Check server logs."
    redis.says["CONFIG SET PORT"] = "+OK"
    before = (host.root / PEM).read_text()
    done = tell(host, "another\n")
    assert done.returncode == 1
    assert 'it answered "-ERR CONFIG SET failed - Unable to update TLS configuration. Check server logs."' in done.stderr
    assert (host.root / PEM).read_text() == before
