"""Any number of facts in one round trip: facts are not cached by pyinfra, and each costs an exec."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pyinfra.api import FactBase, StringCommand

from ..stack.snapshot import UNKNOWN, Unknown

_MARK = "##fleet:fact "
_END = "##fleet:bundle-end"

Question = tuple[type[FactBase[Any]], Mapping[str, Any]]


class Questions(dict[str, Question]):
    """Name → (fact, its arguments). Prints as the names alone, since pyinfra shows a fact's arguments at -v."""

    def __repr__(self) -> str:
        return ", ".join(self)


class Bundle(FactBase[dict[str, Any] | Unknown]):
    """Runs facts as one command and hands each its own part of the output.

    + facts: name → (fact class, its arguments)

    Gives name → value, or UNKNOWN when the connection was cut before the end. A fact whose command failed gives its own default.

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
            # a fact that fails must not end the others, and what it printed on the way down is not its answer
            words += ["echo", f"'{_MARK}{name}';", "{", self.facts[name].command(**arguments), ";", "}", "||"]
            words += ["echo", f"'{_MARK}failed';"]
        return StringCommand(*words, "echo", f"'{_END}'")

    def process(self, output: Iterable[str]) -> dict[str, Any] | Unknown:
        lines = list(output)
        if not lines or lines[-1] != _END:
            return UNKNOWN
        sections: dict[str, list[str]] = {}
        name = ""
        for line in lines[:-1]:
            if line.startswith(_MARK):
                previous, name = name, line.removeprefix(_MARK)
                sections[name if name != "failed" else previous] = []
            elif name != "failed":
                sections[name].append(line)
        return {n: fact.process(sections[n]) if sections[n] else fact.default() for n, fact in self.facts.items()}
