"""logs/read, machine/literals, metrics/read and machine/seen: what the checks look at besides, and that no password is among it."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from operations.facts.logs import Logs
from operations.facts.machine import Literals, Machine, Metrics
from operations.services.redis.credential import RedisAcl
from operations.stack.snapshot import UNKNOWN, SeenLiteral, SeenLog, SeenMachine
from tests.unit.dockers_api import a_container, docker_answers
from tests.unit.stubs import StubHost

PASSWORD = "Marker_Password-0123456789"


@pytest.fixture
def host(tmp_path: Path) -> StubHost:
    host = StubHost(tmp_path)
    host.write("secrets/redis/password", f"{PASSWORD}\n")
    return host


# logs/read

Lines = Sequence[tuple[int, str]]  # seconds ago, text


def at(seconds: int) -> str:
    """A time that many seconds ago, as Docker writes it."""
    return f"{datetime.now(timezone.utc) - timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S}.123456789Z"


def docker_logs(
    host: StubHost, services: Mapping[str, Lines], started: int = 3000, terminal: bool = False, state: str = "running"
) -> None:
    """Docker's API tells of these services, which were started so many seconds ago, and hands out their logs."""
    containers = [a_container(name, state=state) for name in services]
    logs = {f"id-of-{name}": b"".join(entry(at(ago), text, terminal) for ago, text in lines) for name, lines in services.items()}
    docker_answers(host, *containers, logs=logs, state={"Status": state, "StartedAt": at(started)})


def entry(time: str, text: str | bytes, terminal: bool = False) -> bytes:
    """A line of a log as Docker's API tells it; a long one in pieces."""
    if terminal:
        return f"{time} ".encode() + _bytes(text) + b"\r\n"
    told, rest = b"", _bytes(text) + b"\n"
    while rest:
        piece, rest = f"{time} ".encode() + rest[:BUFFER], rest[BUFFER:]
        told += bytes([1, 0, 0, 0]) + len(piece).to_bytes(4, "big") + piece
    return told


BUFFER = 16384  # of Docker


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode()


def complaints(host: StubHost, window: int = 300, harmless: str = "") -> Mapping[str, SeenLog]:
    fact = Logs()
    done = host.command(fact.command(str(host.root), "erni-ki", window, RedisAcl.refused, harmless))
    assert done.stderr == ""
    assert PASSWORD not in done.stdout
    found = fact.process(done.stdout.splitlines())
    assert found is not UNKNOWN
    return found


@pytest.mark.parametrize("terminal", [False, True], ids=["a pipe's", "a terminal's"])
def test_the_last_error_lines_of_each_service_are_told(host: StubHost, terminal: bool) -> None:
    web = [(100, "all is well"), (90, "ERROR one"), (80, "redis.exceptions.ConnectionError: two"), (70, "level=info three")]
    docker_logs(host, {"web": web, "redis": [(50, "# FATAL four")], "db": []}, terminal=terminal)
    assert complaints(host) == {
        "web": SeenLog(0, ("ERROR one", "redis.exceptions.ConnectionError: two")),
        "redis": SeenLog(0, ("# FATAL four",)),
        "db": SeenLog(0, ()),
    }


@pytest.mark.parametrize("length", [10, 256, 266, 2560, 2570, 300])
def test_a_line_of_any_length_is_read_from_its_start(host: StubHost, length: int) -> None:
    # Docker tells the length in bytes, of which one may look like a line break
    text = "ERROR ".ljust(length - len(f"{at(1)} \n"), "x") if length > 40 else "ERROR"
    docker_logs(host, {"web": [(100, text), (90, "ERROR after it")]})
    (log,) = complaints(host).values()
    assert log.errors == (text[:300], "ERROR after it")


