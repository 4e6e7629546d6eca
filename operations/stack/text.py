"""Words for a person, and what may be shown of a text that somebody else wrote. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

_COLOUR = re.compile(r"\x1b\[[0-9;:]*m")
# those that click writes, and so pyinfra: bold, the colours, and back
_CLICKS = re.compile(r"(\x1b\[(?:0|1|3[1-7]|9[1-7])m)")
_UNREADABLE = "\ufffd"


def clean(text: str, lines: bool = False) -> str:
    """The text without anything that could steer a terminal or the layout: control characters and the sequences that they begin,
    marks that turn the direction of writing, lone surrogates.

    Colours are left out, blanks of every kind become a space, and the rest a visible mark.

    + lines: keep line breaks
    """
    if text.isprintable():
        return text
    if lines:
        return "\n".join(clean(line.removesuffix("\r")) for line in text.split("\n"))
    # what is left of a sequence in a sequence has no escape character any more, for those go last
    return "".join(c if c.isprintable() else " " if c.isspace() else _UNREADABLE for c in _COLOUR.sub("", text))


def count(number: int, noun: str) -> str:
    """`1 host`, `2 hosts`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def listed(names: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def clean_log(text: str) -> str:
    """The same of a line that pyinfra logs, which keeps pyinfra's own colours."""
    return "".join(part if place % 2 else clean(part, lines=True) for place, part in enumerate(_CLICKS.split(text)))
