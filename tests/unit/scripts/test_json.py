"""json.awk: whatever JSON says, each leaf comes once, in its place and as it stands."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operations.scripts import script

# a line a leaf; what the path and the value hold is told from the parting sign by its byte
SAY = 'function leaf(path, value) { printf "%s\\001%s\\n", path, value }  function finish() { print "end" }'

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(
    ["", '"', "\\", '\\"', '":"', "{}[],:", "/", "null", "a\nb", "\t", " ", "<>&", "ü", "\x00", "\x7f", '{"a":1}', "\\u003c"]
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


def walked(text: str) -> list[str]:
    done = subprocess.run(
        ["awk", script("json.awk") + SAY],
        input=text.encode(), capture_output=True, check=True, env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"}, timeout=5,
    )  # fmt: skip
    lines = done.stdout.decode().split("\n")
    assert lines[-2:] == ["end", ""]
    return lines[:-2]


def leaves(value: Any, escaped: bool, path: str = "") -> Iterator[str]:
    """The same, as Python's own reader understands it."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, escaped, f"{path}/{json.dumps(key, ensure_ascii=escaped)[1:-1]}")
    elif isinstance(value, list):
        for position, inner in enumerate(value):
            yield from leaves(inner, escaped, f"{path}/{position}")
    else:
        text = json.dumps(value, ensure_ascii=escaped)
        yield f"{path}\x01{text[1:-1] if isinstance(value, str) else text}"


@settings(max_examples=40)  # each is a process
@given(values, st.booleans(), st.sampled_from([(",", ":"), (", ", ": "), (" ,\t", " :\r\n")]), st.none() | st.integers(0, 2))
def test_every_leaf_of_any_json_is_told(value: Any, escaped: bool, signs: tuple[str, str], indent: int | None) -> None:
    text = json.dumps(value, ensure_ascii=escaped, separators=signs, indent=indent)
    assert walked(text) == list(leaves(value, escaped))


@pytest.mark.parametrize("length", [1_000, 100_000])
def test_a_long_text_is_read_to_its_end(length: int) -> None:
    value = ["x" * length, '\\"' * length, 7]
    assert walked(json.dumps(value)) == list(leaves(value, True))


@settings(max_examples=40)
@given(values, st.data())
def test_json_that_was_cut_off_has_no_leaf_that_the_whole_has_not(value: Any, data: st.DataObject) -> None:
    text = json.dumps([value, {"a": value}])
    cut = text[: data.draw(st.integers(0, len(text)))]
    whole = set(leaves([value, {"a": value}], True))
    # a number may be cut in its middle, and looks like a number
    assert all(leaf in whole or leaf.partition("\x01")[2][:1] in "-0123456789tfn" for leaf in walked(cut)[:-1])


@pytest.mark.parametrize("text", ["", " \n", "}", "]", "[}", "{]", "{:}", '{"a"', "[1 2]", '{"a" 1}', "nonsense", '"', "[[[["])
def test_what_is_no_json_comes_to_an_end(text: str) -> None:
    walked(text)


PLAIN = """function leaf(path, value) { print plain(value) }  function finish() { }"""


@pytest.mark.parametrize(
    "text", ["a b", "<a> & <b>", 'a "quoted" one', "back\\slash", "\\", '\\"', "a\\\\b", "&&", "it's", "ü", "$(x)", "%s", "a;b>c"]
)
def test_the_escapes_of_dockers_api_are_taken_off(text: str) -> None:
    written = json.dumps(text, ensure_ascii=False).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    done = subprocess.run(["awk", script("json.awk") + PLAIN], input=written, capture_output=True, text=True, check=True)
    assert done.stdout == f"{text}\n"