def test_only_errors_of_the_window_are_told_and_no_more_than_twenty(host: StubHost) -> None:
    docker_logs(host, {"web": [(400, "ERROR old"), *((200 - number, f"ERROR {number}") for number in range(30))]})
    assert complaints(host)["web"].errors == tuple(f"ERROR {number}" for number in range(10, 30))
    assert complaints(host, window=500)["web"].errors[-1] == "ERROR 29"
    assert complaints(host, window=60)["web"].errors == ()


def test_refused_logins_are_counted_since_the_start_of_the_service(host: StubHost) -> None:
    refused = "redis.exceptions.AuthenticationError: invalid username-password pair"
    docker_logs(host, {"web": [(4000, refused), (2000, refused), (1000, "WRONGPASS no"), (900, "NOAUTH no"), (10, "fine")]})
    assert complaints(host)["web"] == SeenLog(3, ())


def test_lines_that_are_harmless_do_not_count(host: StubHost) -> None:
    docker_logs(host, {"web": [(100, "ERROR a known one"), (90, "ERROR a new one"), (80, "ERROR of litellm")]})
    assert complaints(host, harmless="known|litellm$")["web"].errors == ("ERROR a new one",)


def test_what_was_logged_while_a_service_had_just_started_does_not_count(host: StubHost) -> None:
    docker_logs(host, {"web": [(100, "ERROR at the start"), (90, "ERROR later")]}, started=101)
    assert complaints(host)["web"].errors == ("ERROR later",)


def test_a_service_that_ends_again_and_again_has_always_just_started_and_is_heard_all_the_same(host: StubHost) -> None:
    docker_logs(host, {"web": [(2, "ValueError: at the start")]}, started=3, state="restarting")
    assert complaints(host)["web"].errors == ("ValueError: at the start",)


def test_no_secret_of_a_log_leaves_the_host(host: StubHost) -> None:
    host.write("env/web.env", "OPENAI_API_KEY=sk-of-somebody\n")
    lines = [(9, f"ERROR with {PASSWORD}"), (8, "ERROR redis://:another-one@redis:6379"), (7, "ERROR sk-of-somebody")]
    docker_logs(host, {"web": lines})
    assert complaints(host)["web"].errors == ("ERROR with *MASKED*", "ERROR redis://*MASKED*@redis:6379", "ERROR *MASKED*")


SECRETS = """
export EXPORTED_TOKEN=of-somebody-1
  SPACED_SECRET = of-somebody-2
COMMENTED_KEY=of-somebody-3 # a note
QUOTED_CREDENTIALS="of somebody-4" # a note
SINGLE_AUTH='of-somebody\\'s-5'
DB_PWD=of-somebody-6
PGPASSWORD=of-somebody-7
pass: of-somebody-8
URL=postgres://me:of/some@body-9@db:5432/x
LINE_PASS=##fleet:text
PLAIN=harmless
"""


@pytest.mark.parametrize("path", ["env/web.env", ".env"])
def test_other_peoples_secrets_are_masked_in_their_usual_forms(host: StubHost, path: str) -> None:
    host.write(path, SECRETS)
    said = [f"of-somebody-{number}" for number in (1, 2, 3, 6, 7, 8)] + [
        "of somebody-4",
        "of-somebody\\'s-5",
        "of-somebody's-5",
        "of/some@body-9",
    ]
    docker_logs(host, {"web": [(9, f"ERROR <{text}>") for text in [*said, PASSWORD, "harmless"]]})
    assert complaints(host)["web"].errors == (*["ERROR <*MASKED*>"] * (len(said) + 1), "ERROR <harmless>")


@pytest.mark.parametrize("path", ["secrets/web", "secrets/web/key", "secrets/redis/password"])
def test_what_lies_among_the_secrets_is_masked_also_as_it_is_written_elsewhere(host: StubHost, path: str) -> None:
    secret = "a secret/with+signs?>~"
    host.write(path, f"first line\n{secret}\n")
    quoted, basic = quote(secret, safe=""), base64.b64encode(f"user:{secret}:x".encode()).decode()
    forms = [secret, quoted, *(base64.b64encode(f"{'x' * before}{secret}".encode()).decode() for before in range(6)), basic]
    docker_logs(host, {"web": [(9, f"ERROR {text}") for text in forms]})
    for told in complaints(host)["web"].errors:
        assert "*MASKED*" in told
        # of the encoding, what mixes the secret with its neighbours
        assert len(told.replace("*MASKED*", "")) <= len("ERROR ") + 12


