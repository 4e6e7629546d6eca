"""Lines of env files: what is written is what Compose and python-dotenv read, or it is refused; and no error shows a value."""

from __future__ import annotations

import io
import json
import random
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from dotenv import dotenv_values
from hypothesis import given, settings
from hypothesis import strategies as st

from operations.controller.files import put_list
from operations.stack.env_file import KEY_RULE, EnvValueError, line
from operations.stack.files import EnvFile
from tests.unit.env_texts import MANAGED, NASTY, EnvText, carried, env_texts, managed_lines, values
from tests.unit.stubs import StubHost

VALUES = [
    "", " ", "a b", " lead", "trail ", "\ttabs\t", "a#b", "a #b", "#x", "é#é", "=", "a=b", "ü", "\U0001f600", "\u00a0", "\u2028",
    "'", '"', "a'b", 'a"b', "''", '""', "'quoted'", '"quoted"', "it's \"so\"",
    "$", "a$b", "$HOME", "${X}", "$$", "a'b$c", '"$HOME"', "`date`", "$(date)",
    "\\", "a\\b", "a\\", "\\\\", "\\'", '\\"', "\\\\'", "\\n", "\\t", "\\x41", "\\0101", "C:\\new folder\\", "a\\ b\\\\'c\"",
    "\x01", "\x1b[0m", "\x7f", "export A", "A=1", "redis://:p%40ss@redis:6379/0",
]  # fmt: skip
REFUSED = ["a\nb", "a\rb", "a\0b", "\n", "\r\n", "$\\'", "${X}\\'", "$\\\\", "a$b\\", "\ud800", "a\udfffb"]


def read(text: str) -> dict[str, str | None]:
    """What python-dotenv reads from an env file."""
    return dotenv_values(stream=io.StringIO(text, newline=""), interpolate=False)


def env_text(wanted: Mapping[str, str]) -> str:
    """An env file that sets these values, between lines of somebody else."""
    lines = ["# it's a test", "BEFORE='1'", *(line(key, value) for key, value in wanted.items()), 'AFTER="2"', ""]
    return "\n".join(lines)


def numbered(values: list[str]) -> dict[str, str]:
    return {f"V_{number}": value for number, value in enumerate(values)}


# What is written


@pytest.mark.parametrize("value", VALUES)
def test_python_dotenv_reads_back_what_was_meant(value: str) -> None:
    assert read(env_text({"KEY": value})) == {"BEFORE": "1", "KEY": value, "AFTER": "2"}


@given(values)
def test_python_dotenv_reads_back_any_text_or_it_is_refused_unseen(value: str) -> None:
    if carried(value):
        assert read(env_text({"KEY": value, "KEY_2": value})) == {"BEFORE": "1", "KEY": value, "KEY_2": value, "AFTER": "2"}
        return
    with pytest.raises(EnvValueError) as caught:
        line("KEY", value)
    assert value not in str(caught.value)


@given(values.filter(lambda value: "$" not in value or "\\" not in value))
def test_nothing_is_refused_that_both_can_read(value: str) -> None:
    assert carried(value)


@given(values.filter(carried))
def test_a_value_is_one_line(value: str) -> None:
    assert not set(line("KEY", value)) & set("\n\r\0")


@pytest.mark.parametrize("value", ["redis", "", "redis://:a-b_c@redis:6379/0", "10%", "a,b+c", "compose.yml:compose.d/redis.yml"])
def test_a_plain_value_is_written_as_it_stands(value: str) -> None:
    assert line("KEY", value) == f"KEY={value}"


# What is refused


@pytest.mark.parametrize("value", REFUSED)
def test_a_value_that_no_line_can_carry_is_refused_and_not_shown(value: str) -> None:
    with pytest.raises(EnvValueError) as caught:
        line("KEY", f"secret{value}")
    assert "secret" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("a\nb", "line break"),
        ("a\r\nb", "a line break and a carriage return"),
        ("\0", "NUL"),
        ("\ud800", "Unicode"),
        ("$\\'", "backslash"),
    ],
)
def test_the_refusal_says_what_stands_in_the_way(value: str, said: str) -> None:
    with pytest.raises(EnvValueError, match=said):
        line("KEY", value)


