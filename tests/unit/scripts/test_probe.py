"""probe/ask and its fact: what is asked for each kind of declared check, in which words, and what counts as an answer."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from operations.facts.probe import Probe
from operations.stack.probes import probe
from tests.unit.dockers_api import a_container, docker_answers
from tests.unit.stubs import StubHost

HOSTILE_WORDS = ["a b", "it's", '"x"', "$(touch x)", "`touch x`", "a;touch x", "-x", "--help", "a\\nb", "*"]


@pytest.fixture
def host(tmp_path: Path) -> StubHost:
    return StubHost(tmp_path)


def ask(host: StubHost, patience: int = 0, window: int = 300, **check: Any) -> str:
    """The answer to a check as the catalogue declares it."""
    fact = Probe()
    command = fact.command(probe("web", {"id": "a", **check}), "erni-ki", window, patience)
    done = host.command(command)
    assert done.stderr == ""
    return str(fact.process(done.stdout.splitlines()))


def ask_http(host: StubHost, url: str = "http://127.0.0.1:8080/health", patience: int = 0) -> str:
    return ask(host, patience, http=url, status=200)


# http


@pytest.mark.parametrize(("code", "answer"), [("200", "200"), ("503", "503"), ("000", "")])
def test_a_status_is_told_and_no_connection_is_none(host: StubHost, code: str, answer: str) -> None:
    host.stub("curl", f"printf {code}; [ {code} != 000 ] || exit 7")
    assert ask_http(host) == answer


def test_a_probe_is_bounded_in_time(host: StubHost) -> None:
    host.stub("curl")
    url = "http://[::1]:8080/a?b={c}"
    ask_http(host, url)
    (words,) = host.calls("curl")
    assert words[words.index("--max-time") + 1] == "5"
    assert "--globoff" in words
    assert words[-2:] == ["--", url]


@pytest.mark.parametrize("url", HOSTILE_WORDS)
def test_a_hostile_url_is_one_word_and_never_an_option(host: StubHost, url: str) -> None:
    host.stub("curl", "echo 200")
    assert ask_http(host, url) == "200"
    ((*_, before, last),) = host.calls("curl")
    assert (before, last) == ("--", url)
    assert host.nothing_was_executed()


@pytest.mark.parametrize("said", ["20", "2000", "abc", "200\\n##x", "$(touch x)"])
def test_what_is_no_status_is_no_answer(host: StubHost, said: str) -> None:
    host.stub("curl", f"printf '{said}'")
    assert ask_http(host) == ""


# Patience with a service that has just started


def test_a_service_that_does_not_answer_yet_is_asked_again(host: StubHost) -> None:
    host.stub("curl", 'echo x >>"$HOME/count"; [ $(wc -l <"$HOME/count") -lt 3 ] && { echo 000; exit 7; }; echo 200')
    assert ask_http(host, patience=5) == "200"
    assert len(host.calls("curl")) == 3


@pytest.mark.parametrize("answer", ["200", "503"])
def test_any_answer_ends_the_patience(host: StubHost, answer: str) -> None:
    host.stub("curl", f"echo {answer}")
    assert ask_http(host, patience=5) == answer
    assert len(host.calls("curl")) == 1


def test_without_patience_it_is_asked_once(host: StubHost) -> None:
    host.stub("curl", "echo 000; exit 7")
    assert ask_http(host) == ""
    assert len(host.calls("curl")) == 1


def test_patience_comes_to_an_end(host: StubHost) -> None:
    host.stub("curl", "echo 000; exit 7")
    before = time.monotonic()
    assert ask_http(host, patience=1) == ""
    assert time.monotonic() - before < 10
    assert 3 <= len(host.calls("curl")) <= 11


# command and log, in the service's container


def test_a_command_is_run_in_the_services_container_and_its_status_told(host: StubHost) -> None:
    docker_answers(host, a_container("redis"), a_container("web"))
    host.stub("docker", "echo noise; echo noise >&2; exit 3")
    assert ask(host, command=["nginx", "-t", "it's $(touch x)", "two\nlines"], exit=0) == "3"
    assert host.calls("docker") == [["exec", "id-of-web", "nginx", "-t", "it's $(touch x)", "two\nlines"]]
    assert host.nothing_was_executed()


def test_lines_of_the_log_of_the_window_are_counted(host: StubHost) -> None:
    docker_answers(host, a_container("web"))
    host.stub("docker", 'echo "a timed out"; echo fine; echo "b timed out" >&2')
    assert ask(host, window=60, log="(a|b) timed out$") == "2"
    assert host.calls("docker") == [["logs", "--since", "60s", "id-of-web"]]


def test_a_log_that_cannot_be_read_to_its_end_is_no_answer(host: StubHost) -> None:
    docker_answers(host, a_container("web"))
    host.stub("docker", 'echo "a timed out"; exit 1')
    assert ask(host, log="timed out") == ""


@pytest.mark.parametrize("labels", [{"com.docker.compose.service/x": "web"}, {"x": "web"}, {"com.docker.compose.service\n": "web"}])
def test_no_other_container_is_taken_for_the_services(host: StubHost, labels: dict[str, str]) -> None:
    docker_answers(host, a_container("evil", labels=labels), a_container("web", state="exited"))
    host.stub("docker")
    assert ask(host, command=["true"], exit=0) == ""
    assert host.calls("docker") == []


@pytest.mark.parametrize("pattern", ["-x", "--help", "it's", "$(touch x)"])
def test_a_hostile_pattern_is_one_word_and_never_an_option(host: StubHost, pattern: str) -> None:
    docker_answers(host, a_container("web"))
    host.stub("docker", "echo fine")
    assert ask(host, log=pattern) == "0"
    assert host.nothing_was_executed()


@pytest.mark.parametrize("check", [{"command": ["true"], "exit": 0}, {"log": "x"}])
def test_without_a_container_there_is_no_answer(host: StubHost, check: dict[str, Any]) -> None:
    docker_answers(host, a_container("redis"))
    host.stub("docker")
    assert ask(host, **check) == ""


# tcp and websocket, against a real server


@contextlib.contextmanager
def server(serve: Callable[[socket.socket], None], address: str = "127.0.0.1") -> Iterator[str]:
    """A server that does this with its one client; gives host:port as a URL has it."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.create_server((address, 0), family=family) as listener:
        listener.settimeout(10)

        def accept() -> None:
            with contextlib.suppress(OSError):
                client, _ = listener.accept()
                client.settimeout(10)
                with client:
                    serve(client)

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield f"{f'[{address}]' if ':' in address else address}:{listener.getsockname()[1]}"
        finally:
            thread.join()


