"""The users of a redis that clients have to themselves: what each may do, and what none of them may. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

DEFAULT = "default"  # whom redis takes for somebody who names no user
OPERATOR = "operator"  # who changes what redis accepts and looks at it, where clients have users of their own
ALL = "~* &* +@all"

# who may run one of these can give itself all rights: an example, and the words of rules that are about it
_BOTH = {"@all", "@admin", "@dangerous", "@slow"}
_MANAGES = {"ACL SETUSER nobody": _BOTH | {"acl", "acl|setuser"}, "CONFIG SET maxmemory 0": _BOTH | {"config", "config|set"}}
_OUTSIDE = {"keys": ("GET", "key-of-nobody", ""), "channels": ("PUBLISH", "channel-of-nobody", " x")}

_SIGNS = {"keys": "~", "channels": "&", "commands": ""}
_WORDS = {
    "keys": (re.compile(r"[^\s\"'\\]+"), "no pattern of keys. Expected one such as app:*"),
    "channels": (re.compile(r"[^\s\"'\\]+"), "no pattern of channels. Expected one such as app:*"),
    "commands": (re.compile(r"[+-]@?[a-z0-9][a-z0-9._|-]*"), "no rule for commands. Expected one such as +@read or -config"),
}


def rights(user: Mapping[str, Any]) -> str:
    """What a user may do, in redis' own words: {"keys": ["app:*"], "commands": ["+@all"]} is `~app:* +@all`.

    Source: https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/ ("ACL rules")
    """
    return " ".join(f"{sign}{word}" for part, sign in _SIGNS.items() for word in user.get(part, ()))


def forbidden(user: Mapping[str, Any]) -> Iterator[str]:
    """Commands that the user must not be allowed to run: to change what redis accepts, or to reach what is somebody else's."""
    yield from _MANAGES
    for part, (command, name, rest) in _OUTSIDE.items():
        if not any(fnmatchcase(name, pattern) for pattern in user.get(part, ())):
            yield f"{command} {name}{rest}"


def problems(setting: str, users: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with the setting that names them, as sentences."""
    for name, user in users.items():
        where = f"{setting}: {name}"
        if name in (DEFAULT, OPERATOR):
            yield f"{where}: is the name of a user that redis has anyway. Name a service."
        if not isinstance(user, Mapping) or not all(isinstance(words, list | tuple) for words in user.values()):
            yield f"{where}: expected lists, named {', '.join(_SIGNS)}."
            continue
        yield from (
            f"{where}: there is no {part!r}; known are {', '.join(_SIGNS)}." for part in sorted(user.keys() - _SIGNS.keys())
        )
        found = [f"{where}: {part}: {word!r} is {_WORDS[part][1]}." for part, word in _each(user) if not _fits(part, word)]
        if found or not user.get("commands"):
            yield from found or [f"{where}: has no `commands`, so it may do nothing."]
            continue
        for command, about in _MANAGES.items():
            if _allows(user["commands"], about):
                yield f'{where}: may run {" ".join(command.split()[:2])}, with which it can give itself all rights. Add "-@admin".'


def _each(user: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    return ((part, word) for part in _SIGNS for word in user.get(part, ()))


def _fits(part: str, word: object) -> bool:
    return isinstance(word, str) and _WORDS[part][0].fullmatch(word) is not None


def _allows(commands: list[str], words: set[str]) -> bool:
    """Whether these rules allow a command that is known by these words: the last one that names it counts."""
    return next((word[0] == "+" for word in reversed(commands) if word[1:] in words), False)