@pytest.mark.parametrize("form", [
    lambda text: quote(text, safe="").lower(), lambda text: json.dumps(text)[1:-1],
    lambda text: json.dumps(text)[1:-1].replace("/", "\\/"), lambda text: json.dumps({"password": text}),
])  # fmt: skip
def test_a_secret_is_masked_as_another_program_writes_it(host: StubHost, form: Callable[[str], str]) -> None:
    secret = 'sec/ret+of"so\\mebody'
    host.write("secrets/web", f"{secret}\n")
    docker_logs(host, {"web": [(9, f"ERROR {form(secret)}")]})
    (told,) = complaints(host)["web"].errors
    assert "*MASKED*" in told
    assert "mebody" not in told


def test_no_number_of_lines_before_a_secret_switches_the_mask_off(host: StubHost) -> None:
    host.write(".env", "# a line\n" * 5000 + "TOKEN=of-somebody\n")
    docker_logs(host, {"web": [(9, "ERROR of-somebody")]})
    assert complaints(host)["web"].errors == ("ERROR *MASKED*",)


@pytest.mark.parametrize("line", [
    "POSTGRES_PASSWORD: of-somebody", "- POSTGRES_PASSWORD=of-somebody", "- 'POSTGRES_PASSWORD=of-somebody'",
    'API_KEY: "of-somebody"', '"API_KEY": of-somebody # a note', '- "API_KEY=of-somebody"',
])  # fmt: skip
@pytest.mark.parametrize("path", ["compose.yml", "docker-compose.override.yaml"])
def test_what_a_compose_file_calls_a_secret_is_masked(host: StubHost, path: str, line: str) -> None:
    host.write(path, f"services:\n  db:\n    environment:\n      {line}\n")
    docker_logs(host, {"web": [(9, "ERROR of-somebody else")]})
    assert complaints(host)["web"].errors == ("ERROR *MASKED* else",)


@pytest.mark.parametrize("text", [
    "postgres://me:pa/ss@word@db", "redis://:p@redis", "amqp://a:b:c@d@host/x", "see 'http://u:p/q@h' there",
])  # fmt: skip
def test_a_password_in_a_url_is_masked_to_its_last_sign(host: StubHost, text: str) -> None:
    docker_logs(host, {"web": [(9, f"ERROR {text}")]})
    (told,) = complaints(host)["web"].errors
    assert re.search(r"://\*MASKED\*@(db|redis|host/x|h' there)$", told)


@pytest.mark.parametrize("before", [*range(270, 300, 7), 299, 300])
def test_a_secret_across_the_end_of_what_is_told_is_masked_first(host: StubHost, before: int) -> None:
    docker_logs(host, {"web": [(9, "ERROR ".ljust(before, "x") + PASSWORD)]})
    (told,) = complaints(host)["web"].errors
    assert told == ("ERROR ".ljust(before, "x") + "*MASKED*")[:300]


def test_a_secret_with_escape_sequences_in_it_is_masked_all_the_same(host: StubHost) -> None:
    docker_logs(host, {"web": [(9, f"ERROR {PASSWORD[:9]}\x1b[0m{PASSWORD[9:]} \x1b]52;c;eA==\x07\x1b]0;t\x1b\\end\x08\x0b")]})
    assert complaints(host)["web"].errors == ("ERROR *MASKED* end",)


def test_colours_and_tabs_of_a_log_are_taken_out(host: StubHost) -> None:
    docker_logs(host, {"web": [(9, "\x1b[31mERROR\x1b[0m a\tb")]})
    assert complaints(host)["web"].errors == ("ERROR a b",)


