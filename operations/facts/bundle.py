"""Any number of facts in one round trip: facts are not cached by pyinfra, and each costs an exec."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

from pyinfra import host
from pyinfra.api import FactBase, StringCommand

from .. import scripts
from ..stack.snapshot import UNKNOWN, Unknown
from .base import NONCE, Question

Asked = tuple[type[FactBase[Any]], Mapping[str, Any]]

_FAILED = f"{NONCE} failed"
_END = f"{NONCE} bundle-end"


class Questions(dict[str, Asked]):
    """Name → (fact, its arguments). Prints as the names alone, since pyinfra shows a fact's arguments at -v.

    Hosts with one stack are asked the same ones, so facts and command are made once.
    """

    @cached_property
    def facts(self) -> Mapping[str, FactBase[Any]]:
        return {name: fact() for name, (fact, _) in self.items()}

    @cached_property
    def command(self) -> StringCommand:
        commands = {name: self.facts[name].command(**arguments) for name, (_, arguments) in self.items()}
        words: list[str] = []
        for number, (name, command) in enumerate(commands.items()):
            # a fact that fails or exits must not end the others, and what it printed on the way down is not its answer
            if isinstance(command, Question):
                answer = command.text(in_place=getattr(self.facts[name], "in_place", False))
            else:
                answer = f"({command.get_raw_value() if isinstance(command, StringCommand) else command}\n)"
            # on a line of its own, also behind output that does not end its last line
            words.append(f"printf '\\n%s\\n' '{_mark(number)}'\n{answer} || printf '\\n%s\\n' '{_FAILED}'\n")
        words.append(f"printf '\\n%s\\n' '{_END}'\n")
        asked = [command.script for command in commands.values() if isinstance(command, Question)]
        return scripts.send(asked, "".join(words))

    def __repr__(self) -> str:
        return ", ".join(self)


class Answers(dict[str, Any]):
    """Name → value of a fact. `met`: why a value is UNKNOWN."""

    def __init__(self) -> None:
        self.met: dict[str, str] = {}


class Bundle(FactBase[Answers | Unknown]):
    """Runs facts as one program and hands each its own part of the output. Ask it with `ask`, which sends the program.

    + facts: name → (fact class, its arguments)

    Gives name → value, or UNKNOWN when the connection was cut before the end. A fact whose command failed gives its own
    default, one that cannot read its output UNKNOWN.

    **Example:**

    ```python
    ask(Questions(engine=(Engine, {}), kernel=(Kernel, {})))
    ```
    """

    @staticmethod
    def default() -> Unknown:
        return UNKNOWN

    def command(self, facts: Questions) -> StringCommand:
        self.facts = facts.facts
        return facts.command

    def process(self, output: Iterable[str]) -> Answers | Unknown:
        lines = list(output)
        if not lines or lines[-1] != _END:
            return UNKNOWN
        parts: list[list[str]] = [[] for _ in self.facts]
        marks = {_mark(number): part for number, part in enumerate(parts)}
        # what stands before the first mark is the login shell's
        part: list[str] = []
        for line in lines:
            if line in marks or line in (_FAILED, _END):
                if part[-1:] == [""]:
                    part.pop()  # the line break before a mark
                if line == _FAILED:
                    part.clear()
                part = marks.get(line, part)
            else:
                part.append(line)
        answers = Answers()
        for (name, fact), part in zip(self.facts.items(), parts, strict=True):
            answers[name] = _answer(fact, part)
            if answers[name] is UNKNOWN:
                answers.met[name] = "what it said could not be read" if part else "its command failed"
        return answers


def ask(facts: Questions) -> Answers | Unknown:
    """The answers of the host in context to these facts, in one round trip."""
    # pyinfra hands a fact no standard input of its own, but that of the caller
    program = facts.command.connector_arguments["_stdin"]
    # where it fails the answer is UNKNOWN, and who asked decides; pyinfra would take the host out of the run, its lock and all
    return host.get_fact(Bundle, facts=facts, _stdin=program, _ignore_errors=True)


def _mark(number: int) -> str:
    return f"{NONCE} {number}"


def _answer(fact: FactBase[Any], lines: list[str]) -> Any:
    try:
        return fact.process(lines) if lines else fact.default()
    except Exception:  # whatever a foreign fact raises would end the run of every other host too
        return UNKNOWN
