"""machine/ports: who listens on this machine."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path

import pytest

from operations.facts.bundle import Bundle, Questions
from operations.facts.machine import Ports
from operations.facts.state import Containers
from operations.stack.ports import Listener
from tests.unit.dockers_api import a_container, docker_answers
from tests.unit.facts.answers import encoded, read
from tests.unit.stubs import StubHost


@pytest.fixture
def host(tmp_path: Path) -> StubHost:
    return StubHost(tmp_path)


@pytest.fixture
def listening() -> socket.socket:
    return socket.create_server(("127.0.0.1", 0))


def asked(host: StubHost, *ports: int) -> tuple[Listener, ...]:
    bundle = Bundle()
    questions = Questions(containers=(Containers, {"project": "erni-ki"}), ports=(Ports, {"ports": ports, "project": "erni-ki"}))
    answers = bundle.process(host.command(bundle.command(questions)).stdout.splitlines())
    return tuple(answers["ports"])  # type: ignore[index]


def test_a_process_that_listens_is_told_with_its_address_and_name(host: StubHost, listening: socket.socket) -> None:
    docker_answers(host)
    port = listening.getsockname()[1]
    (found,) = asked(host, 1, port)
    assert (found.port, found.address, found.process) == (port, "127.0.0.1", os.getpid())
    assert found.name == Path("/proc/self/comm").read_text().strip()


def test_a_port_that_the_projects_own_container_publishes_is_left_out(host: StubHost, listening: socket.socket) -> None:
    port = listening.getsockname()[1]
    own = a_container("web")
    own["Ports"] = [{"IP": "127.0.0.1", "PrivatePort": 80, "PublicPort": port, "Type": "tcp"}]
    docker_answers(host, own)
    assert asked(host, port) == ()


def test_of_our_own_on_an_address_of_version_6_so_it_is(host: StubHost, listening: socket.socket) -> None:
    port = listening.getsockname()[1]
    own = a_container("web")
    own["Ports"] = [{"IP": "::1", "PrivatePort": 80, "PublicPort": port, "Type": "tcp"}]
    docker_answers(host, own)
    assert asked(host, port) == ()


@pytest.mark.parametrize("text", ["web:{}", 'x","1.2.3.4:{}', '1","a",{}]', ':",{}]', '["127.0.0.1",{}]'])
def test_no_name_makes_a_port_one_of_ours(host: StubHost, listening: socket.socket, text: str) -> None:
    port = listening.getsockname()[1]
    said = text.format(port)
    docker_answers(host, a_container("web", mounts=[(f"/{said}", f"/{said}")]) | {"Image": said})
    assert [one.process for one in asked(host, port)] == [os.getpid()]


def test_an_open_file_forges_no_process(host: StubHost, listening: socket.socket, tmp_path: Path) -> None:
    inode = os.fstat(listening.fileno()).st_ino
    named = tmp_path / "x /proc/1/fd" / f"3 -> socket:[{inode}]"
    named.parent.mkdir(parents=True)
    named.touch()
    docker_answers(host)
    sleeper = subprocess.Popen(["sleep", "30"], stdin=named.open())
    try:
        (found,) = asked(host, listening.getsockname()[1])
    finally:
        sleeper.kill()
        sleeper.wait()
    assert found.process == os.getpid()


def test_ports_on_which_nobody_listens_are_not_told(host: StubHost) -> None:
    docker_answers(host)
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    assert asked(host, port) == ()


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("0100007F", "127.0.0.1"),
        ("00000000", "0.0.0.0"),
        ("00000000000000000000000001000000", "::1"),
        ("B80D01200000000067452301EFCDAB89", "2001:db8::123:4567:89ab:cdef"),
    ],
)
def test_addresses_are_read_as_the_kernel_writes_them(address: str, shown: str) -> None:
    assert read(Ports(), f"8080 {address} 7 {encoded('a b')}") == (Listener(8080, shown, 7, "a b"),)
