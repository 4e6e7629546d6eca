"""The rule for passwords that become a part of URLs. Pure."""

from __future__ import annotations

import string
import unicodedata
from collections import Counter

from .. import COMMAND
from .text import count

MIN_LENGTH = 20
ALPHABET = string.ascii_letters + string.digits + "-_"  # the one form that every reader of a URL takes as it stands
_NEW = f"Make a new one with: {COMMAND} secrets new"


def plain(password: str, setting: str, why: str) -> tuple[str, ...]:
    """What is wrong with a password that becomes part of a URL: its length, and the kinds of characters in it.

    + setting: its name, for the message
    + why: what a character that has a meaning in URLs would do
    """
    problems, wrong = [], [character for character in password if character not in ALPHABET]
    if wrong:
        kinds = ", ".join(count(n, kind) for kind, n in sorted(Counter(map(_kind, wrong)).items()))
        are = "is not a letter, digit" if len(wrong) == 1 else "are not letters, digits"
        problems.append(
            f'{setting}: {count(len(password), "character")}, but {len(wrong)} of them {are}, "-" or "_" ({kinds}). {why} {_NEW}'
        )
    if len(password) < MIN_LENGTH:
        problems.append(f"{setting}: {count(len(password), 'character')}, expected at least {MIN_LENGTH}. {_NEW}")
    return tuple(problems)


def _kind(character: str) -> str:
    """What a character is, in words that do not give it away."""
    category = unicodedata.category(character)
    if category == "Cc":
        return "control character"
    if character.isspace():
        return "blank"
    if character.isascii():
        return "punctuation character"
    return {"L": "non-ASCII letter", "N": "non-ASCII digit"}.get(category[0], "other non-ASCII character")
