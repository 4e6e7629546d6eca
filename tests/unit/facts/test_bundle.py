"""Bundle: many facts in one command, each with its own part of the output, none of which can disturb another."""

from __future__ import annotations

import socket
import subprocess
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyinfra.api import FactBase, QuoteString, StringCommand
from pyinfra.facts.files import File
from pyinfra.facts.server import Hostname, Which

from operations.controller.secrets import SecretValue
from operations.facts.bundle import Bundle, Questions
from operations.stack.snapshot import UNKNOWN


class Say(FactBase[list[str]]):
    """The lines that a shell command prints; NOTHING where there is no answer."""

    @staticmethod
    def default() -> list[str]:
        return ["nothing"]

    def command(self, shell: str) -> str:
        return shell

    def process(self, output: Any) -> list[str]:
        return list(output)


class Unreadable(Say):
    """A fact that cannot make sense of what it reads."""

    def process(self, output: Any) -> list[str]:
        raise TypeError(output)


class Quoted(FactBase[str]):
    """Prints its argument, quoted as pyinfra's facts quote."""

    def command(self, text: str) -> StringCommand:
        return StringCommand("printf", "%s", QuoteString(text))

    def process(self, output: Any) -> str:
        return "\n".join(output)


def say(shell: str) -> tuple[type[FactBase[Any]], dict[str, str]]:
    return (Say, {"shell": shell})


def run(command: object) -> list[str]:
    """A command's lines as pyinfra hands them on."""
    shell = command.get_raw_value() if isinstance(command, StringCommand) else str(command)
    program = str(command.connector_arguments.get("_stdin", "")) if isinstance(command, StringCommand) else ""
    done = subprocess.run(["sh", "-c", shell], input=program, capture_output=True, text=True, check=True)
    return [line.rstrip("\n") for line in done.stdout.splitlines()]


def ask(**facts: tuple[type[FactBase[Any]], dict[str, Any]]) -> Any:
    """What a host with a real shell answers."""
    bundle = Bundle()
    return bundle.process(run(bundle.command(Questions(facts))))


def printed_by(**facts: tuple[type[FactBase[Any]], dict[str, Any]]) -> tuple[Bundle, list[str]]:
    bundle = Bundle()
    return bundle, run(bundle.command(Questions(facts)))


# Every fact gets its own lines


def test_each_fact_gets_its_own_lines() -> None:
    assert ask(one=say("echo a; echo b"), two=say("echo c")) == {"one": ["a", "b"], "two": ["c"]}


def test_facts_answer_under_the_names_that_they_were_asked_by() -> None:
    bundle = Bundle()
    facts = Questions({"probe:openwebui.health": say("echo 200"), "it's $(id) \\n odd": say("echo x")})
    assert bundle.process(run(bundle.command(facts))) == {
        "probe:openwebui.health": ["200"],
        "it's $(id) \\n odd": ["x"],
    }


def test_a_fact_called_failed_is_a_fact_like_any_other() -> None:
    assert ask(failed=say("echo a"), other=say("echo b")) == {"failed": ["a"], "other": ["b"]}


def test_nothing_asked_is_nothing_answered() -> None:
    assert ask() == {}


def test_arguments_reach_their_fact_as_they_are() -> None:
    hostile = "a b'c\"d$(touch x)`id`;#\\"
    assert ask(one=(Quoted, {"text": hostile}), two=say("echo b")) == {"one": hostile, "two": ["b"]}


def test_output_that_does_not_end_its_last_line_does_not_swallow_the_next_fact() -> None:
    assert ask(one=say("printf 'a\\nb'"), two=say("printf c")) == {"one": ["a", "b"], "two": ["c"]}


def test_blank_lines_are_kept() -> None:
    assert ask(one=say("printf '\\na\\n\\n'"), two=say("printf '\\n'")) == {"one": ["", "a", ""], "two": [""]}


def test_a_fact_without_output_gives_its_own_default() -> None:
    assert ask(one=say("true"), two=say("echo b")) == {"one": ["nothing"], "two": ["b"]}