def test_a_project_without_containers_has_no_logs(host: StubHost) -> None:
    docker_logs(host, {})
    assert complaints(host) == {}


def test_a_docker_that_does_not_answer_tells_no_logs(host: StubHost) -> None:
    host.stub("curl", "exit 7")
    fact = Logs()
    assert fact.process(host.command(fact.command(str(host.root), "erni-ki")).stdout.splitlines()) is UNKNOWN


# machine/literals

OF_REDIS: dict[str, Any] = {
    "passwords": ["secrets/redis/password"], "in_env": RedisAcl.in_env, "in_files": RedisAcl.in_files,
}  # fmt: skip


def literals(host: StubHost, **files: str) -> list[int]:
    """The lines of compose.yml on which a password is written out."""
    host.write("compose.yml", files["base"])
    fact = Literals()
    done = host.command(fact.command(str(host.root), ["compose.yml", "compose.d/none.yml"], **OF_REDIS))
    assert done.stderr == ""
    assert PASSWORD not in done.stdout
    found = fact.process(done.stdout.splitlines())
    assert found is not UNKNOWN
    assert {one.path for one in found} <= {"compose.yml"}
    return [one.line for one in found]


@pytest.mark.parametrize(
    "line",
    [
        f"command: something {PASSWORD}",
        "command: redis-server --requirepass secret-of-somebody",
        "command: redis-server --requirepass=secret",
        "command: redis-server --requirepass 'secret of somebody'",
        'command: ["redis-server", "--requirepass", "secret"]',
        "REDIS_URL: redis://:secret@redis:6379/0",
        "- DATABASE_URL=postgres://user:secret@db/x",
        "REDIS_PASSWORD: secret",
        "- POSTGRES_PASSWORD=secret",
        'MYSQL_ROOT_PASSWORD: "secret"',
        "GF_SECURITY_ADMIN_PASSWORD: 'secret'",
        "REDIS_PASSWORD: !override secret",
        "REDIS_PASSWORD: !!str secret",
        "REDIS_PASSWORD: nullify",
        "REDIS_PASSWORD: 'null'",
        "{REDIS_PASSWORD: null, DB_PASSWORD: secret}",
        "- POSTGRES_PASSWORD=!secret",
        "- POSTGRES_PASSWORD=null",
        f"# it is {PASSWORD}",
    ],
)
def test_a_password_that_is_written_out_is_found(host: StubHost, line: str) -> None:
    assert literals(host, base=f"services:\n  {line}\n  image: x\n") == [2]


@pytest.mark.parametrize(
    ("base", "found"),
    [
        ("include:\n  - ./parts/redis.yml\n", {"parts/redis.yml"}),
        ("include: [parts/redis.yml, parts/web.yaml]\n", {"parts/redis.yml", "parts/web.yaml"}),
        ("include:\n  - path: ['parts/redis.yml', \"parts/none.yml\"]\n", {"parts/redis.yml"}),
        ("include:\n- parts/redis.yml\nservices:\n  web:\n    volumes: [./parts/web.yaml:/x.yaml]\n", {"parts/redis.yml"}),
        ("services:\n  web:\n    extends:\n      service: web\n      file: parts/web.yaml\n", {"parts/web.yaml"}),
        ("services:\n  web:\n    extends: {file: parts/web.yaml, service: web}\n", {"parts/web.yaml"}),
        ("services:\n  web: {image: x}\nconfigs:\n  a:\n    file: parts/web.yaml\n", set()),
    ],
)
def test_files_that_are_included_or_extended_are_looked_through(host: StubHost, base: str, found: set[str]) -> None:
    host.write("compose.yml", base)
    for name in ("parts/redis.yml", "parts/web.yaml"):
        host.write(name, "services:\n  web:\n    command: --requirepass secret\n")
    fact = Literals()
    done = host.command(fact.command(str(host.root), ["compose.yml"], **OF_REDIS))
    assert done.stderr == ""
    assert fact.process(done.stdout.splitlines()) == tuple(SeenLiteral(path, 3, previous=True) for path in sorted(found))


