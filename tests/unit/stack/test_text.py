"""Texts that somebody else wrote, made fit to be shown."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.stack.text import clean, clean_log

hostile = st.text(st.sampled_from("\x1b[]0;1m8m2J\x07\x9b\x80\r\n\t\u202e\u2066\u200f\ud800 ab") | st.characters(), max_size=40)


@given(hostile, st.booleans())
def test_what_is_left_can_be_printed_and_stays_as_it_is(text: str, lines: bool) -> None:
    shown = clean(text, lines)
    assert all(c.isprintable() or (lines and c == "\n") for c in shown)
    assert clean(shown, lines) == shown
    shown.encode()


@given(st.text(st.characters(categories=["L", "N", "P", "S"]), max_size=20))
def test_what_can_be_read_is_not_touched(text: str) -> None:
    assert clean(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[1;31mERROR\x1b[0m: no", "ERROR: no"),
        ("\x1b]52;c;bHM=\x07", "\ufffd]52;c;bHM=\ufffd"),
        ("\x1b\x1b[0m[2J", "\ufffd[2J"),
        ("a\tb\r\nc\u2028d\xa0e", "a b  c d e"),
        ("\u202egpj.exe", "\ufffdgpj.exe"),
        ("zwölf ✓ 漢字", "zwölf ✓ 漢字"),
    ],
)
def test_it_is_shown_what_was_there(text: str, shown: str) -> None:
    assert clean(text) == shown


def test_line_breaks_stay_where_there_may_be_several_lines() -> None:
    assert clean("a\r\nb\rc\x0bd", lines=True) == "a\nb c d"


@given(hostile)
def test_a_log_line_keeps_the_colours_that_pyinfra_gives_it_and_nothing_else(text: str) -> None:
    assert (
        clean_log(f"[\x1b[1merni-1\x1b[0m] \x1b[31m{clean(text)}\x1b[0m") == f"[\x1b[1merni-1\x1b[0m] \x1b[31m{clean(text)}\x1b[0m"
    )
    left = re.sub(r"\x1b\[(0|1|3[1-7]|9[1-7])m", "", clean_log(text))
    assert all(c.isprintable() or c == "\n" for c in left)
