"""What all facts of this library share: a POSIX sh script, and an end mark without which the answer is UNKNOWN."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from typing import ClassVar, Generic, TypeVar

from pyinfra.api import FactBase, QuoteString, StringCommand

from ..scripts import script
from ..stack.snapshot import UNKNOWN, Unknown

T = TypeVar("T")
END = "##fleet:end"


class ScriptFact(FactBase[T | Unknown], Generic[T]):
    """A fact whose command is a script of this package. A script that fails, is cut off or says
    something else than it should gives UNKNOWN, never an empty answer."""

    script: ClassVar[str]
    shell: ClassVar[tuple[str, ...]] = ("sh",)
    shared: ClassVar[str] = ""  # the environment variable in which a bundle hands the answer to the facts behind it

    @staticmethod
    def default() -> Unknown:
        return UNKNOWN

    @classmethod
    def run(cls, *args: str) -> StringCommand:
        """The command: the script with its arguments quoted, and the end mark behind it."""
        words = (QuoteString(arg) for arg in args)
        return StringCommand(*cls.shell, "-c", QuoteString(script(cls.script)), cls.script, *words, "&&", "echo", f"'{END}'")

    def process(self, output: Iterable[str]) -> T | Unknown:
        lines = list(output)
        if not lines or lines[-1] != END:
            return UNKNOWN
        try:
            return self.parse(lines[:-1])
        except (ValueError, LookupError):
            # an exception here would end the run of every other host too
            return UNKNOWN

    @abstractmethod
    def parse(self, lines: list[str]) -> T:
        """The value that the script's lines describe."""
