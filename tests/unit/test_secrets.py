"""Secrets on the controller: where they are found, and that nothing ever shows them."""

from __future__ import annotations

import copy
import json
import pickle
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.controller import secrets
from operations.controller.secrets import Secret, SecretValue, Sources
from operations.stack.errors import SecretError
from operations.stack.fingerprint import fingerprint
from operations.stack.password import plain

VALUE = "correct-horse-battery-staple"
NAME = "REDIS_PASSWORD"


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(NAME, raising=False)
    secrets._run.cache_clear()


def dotenv(text: str | bytes, path: str = ".env", mode: int = 0o600) -> Path:
    file = Path(path)
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    file.chmod(mode)
    return file


def refusal(sources: Sources, name: str = NAME) -> str:
    with pytest.raises(SecretError) as caught:
        sources.resolve(name)
    assert caught.value.__cause__ is None
    return str(caught.value)


# Where a secret comes from


def test_the_environment_comes_first_then_the_file_then_the_command() -> None:
    dotenv(f"{NAME}=from-the-file")
    command = f"echo {NAME}=from-the-command"
    assert Sources({NAME: "from-the-environment"}, None, command).resolve(NAME).unmask() == "from-the-environment"
    assert Sources({}, None, command).resolve(NAME).unmask() == "from-the-file"
    Path(".env").unlink()
    assert Sources({}, None, command).resolve(NAME).unmask() == "from-the-command"


def test_an_empty_value_counts_as_missing() -> None:
    dotenv(f"{NAME}=\n")
    assert Sources({NAME: ""}, None, f"echo {NAME}={VALUE}").resolve(NAME).unmask() == VALUE


def test_the_file_is_read_as_it_stands() -> None:
    dotenv(f"OTHER=x\nexport {NAME}='a$OTHER${{OTHER}}'  # comment\n")
    assert Sources({}).resolve(NAME).unmask() == "a$OTHER${OTHER}"


def test_a_missing_secret_names_every_place_and_the_way_out() -> None:
    message = refusal(Sources({}, None, "echo OTHER=x"))
    for part in (NAME, "the environment", ".env (there is no such file)", "secrets_command", "operations secrets new"):
        assert part in message


def test_a_missing_default_file_is_fine_and_a_missing_named_one_is_not() -> None:
    assert "secrets_file: named.env does not exist" in refusal(Sources({}, Path("named.env"), f"echo {NAME}=x"))


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620, 0o602])
def test_a_file_that_others_can_read_or_change_is_refused(mode: int) -> None:
    dotenv(f"{NAME}={VALUE}", mode=mode)
    message = refusal(Sources({}))
    assert "chmod 600 .env" in message
    assert VALUE not in message


def test_a_file_that_is_not_utf_8_is_refused_without_showing_it() -> None:
    dotenv(NAME.encode() + b"=\xffhunter2")
    message = refusal(Sources({}))
    assert "not UTF-8" in message
    assert "hunter2" not in message


def test_a_folder_in_place_of_the_file_is_a_clear_error() -> None:
    Path(".env").mkdir(mode=0o700)
    assert ".env: cannot be read" in refusal(Sources({}))


@pytest.mark.parametrize("field", ["secrets_file", "secrets_command"])
def test_a_setting_of_the_wrong_type_is_a_clear_error(field: str) -> None:
    given: dict[str, object] = {"secrets_file": None, "secrets_command": None, field: ["x"]}
    with pytest.raises(SecretError, match=f"{field}: is a list, expected text or None"):
        Sources.of(**given)  # type: ignore[arg-type]


# The command


def test_the_command_runs_once_however_many_ask() -> None:
    sources = [Sources({}, None, f"echo run >> runs; echo {NAME}={VALUE}; echo OTHER=x") for _ in range(3)]
    assert {source.resolve(NAME).unmask() for source in sources} == {VALUE}
    assert sources[0].resolve("OTHER").unmask() == "x"
    assert Path("runs").read_text() == "run\n"


def test_a_failing_command_also_runs_once() -> None:
    for _ in range(2):
        refusal(Sources({}, None, "echo run >> runs; exit 3"))
    assert Path("runs").read_text() == "run\n"


def test_nothing_that_a_failing_command_says_is_shown() -> None:
    message = refusal(Sources({}, None, "echo out-hunter2; printf 'err-hunter2\\nmore\\n' >&2; exit 3"))
    assert "exit status 3 and 2 lines" in message
    assert "hunter2" not in message


def test_what_is_no_name_and_value_is_not_shown() -> None:
    message = refusal(Sources({}, None, "echo hunter2"))
    assert "0 NAME=value lines" in message
    assert "hunter2" not in message