def test_what_is_named_and_is_no_file_is_passed_over(host: StubHost) -> None:
    host.write("compose.yml", "include: [a.yml, b.yml, c.yml, compose.yml, d.yml]\n")
    (host.root / "a.yml").mkdir()
    (host.root / "parts/.a").mkdir(parents=True)
    os.mkfifo(host.root / "b.yml")
    (host.root / "c.yml").symlink_to("nowhere")
    host.write("d.yml", "include:\n  - parts/e.yml\n")
    host.write("parts/e.yml", f"include: [../d.yml, .a/../../compose.yml, ../parts/.a/../e.yml]\nx: {PASSWORD}\n")
    fact = Literals()
    done = host.command(fact.command(str(host.root), ["compose.yml"], **OF_REDIS), timeout=20)
    assert fact.process(done.stdout.splitlines()) == (SeenLiteral("parts/e.yml", 2),)


def test_included_files_are_named_from_the_file_that_names_them(host: StubHost) -> None:
    host.write("compose/base.yml", "include: [redis.yml]\n")
    host.write("compose/redis.yml", f"x: {PASSWORD}\n")
    fact = Literals()
    done = host.command(fact.command(str(host.root), ["compose/base.yml"], **OF_REDIS))
    assert fact.process(done.stdout.splitlines()) == (SeenLiteral("compose/redis.yml", 1),)


@pytest.mark.parametrize(
    "line",
    [
        "command: redis-server --requirepass $REDIS_PASSWORD",
        "command: redis-server --requirepass ${REDIS_PASSWORD}",
        'command: ["redis-server", "--requirepass", "$REDIS_PASSWORD"]',
        'command: sh -c "redis-server --requirepass \\"$$REDIS_PASSWORD\\""',
        "REDIS_URL: redis://:${REDIS_PASSWORD}@redis:6379/0",
        "REDIS_URL: redis://redis:6379/0",
        "POSTGRES_PASSWORD: ${DB_PASSWORD}",
        'POSTGRES_PASSWORD: "${DB_PASSWORD:-}"',
        "POSTGRES_PASSWORD: ${DB_PASSWORD:?must be set}",
        "POSTGRES_PASSWORD_FILE: /run/secrets/db",
        "- MYSQL_ROOT_PASSWORD_FILE=/run/secrets/db",
        "URL: redis://:${REDIS_PASSWORD:?must be set}@redis",
        "- POSTGRES_PASSWORD",
        "- POSTGRES_PASSWORD=",
        "REDIS_PASSWORD: !reset null",
        "REDIS_PASSWORD: !reset []",
        "REDIS_PASSWORD: !reset",
        'REDIS_PASSWORD: !reset ""',
        "REDIS_PASSWORD: !override ${DB_PASSWORD}",
        "REDIS_PASSWORD: null",
        "REDIS_PASSWORD: ~",
        "REDIS_PASSWORD:   null   # nothing",
        'PASSWORD_RESET_ENABLED: "true"',
        "- PASSWORD_LOGIN=false",
        "environment: {REDIS_PASSWORD: !reset null, A: b, DB_PASSWORD: null}",
        "# --requirepass secret, as one should not",
        "image: registry:5000/web@sha256:abc",
        'test: ["CMD", "curl", "http://localhost:8080/health"]',
        "labels: {a: user@example.com}",
    ],
)
def test_what_is_no_password_is_not(host: StubHost, line: str) -> None:
    assert literals(host, base=f"services:\n  {line}\n") == []