@pytest.mark.parametrize("key", ["A", "a", "_", "_A1", "REDIS_URL"])
def test_a_name_of_letters_digits_and_underscores_is_taken(key: str) -> None:
    assert KEY_RULE.fullmatch(key)
    assert read(line(key, "x")) == {key: "x"}


@pytest.mark.parametrize("key", ["", "1A", "A B", "A-B", "A.B", "A=B", "A\n", "\nA", "Ä", "A#", "export A", "'A'", "$A", "A:"])
def test_another_name_is_refused(key: str) -> None:
    with pytest.raises(EnvValueError, match="is no name"):
        line(key, "x")


# The real Compose


def compose_reads(
    compose: list[str], folder: Path, services: Mapping[str, Mapping[str, object]]
) -> dict[str, dict[str, str | None]]:
    """The environment of each service, as Compose resolves it."""
    project = {"services": {name: {"image": "x", **service} for name, service in services.items()}}
    (folder / "compose.yml").write_text(json.dumps(project))
    words = ["--project-directory", str(folder), "--file", str(folder / "compose.yml"), "config", "--format", "json"]
    done = subprocess.run(
        [*compose, *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder)},
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)["services"]
    return {name: {key: _undoubled(value) for key, value in found[name].get("environment", {}).items()} for name in services}


def _undoubled(value: str | None) -> str | None:
    # `config` prints a project that can be read again, so it doubles each `$`
    return None if value is None else value.replace("$$", "$")


def test_compose_reads_back_what_was_meant(compose_bin: list[str], tmp_path: Path) -> None:
    chance = random.Random(20250829)
    drawn = ("".join(chance.choices(NASTY, k=chance.randrange(1, 12))) for _ in range(1000))
    wanted = numbered([*VALUES, *filter(carried, drawn)])
    assert len(wanted) > 900
    (tmp_path / "x.env").write_bytes(env_text(wanted).encode())
    (tmp_path / ".env").write_bytes(env_text(wanted).encode())
    found = compose_reads(compose_bin, tmp_path, {
        "of-env-file": {"env_file": ["x.env"]},
        "of-dotenv": {"environment": {key: f"${{{key}}}" for key in wanted}},
    })  # fmt: skip
    assert found["of-env-file"] == {"BEFORE": "1", **wanted, "AFTER": "2"}
    assert found["of-dotenv"] == wanted


@settings(max_examples=3, deadline=None)
@given(drawn=st.lists(st.tuples(env_texts, managed_lines), min_size=40, max_size=40))
def test_compose_reads_an_edited_file_as_before_but_for_the_managed_keys(
    compose_bin: list[str], tmp_path_factory: pytest.TempPathFactory, drawn: list[tuple[EnvText, dict[str, str]]]
) -> None:
    host = StubHost(tmp_path_factory.mktemp("host"))
    files = {f"s{number}": EnvFile(f"env/s{number}.env", "0600", lines) for number, (_, lines) in enumerate(drawn)}
    for file, (text, _) in zip(files.values(), drawn, strict=True):
        # without a last line break Compose takes a name that stands alone there for a value
        host.write(file.path, "").write_bytes(str(replace(text, ends_with_one=True)).encode())
    services = {name: {"env_file": [file.path]} for name, file in files.items()}
    before = compose_reads(compose_bin, host.root, services)
    assert host.script("files/put", root=str(host.root), files=put_list(files.values())).returncode == 0
    after = compose_reads(compose_bin, host.root, services)
    for name, file in files.items():
        others = {key: value for key, value in before[name].items() if key not in MANAGED}
        assert after[name] == others | read("\n".join(file.lines.values()))
