"""Any number of facts in one round trip: facts are not cached by pyinfra, and each costs an exec."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pyinfra.api import FactBase, QuoteString, StringCommand

from ..stack.snapshot import UNKNOWN, Unknown

_MARK = "##fleet:fact "
_FAILED = "##fleet:failed"
_END = "##fleet:bundle-end"

Question = tuple[type[FactBase[Any]], Mapping[str, Any]]


class Questions(dict[str, Question]):
    """Name → (fact, its arguments). Prints as the names alone, since pyinfra shows a fact's arguments at -v."""

    def __repr__(self) -> str:
        return ", ".join(self)


class Bundle(FactBase[dict[str, Any] | Unknown]):
    """Runs facts as one command and hands each its own part of the output.

    + facts: name → (fact class, its arguments)

    Gives name → value, or UNKNOWN when the connection was cut before the end. A fact whose command failed gives its own
    default, one that cannot read its output UNKNOWN.

    **Example:**

    .. code:: python

        host.get_fact(Bundle, facts=Questions(engine=(Engine, {}), kernel=(Kernel, {})))
    """

    @staticmethod
    def default() -> Unknown:
        return UNKNOWN

    def command(self, facts: Questions) -> StringCommand:
        self.facts = {name: fact() for name, (fact, _) in facts.items()}
        words: list[object] = []
        for name, (_, arguments) in facts.items():
            fact, command = self.facts[name], self.facts[name].command(**arguments)
            # a fact that fails or exits must not end the others, and what it printed on the way down is not its answer
            if shared := getattr(fact, "shared", ""):
                command = StringCommand(f"{shared}=$(", command, ")", "&&", "export", shared)
                command = StringCommand(command, "&&", "printf", r"'%s\n'", f'"${shared}"')
                answer = ["{", command, ";", "}"]
            else:
                answer = ["(", command, ")"]
            words += [_say(_MARK + name), *answer, "||", _say(_FAILED)]
        return StringCommand(*words, _say(_END))

    def process(self, output: Iterable[str]) -> dict[str, Any] | Unknown:
        lines = list(output)
        if not lines or lines[-1] != _END:
            return UNKNOWN
        sections: dict[str, list[str]] = {name: [] for name in self.facts}
        # what stands before the first mark is the login shell's
        section: list[str] = []
        for line in lines:
            if line.startswith((_MARK, _FAILED, _END)) and section[-1:] == [""]:
                section.pop()  # the line break of `_say`
            if line.startswith(_MARK):
                section = sections.setdefault(line.removeprefix(_MARK), [])
            elif line == _FAILED:
                section.clear()
            elif line != _END:
                section.append(line)
        return {name: _answer(fact, sections[name]) for name, fact in self.facts.items()}


def _say(text: str) -> StringCommand:
    # on a line of its own, also behind output that does not end its last line
    return StringCommand("printf", r"'\n%s\n'", StringCommand(QuoteString(text), ";", _separator=""))


def _answer(fact: FactBase[Any], lines: list[str]) -> Any:
    try:
        return fact.process(lines) if lines else fact.default()
    except Exception:  # whatever a foreign fact raises would end the run of every other host too
        return UNKNOWN