@pytest.mark.parametrize(
    ("line", "previous"),
    [
        ("command: redis-server --requirepass secret-of-before", True),
        ("command: redis-server --requirepass 'secret of before'", True),
        ("command: redis-server --requirepass=secret", True),
        ('test: ["CMD-SHELL", "redis-cli -h redis -a secret ping | grep PONG"]', True),
        ("REDIS_URL: redis://:secret@redis:6379/0", True),
        ("- VALKEY_URL=valkeys://user:se/cr@et@redis:6379/0", True),
        ("REDIS_PASSWORD: secret", True),
        ("- CACHE_REDIS_PASSWORD='secret'", True),
        (f"REDIS_PASSWORD: {PASSWORD}", False),
        (f"command: redis-server --requirepass {PASSWORD}", False),
        (f"{{REDIS_PASSWORD: secret, OTHER_REDIS_PASSWORD: {PASSWORD}}}", False),
        ("POSTGRES_PASSWORD: secret", False),
        ("DATABASE_URL: postgres://user:secret@db/x", False),
        ("{REDIS_PASSWORD: secret, DB_PASSWORD: secret}", False),
        ("{DATABASE_URL: 'postgres://user:secret@db/x', REDIS_URL: 'redis://:secret@redis/0'}", False),
        ("command: sh -c 'redis-cli -a secret ping; DB_PASSWORD=secret redis-cli -a secret ping'", False),
    ],
)
def test_a_line_with_nothing_but_another_password_of_a_credential_is_told_apart(host: StubHost, line: str, previous: bool) -> None:
    host.write("compose.yml", f"services:\n  {line}\n")
    fact = Literals()
    done = host.command(fact.command(str(host.root), ["compose.yml"], **OF_REDIS))
    assert fact.process(done.stdout.splitlines()) == (SeenLiteral("compose.yml", 2, previous),)


@pytest.mark.parametrize(
    ("line", "previous"),
    [
        ("CACHE_REDIS_PASSWORD=secret", True),
        ("CACHE_URL=redis://:secret@redis:6379/0", True),
        (f"CACHE_URL=redis://:{PASSWORD}@redis:6379/0", False),
        (f"CACHE_REDIS_PASSWORD='{PASSWORD}'", False),
    ],
)
def test_so_is_one_of_an_env_file(host: StubHost, line: str, previous: bool) -> None:
    host.write("env/cache.env", f"A=b\n{line}\n")
    fact = Literals()
    done = host.command(fact.command(str(host.root), ["compose.yml"], **OF_REDIS))
    assert PASSWORD not in done.stdout
    assert fact.process(done.stdout.splitlines()) == (SeenLiteral("env/cache.env", 2, previous),)


def test_without_a_password_file_all_else_is_still_found(host: StubHost) -> None:
    (host.root / "secrets/redis/password").unlink()
    assert literals(host, base=f"a: {PASSWORD}\nb: redis://:secret@redis\n") == [2]


def test_an_empty_password_file_is_not_found_everywhere(host: StubHost) -> None:
    host.write("secrets/redis/password", "\n")
    assert literals(host, base="a: b\nc: d\n") == []


def test_no_file_of_the_catalogue_writes_a_password_out(host: StubHost) -> None:
    folder = Path(__file__).parents[3] / "operations" / "services"
    for path in sorted(folder.glob("*/*.yml")):
        assert literals(host, base=path.read_text()) == [], path.name


# metrics/read

HOSTILE_WORDS = ["a b", "it's", '"x"', "$(touch x)", "`touch x`", "a;touch x", "-x", "--help", "a\\nb", "*", "a=b", "/etc/passwd"]

PAGE = """# HELP redis_up Information
# TYPE redis_up gauge
redis_up 1
redis_upper 2
redis_errors_total{err="WRONG PASS"} 3
redis_errors_total{err="NOAUTH"} 4
redis_memory_used_bytes 1.572864e+06
"""


def metrics(host: StubHost, *names: str, url: str = "http://127.0.0.1:9121/metrics", patience: int = 0) -> object:
    fact = Metrics()
    return fact.process(host.command(fact.command(url, names, patience)).stdout.splitlines())


