"""Redis' own protocol, as far as answers go, read with bounds: whoever answers may be an attacker.

Source: https://redis.io/docs/latest/develop/reference/protocol-spec/ (RESP2)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

MOST = 1 << 20  # bytes of all answers together
DEEPEST = 16  # arrays in arrays


class ProtocolError(ValueError):
    """What was answered is not redis' protocol, or more of it than anybody would send."""


def replies(data: bytes) -> list[Any]:
    """The answers in `data`: text, numbers, None and lists of them. A last one that was cut off is left out.

    Raises ProtocolError.
    """
    if len(data) >= MOST:  # no more is read, so that nobody knows what follows
        raise ProtocolError(f"redis answered with more than {MOST} bytes")
    found: list[Any] = []
    # the lists that are being filled, the innermost last, each with how many of its items are still to come
    opened: list[tuple[list[Any], int]] = []
    for value, items in _values(data):
        target = opened[-1][0] if opened else found
        target.append(value)
        if opened:
            opened[-1] = (target, opened[-1][1] - 1)
        if items:
            if len(opened) == DEEPEST:
                raise ProtocolError(f"redis answered with lists that are more than {DEEPEST} deep")
            opened.append((value, items))
        while opened and not opened[-1][1]:
            opened.pop()
    return found[:-1] if opened else found


def _values(data: bytes) -> Iterator[tuple[Any, int]]:
    """Each value with the number of items that follow it, which only a list has."""
    at = 0
    while at < len(data):
        end = data.find(b"\n", at)
        if end < 0:
            return
        kind, rest = data[at : at + 1], data[at + 1 : end].rstrip(b"\r")
        at = end + 1
        if kind in (b"+", b"-"):
            yield _text(rest), 0
        elif kind == b":":
            yield _number(rest), 0
        elif kind == b"$":
            length = _number(rest)
            if length < 0:
                yield None, 0
                continue
            if at + length > len(data):
                return
            yield _text(data[at : at + length]), 0
            at += length
            at += 2 if data[at : at + 2] == b"\r\n" else 1
        elif kind == b"*":
            yield [], max(0, _number(rest))
        else:
            raise ProtocolError("redis answered with something that is not its protocol")


def _text(data: bytes) -> str:
    return data.decode(errors="replace")


def _number(data: bytes) -> int:
    if len(data) > 20 or not data.removeprefix(b"-").isdigit():
        raise ProtocolError("redis answered with a number that is none")
    return int(data)
