"""Lines of env files, quoted so that Compose and python-dotenv read back exactly what was meant."""

from __future__ import annotations

import re

KEY_RULE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

_PLAIN = re.compile(r"[A-Za-z0-9_./:@%+,=-]*")
# a single-quoted text in which Compose keeps a backslash that python-dotenv drops, or the other way round
_SLASHES = re.compile(r"\\(?:\\|'|\Z)")


class EnvValueError(ValueError):
    """A name or value that no line of an env file can carry. Never shows the value: it may be a secret."""


def line(key: str, value: str) -> str:
    r"""The line that sets `key` to `value`, without its line break.

    Plain values stand as they are. Others go between single quotes, where both readers take everything as it stands but
    `\'`; those whose backslashes the two would read differently there go between double quotes. python-dotenv is meant
    with `interpolate=False`: by itself it replaces `${name}` whatever the quotes.

    Raises EnvValueError for a line break, for NUL, and for the few values (a `$` together with a backslash before a
    single quote, before another backslash or at the end) that no quoting carries to both.

    Source: https://docs.docker.com/compose/how-tos/environment-variables/variable-interpolation/#env-file-syntax
    """
    if not KEY_RULE.fullmatch(key):
        raise EnvValueError(f"{key!r} is no name of an environment variable. Use letters, digits and _.")
    if found := [name for character, name in _REFUSED.items() if character in value]:
        raise EnvValueError(f"the value holds {' and '.join(found)}, which no line of an env file can hold. Remove it.")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise EnvValueError("the value is not valid Unicode text, so it cannot be written as UTF-8.") from None
    return f"{key}={_quoted(value)}"


_REFUSED = {"\n": "a line break", "\r": "a carriage return", "\0": "a NUL character"}


def _quoted(value: str) -> str:
    if _PLAIN.fullmatch(value):
        return value
    if not _SLASHES.search(value):
        return "'" + value.replace("'", r"\'") + "'"
    if "$" in value:
        raise EnvValueError(
            "the value holds a `$` and a backslash that stands before a single quote, another backslash or the end. "
            "Compose and python-dotenv would read it differently, however it is quoted. Leave one of them out."
        )
    return '"' + value.replace("\\", "\\\\").replace('"', r"\"") + '"'