@pytest.mark.parametrize("command", ["sleep 600 | cat", "sleep 600 & echo A=b", "cat > /dev/null; sleep 600"])
def test_a_command_that_does_not_end_is_ended_as_a_whole(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "COMMAND_TIMEOUT", 0.2)
    assert "did not end within 0.2 s" in refusal(Sources({}, None, command))


# What is shown of a secret


def test_a_reference_shows_its_name_only_and_a_value_taken_for_a_name_is_not_shown() -> None:
    assert repr(Secret(NAME)) == f"Secret({NAME!r})" == Secret(NAME).to_json()
    assert "hunter2" not in f"{Secret('hunter2')!r} {Secret('hunter2')}"
    assert "hunter2" not in refusal(Sources({}), "hunter2")


def shown(text: str) -> str:
    """A secret with this value in every way in which one is shown."""
    value = SecretValue(text)
    assert value.unmask() == text
    return f"{value} {value!r} {value:>20} {[value]} {Sources({'A': text}, None, text)}" + json.dumps(value.to_json())


@given(st.text(min_size=1))
def test_a_value_is_masked_however_it_is_shown(text: str) -> None:
    assert "*MASKED*" in shown(text)
    # whatever it is, it leaves no trace
    assert shown(text) == shown("another")


def test_a_value_is_compared_by_its_hash() -> None:
    assert SecretValue(VALUE) == SecretValue(VALUE) != SecretValue("other")
    assert SecretValue(VALUE) != VALUE
    assert len({SecretValue(VALUE), SecretValue(VALUE)}) == 1
    assert SecretValue("abc").fingerprint == fingerprint(SecretValue("abc").sha256)


def test_a_value_is_copied_but_never_pickled() -> None:
    value = SecretValue(VALUE)
    assert copy.deepcopy([value]) == [value] == [copy.copy(value)]
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(value)


# The password rule


@pytest.mark.parametrize("password", ["a" * 20, "A-b_9" * 4, "-" * 20])
def test_a_password_that_keeps_the_rule_has_no_problem(password: str) -> None:
    assert list(plain(password, "redis_password", "It would break the login.")) == []


@pytest.mark.parametrize(
    ("characters", "kinds"),
    [
        ("/", "1 punctuation character"),
        ("@:#", "3 punctuation characters"),
        (" ", "1 blank"),
        ("\u00a0", "1 blank"),
        ("ü", "1 non-ASCII letter"),
        ("٣", "1 non-ASCII digit"),
        ("\t\n", "2 control characters"),
        ("💥", "1 other non-ASCII character"),
        ("ü/ /", "1 blank, 1 non-ASCII letter, 2 punctuation characters"),
    ],
)
def test_a_wrong_character_is_told_by_kind_and_number(characters: str, kinds: str) -> None:
    (problem,) = list(plain("a" * 20 + characters, "redis_password", "It would break the login."))
    assert f"({kinds})" in problem
    assert problem.startswith(f"redis_password: {20 + len(characters)} characters")
    assert ".venv/bin/python -m operations secrets new" in problem


def test_a_short_password_is_told_by_its_length() -> None:
    (problem,) = list(plain("hunter2", "redis_password", "It would break the login."))
    assert problem.startswith("redis_password: 7 characters, expected at least 20.")
    assert "hunter2" not in problem


@given(st.text(min_size=1, max_size=40))
def test_no_problem_depends_on_more_than_length_and_kinds(text: str) -> None:
    other = "".join("b" if c in "a" else c for c in text)
    assert list(plain(text, "x", "It would break the login.")) == list(plain(other, "x", "It would break the login."))


# The command line


def test_new_prints_a_password_that_keeps_the_rule(capsys: pytest.CaptureFixture[str]) -> None:
    made = set()
    for arguments in (["new"], ["new"], ["new", "--length", "20"]):
        assert secrets.main(arguments) == 0
        made.add(capsys.readouterr().out.rstrip("\n"))
    assert sorted(map(len, made)) == [20, 40, 40]
    for password in made:
        assert list(plain(password, "x", "It would break the login.")) == []
        assert re.fullmatch(r"[A-Za-z0-9].*[A-Za-z0-9]", password)


def test_new_refuses_a_length_below_the_rule(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        secrets.main(["new", "--length", "19"])
    assert "expected at least 20" in capsys.readouterr().err


def test_check_tells_the_source_and_the_fingerprint(capsys: pytest.CaptureFixture[str]) -> None:
    dotenv(f"{NAME}=abc")
    assert secrets.main(["check", NAME]) == 0
    assert capsys.readouterr().out == f"{NAME}: found in .env, fingerprint {SecretValue('abc').fingerprint}\n"
    assert secrets.main(["check", "OTHER"]) == 1
    assert "OTHER: there is no such secret" in capsys.readouterr().err