def test_metrics_are_found_by_their_whole_names_with_all_labels(host: StubHost) -> None:
    host.stub("curl", f"cat <<'EOF'\n{PAGE}EOF")
    assert metrics(host, "redis_up", "redis_errors_total", "no_such", "redis_memory_used_bytes") == {
        "redis_up": 1.0,
        'redis_errors_total{err="WRONG PASS"}': 3.0,
        'redis_errors_total{err="NOAUTH"}': 4.0,
        "redis_memory_used_bytes": 1_572_864.0,
    }


@pytest.mark.parametrize("name", [*HOSTILE_WORDS, "[a-z]*", "redis_u?", "redis_up 1", "# TYPE", "redis"])
def test_a_hostile_name_is_no_pattern_and_no_code(host: StubHost, name: str) -> None:
    host.stub("curl", f"cat <<'EOF'\n{PAGE}EOF")
    assert metrics(host, name) == {}
    assert host.nothing_was_executed()


def test_a_page_is_fetched_once_in_bounded_time_whatever_its_address(host: StubHost) -> None:
    host.stub("curl", f"cat <<'EOF'\n{PAGE}EOF")
    metrics(host, "redis_up", "redis_upper", url="http://[::1]:9121/a?b={c}", patience=3)
    (words,) = host.calls("curl")
    assert words[words.index("--max-time") + 1].isdigit()
    assert words[-3:] == ["--globoff", "--", "http://[::1]:9121/a?b={c}"]


def test_a_page_that_is_not_there_yet_is_asked_for_again(host: StubHost) -> None:
    host.stub("curl", f"[ -e ready ] && cat <<'EOF'\n{PAGE}EOF\n: >ready")
    assert metrics(host, "redis_up", patience=3) == {"redis_up": 1.0}


def test_a_page_without_end_costs_a_moment_and_little_memory(host: StubHost) -> None:
    host.stub("curl", "exec tr '\\0' x </dev/zero")
    host.stub("awk", f'ulimit -v 300000; exec {shutil.which("awk")} "$@"')
    assert metrics(host, "redis_up") == {}
    host.stub("curl", f"printf '%s' '{PAGE}'; exec tr '\\0' x </dev/zero")
    assert metrics(host, "redis_up") == {"redis_up": 1.0}


def test_a_page_that_cannot_be_read_has_no_metrics(host: StubHost) -> None:
    host.stub("curl", "exit 22")
    assert metrics(host, "redis_up") == {}


# machine/seen


def machine(host: StubHost, root: Path | str) -> SeenMachine:
    fact = Machine()
    done = host.command(fact.command(str(root)))
    assert done.stderr == ""
    found = fact.process(done.stdout.splitlines())
    assert found is not UNKNOWN
    return found


def test_the_clock_and_the_free_space_of_this_machine_are_told(host: StubHost) -> None:
    found = machine(host, host.root)
    assert abs(found.ahead) < 5
    assert abs(found.time - time.time()) < 10
    free = shutil.disk_usage(host.root).free
    assert any(abs(told - free) < 500_000_000 for told in found.free.values())


@pytest.mark.parametrize("below", ["not/there/yet", "", "a b/$(touch x)/it's"])
def test_a_folder_that_is_not_there_yet_will_lie_where_its_parent_is(host: StubHost, below: str) -> None:
    assert machine(host, host.root / below).free.keys() == machine(host, host.root).free.keys()
    assert host.nothing_was_executed()


def test_a_folder_below_the_root_that_is_not_there_yet_lies_there(host: StubHost) -> None:
    assert "/" in machine(host, "/no-such-folder/at-all").free


def test_a_disk_that_cannot_be_asked_is_unknown(host: StubHost) -> None:
    host.stub("df", "exit 1")
    fact = Machine()
    assert fact.process(host.command(fact.command(str(host.root))).stdout.splitlines()) is UNKNOWN