SWITCHING = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
asked: list[bytes] = []


def frame(text: str) -> bytes:
    return bytes([0x81, len(text)]) + text.encode()


def request(client: socket.socket) -> bytes:
    """What a client asks for, up to the empty line."""
    found = b""
    while not found.endswith(b"\r\n\r\n"):
        found += client.recv(1)
    return found


def socket_io(*answers: bytes, hang: bool = False) -> Callable[[socket.socket], None]:
    """A Socket.IO server that says the first of the answers to the handshake, and the next to what comes after it."""

    def serve(client: socket.socket) -> None:
        asked[:] = [request(client)]
        client.sendall(answers[0])
        if len(answers) > 1:
            asked.append(client.recv(8))
            client.sendall(answers[1])
        if hang:
            client.recv(1)

    return serve


OPEN = SWITCHING + frame('0{"sid":"abc","upgrades":[]}')


def ask_websocket(host: StubHost, serve: Callable[[socket.socket], None], address: str = "127.0.0.1") -> str:
    with server(serve, address) as place:
        return ask(host, websocket=f"http://{place}/ws/socket.io/?EIO=4&transport=websocket")


def test_a_client_that_is_let_in_is_connected(host: StubHost) -> None:
    assert ask_websocket(host, socket_io(OPEN, frame('40{"sid":"def"}'), hang=True)) == "connected"
    head, first = asked
    assert head.startswith(b"GET /ws/socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n")
    for line in (b"Upgrade: websocket", b"Connection: Upgrade", b"Sec-WebSocket-Version: 13"):
        assert line in head.split(b"\r\n")
    # a client's frame is masked; `40` connects to the main namespace
    assert first == b"\x81\x82\x00\x00\x00\x0040"


@pytest.mark.parametrize(
    ("answers", "answer"),
    [
        ((OPEN, frame('44{"message":"no"}')), "opened and refused"),
        ((b'HTTP/1.1 403 Forbidden\r\n\r\n{"detail":"x"}',), "refused with 403"),
        ((b'HTTP/1.1 400 Bad Request\r\n\r\n"Invalid transport"',), "refused with 400"),
        ((b"HTTP/1.1 200 OK\r\n\r\n<html></html>",), "refused with 200"),
        ((b"HTTP/1.1 \x1b[2J Forbidden\r\n\r\n{}",), ""),
        ((b"HTTP/1.1 " + b"9" * 9000,), ""),
        ((b"",), ""),
        ((b"-ERR unknown command\r\n",), ""),
    ],
)
def test_a_client_that_is_not_let_in_is_told_apart(host: StubHost, answers: tuple[bytes, ...], answer: str) -> None:
    assert ask_websocket(host, socket_io(*answers)) == answer


def test_an_ipv6_address_is_understood(host: StubHost) -> None:
    assert ask_websocket(host, socket_io(OPEN, frame('40{"sid":"def"}')), "::1") == "connected"
    with server(lambda client: None, "::1") as place:
        assert ask(host, tcp=place) == "open"


def test_a_port_that_is_open_is_told(host: StubHost) -> None:
    with server(lambda client: None) as place:
        assert ask(host, tcp=place) == "open"


@pytest.mark.parametrize("check", [{"tcp": "127.255.255.254:9"}, {"websocket": "http://127.255.255.254:9/ws"}])
def test_a_port_that_is_closed_is_no_answer(host: StubHost, check: dict[str, Any]) -> None:
    assert ask(host, **check) == ""


@pytest.mark.parametrize("place", ["$(touch x):1", "a b:1", "`touch x`:1", "127.0.0.1:$(touch x)", "-x:1", "nonsense"])
def test_a_hostile_place_is_no_answer(host: StubHost, place: str) -> None:
    assert ask(host, tcp=place) == ""
    assert ask(host, websocket=f"http://{place}/ws") == ""
    assert host.nothing_was_executed()
