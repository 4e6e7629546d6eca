"""What all facts of this library share: a script, and an end mark without which the answer is UNKNOWN."""

from __future__ import annotations

import base64
import json
import secrets
from abc import abstractmethod
from collections.abc import Iterable
from typing import Any, ClassVar, Generic, TypeVar

from pyinfra.api import FactBase, QuoteString, StringCommand

from .. import scripts
from ..scripts import Parameter, Script
from ..stack.snapshot import UNKNOWN, Unknown

T = TypeVar("T")

# Nothing that lies on a host can hold it: it is made when this process starts.
NONCE = secrets.token_hex(8)
END = f"{NONCE} end"


class Question(StringCommand):
    """The command of one fact. pyinfra gives a fact that is asked by itself no standard input, so its script is an argument then,
    in base64: csh takes no line break between quotes, and fish has its own meaning of a backslash there. In a bundle it goes over
    standard input with all others."""

    def __init__(self, script: Script) -> None:
        self.script = script
        program = base64.b64encode(scripts.program([script], f"{self.text()}\n").encode()).decode()
        super().__init__(script.shell, "-c", QuoteString(f'eval "$(echo {program} | base64 -d)"'))

    def text(self, in_place: bool = False) -> str:
        opened, closed = "{}" if in_place else "()"
        return f"{opened}\n{self.script.text()}{closed} && echo '{END}'"


class ScriptFact(FactBase[T | Unknown], Generic[T]):
    """A fact whose command is a script of this package. A script that fails, is cut off or says
    something else than it should gives UNKNOWN, never an empty answer.

    What a script prints is ASCII, and every field of it that somebody else may have written is encoded: as JSON or base64.
    """

    script: ClassVar[str]  # below scripts/, without its ending
    in_place: ClassVar[bool] = False  # what it finds out serves the facts behind it in a bundle

    @staticmethod
    def default() -> Unknown:
        return UNKNOWN

    @classmethod
    def ask(cls, **parameters: Parameter) -> Question:
        """The command: the script with its parameters, and the end mark behind it."""
        return Question(Script(cls.script, parameters))

    def process(self, output: Iterable[str]) -> T | Unknown:
        lines = list(output)
        if not lines or lines[-1] != END:
            return UNKNOWN
        try:
            return self.parse(lines[:-1])
        except Exception:  # whatever it is: an exception here would end the run of every other host too
            return UNKNOWN

    @abstractmethod
    def parse(self, lines: list[str]) -> T:
        """The value that the script's lines describe."""


def decoded(text: str) -> str:
    """What a script encoded as base64; "" for nothing. Bytes that are no UTF-8 become U+FFFD."""
    return base64.b64decode(text, validate=True).decode(errors="replace")


def document(text: str) -> Any:
    """What a JSON text that somebody may have edited says; None for one that says nothing."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def shown(text: str) -> str:
    """The text without what would steer a terminal."""
    return "".join(character if character.isprintable() else "?" for character in text)


def text(value: object) -> str:
    """The value if it is a text; raises TypeError for any other."""
    if not isinstance(value, str):
        raise TypeError(f"{type(value).__name__} in the place of a text")
    return value


def texts(value: Any) -> dict[str, str]:
    """The value if it has a text under each name; raises TypeError or AttributeError for any other."""
    return {name: text(one) for name, one in value.items()}
