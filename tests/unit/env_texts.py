"""Env files as people write them, and the values that a managed key may get; for property tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hypothesis import strategies as st

from operations.stack.env_file import EnvValueError, line

MANAGED = ("A", "REDIS_URL")
OTHERS = ("B", "AA", "A_B", "XA", "a", "REDIS_URL_2", "A.B")

# characters that quoting goes wrong with
NASTY = "\\\\''\"\"$${}#= \tanx0:`éü\u00a0\u0085\u2028\x0b\x0c\x1b\U0001f600"


def carried(value: str) -> bool:
    """Whether a line of an env file can hold the value."""
    try:
        line("KEY", value)
    except EnvValueError:
        return False
    return True


values = st.text(NASTY, max_size=12) | st.text(st.characters(codec="utf-8", exclude_characters="\n\r\0"), max_size=12)


@dataclass(frozen=True)
class Statement:
    """One or more lines of an env file; `key` is "" for a comment or a blank line."""

    key: str
    text: str


@dataclass(frozen=True)
class EnvText:
    """An env file as Compose and python-dotenv both accept it."""

    statements: Sequence[Statement]
    line_break: str = "\n"
    ends_with_one: bool = True

    def __str__(self) -> str:
        text = "".join(statement.text + self.line_break for statement in self.statements)
        return text if self.ends_with_one else text.removesuffix(self.line_break)

    def with_lines(self, lines: Mapping[str, str]) -> str:
        """The text after these lines were set: the first of a key is replaced, its others go, what is missing comes last."""
        kept = []
        missing = dict(lines)
        for statement in self.statements:
            if statement.key not in lines:
                kept.append(statement.text + self.line_break)
            elif statement.key in missing:
                kept.append(missing.pop(statement.key) + "\n")
        if not self.ends_with_one and self.statements[-1].key not in lines:
            kept[-1] = kept[-1].removesuffix(self.line_break) + "\n"
        return "".join([*kept, *(f"{text}\n" for text in missing.values())])


_comments = st.sampled_from(["", "  ", "# A=1", "#A='x", "  # it's \"so", "# REDIS_URL=old", "##fleet:text", "\t#"])
_keys = st.sampled_from([*MANAGED, *OTHERS])
_leads = st.sampled_from(["", "", "", "export ", "  ", "\texport\t "])
_signs = st.sampled_from(["=", "=", "=", " = ", "= "])
_tails = st.sampled_from(["", "", " ", " # it's", "\t# \"A='", " #"])


def _joined(*pieces: str) -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(pieces), max_size=6).map("".join)


_plain = _joined("x", "y z", "it's", 'a"b', "#", "=", ":", "é", "A=1", "\\", "/").filter(
    lambda text: not text.startswith(("'", '"'))
)
_single = _joined(
    "x", " ", '"', "\\'", "\\\\", "\\n", "#", "$", "\n", "\nA=1\n", "\nREDIS_URL='\n".replace("'", "\\'"), "\n# it\\'s\n", "é"
)
_double = _joined("x", " ", "'", '\\"', "\\\\", "\\n", "#", "\n", "\nA=1\n", '\nexport REDIS_URL=\\"\n', "\n# it's\n", "é")
_quoted = st.builds("'{}'{}".format, _single, _tails) | st.builds('"{}"{}'.format, _double, _tails)

statements = (
    st.builds(Statement, st.just(""), _comments)
    | st.builds(lambda key, lead, sign, value: Statement(key, lead + key + sign + value), _keys, _leads, _signs, _plain | _quoted)
    # a name alone: the value comes from the environment. A name and a colon: only Compose takes that for a value
    | st.builds(lambda key, lead: Statement(key, lead + key), _keys, _leads)
    | st.builds(lambda key, value: Statement(key, f"{key}: {value}"), _keys, _joined("x", "it's", "y z"))
)
env_texts = st.builds(EnvText, st.lists(statements, max_size=8), st.sampled_from(["\n", "\n", "\r\n"]), st.booleans()).filter(
    lambda text: text.ends_with_one or (len(text.statements) > 0 and text.statements[-1].text != "")
)
managed_lines = st.fixed_dictionaries({key: values.filter(carried) for key in MANAGED}).map(
    lambda drawn: {key: line(key, value) for key, value in drawn.items()}
)