def test_what_a_login_shell_says_before_is_no_answer() -> None:
    bundle, lines = printed_by(one=say("echo a"))
    assert bundle.process(["Welcome to erni-1!", "", *lines]) == {"one": ["a"]}


@given(st.lists(st.lists(st.text("ab #:f", max_size=5), max_size=4), max_size=4))
def test_whatever_facts_print_comes_back_in_its_place(sections: list[list[str]]) -> None:
    shells = {f"f{n}": "true" + "".join(f"; echo '{line}'" for line in lines) for n, lines in enumerate(sections)}
    expected = {f"f{n}": lines or ["nothing"] for n, lines in enumerate(sections)}
    assert ask(**{name: say(shell) for name, shell in shells.items()}) == expected


# One fact's failure


@pytest.mark.parametrize(
    "failure",
    [
        "false",
        "exit 3",
        "echo half an answer; exit 1",
        "printf half; false",
        "no-such-command-here",
        "cd /nowhere && pwd",
    ],
)
def test_a_fact_that_fails_gives_its_default_and_disturbs_no_other(failure: str) -> None:
    assert ask(before=say("echo a"), bad=say(failure), after=say("echo c")) == {
        "before": ["a"], "bad": ["nothing"], "after": ["c"],
    }  # fmt: skip


def test_a_fact_that_exits_well_does_not_end_the_others() -> None:
    assert ask(one=say("echo a; exit 0"), two=say("echo b")) == {"one": ["a"], "two": ["b"]}


def test_a_fact_does_not_change_the_shell_of_the_next() -> None:
    assert ask(one=say("cd /; x=changed; echo a"), two=say('echo "${x-as it was}"')) == {
        "one": ["a"], "two": ["as it was"],
    }  # fmt: skip


def test_a_fact_that_cannot_read_its_lines_is_unknown_and_disturbs_no_other() -> None:
    answers = ask(bad=(Unreadable, {"shell": "echo a"}), good=say("echo b"))
    assert answers == {"bad": UNKNOWN, "good": ["b"]}


def test_the_command_as_a_whole_succeeds_when_the_last_fact_fails() -> None:
    assert ask(good=say("echo a"), bad=say("false")) == {"good": ["a"], "bad": ["nothing"]}


# A cut connection


def test_without_an_output_all_is_unknown() -> None:
    bundle, _ = printed_by(one=say("echo a"))
    assert bundle.process([]) is UNKNOWN


def test_wherever_the_output_is_cut_off_all_is_unknown() -> None:
    bundle, lines = printed_by(one=say("echo a; echo b"), two=say("echo c"))
    assert bundle.process(lines) == {"one": ["a", "b"], "two": ["c"]}
    for length in range(len(lines)):
        assert bundle.process(lines[:length]) is UNKNOWN


def test_a_last_line_that_is_cut_off_makes_all_unknown() -> None:
    bundle, lines = printed_by(one=say("echo a"))
    assert bundle.process([*lines[:-1], lines[-1][:-1]]) is UNKNOWN


def test_a_host_that_cannot_be_asked_is_unknown() -> None:
    assert Bundle.default() is UNKNOWN


# pyinfra's own facts


def test_facts_of_pyinfra_answer_as_they_do_alone() -> None:
    answers = ask(host=(Hostname, {}), sh=(Which, {"command": "sh"}), none=(File, {"path": "/no/such/file"}))
    assert answers["host"] == socket.gethostname()
    assert answers["sh"].endswith("/sh")
    assert answers["none"] is None


# What pyinfra may show


def test_questions_show_their_names_and_no_arguments() -> None:
    shown = repr(Questions(one=say("echo secret"), two=(Quoted, {"text": "secret"})))
    assert shown == "one, two"


def test_a_hidden_argument_stays_hidden_in_the_command() -> None:
    command = Bundle().command(Questions(one=(Quoted, {"text": SecretValue("marker-of-a-secret")})))
    assert "marker-of-a-secret" not in str(command)
    assert "marker-of-a-secret" not in command.get_raw_value()
    assert "marker-of-a-secret" in command.connector_arguments["_stdin"]
