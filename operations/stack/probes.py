"""Checks that the catalogue declares for a service: how they are written, and what is asked on a host for each. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

# kind → the keys that belong to it, all of them needed but for comparisons, of which there is one
KINDS: Mapping[str, tuple[str, ...]] = {
    "http": ("status",),
    "metric": ("url",),
    "websocket": (),
    "tcp": (),
    "command": ("exit",),
    "log": (),
}
COMPARISONS = ("equals", "above", "below")
_EXPECTED = {"websocket": "connected", "tcp": "open", "log": 0}
_CHECK_ID = re.compile(r"[a-z0-9][a-z0-9_.-]*")
_METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_PLACED = ("http", "websocket", "metric")
_TEXTS = ("http", "url", "metric", "websocket", "tcp", "log", "cause", "remedy")


@dataclass(frozen=True)
class Probe:
    """One declared check.

    + kind: http (status of a URL), metric (value on a page of metrics), websocket (Socket.IO lets a client in), tcp (a port is
      open), command (exit status in the service's container), log (how many lines of the service's log match)
    + target: what is asked, as scripts/probe/ask.sh takes it
    + expected, compare: the answer that is wanted
    + port: of a URL's, in the service's container: there it is asked where the port is published elsewhere or not at all
    """

    id: str
    service: str
    kind: str
    target: tuple[str, ...]
    expected: str
    compare: str = "equals"
    cause: str | None = None
    remedy: str | None = None
    port: int | None = None

    def good(self, answer: str) -> bool:
        """Whether an answer is the one that is wanted."""
        if self.compare == "equals" and answer == self.expected:
            return True
        try:
            found, wanted = float(answer), float(self.expected)
        except ValueError:
            return False
        return {"equals": found == wanted, "above": found > wanted, "below": found < wanted}[self.compare]


def probe(service: str, check: Mapping[str, Any]) -> Probe:
    """The probe that a check of the catalogue describes; one in which `problems` finds nothing."""
    kind = next(kind for kind in KINDS if kind in check)
    compare, expected = "equals", _EXPECTED.get(kind)
    target: tuple[str, ...] = (check[kind],)
    if kind == "http":
        expected = check["status"]
    elif kind == "command":
        expected, target = check["exit"], tuple(check["command"])
    elif kind == "metric":
        compare = next(comparison for comparison in COMPARISONS if comparison in check)
        expected, target = check[compare], (check["url"], check["metric"])
    told = (check.get(key) for key in ("cause", "remedy", "port"))
    return Probe(check["id"], service, kind, target, str(expected), compare, *told)


def problems(check: object) -> Iterator[str]:
    """What is wrong with a check as it is written."""
    if not isinstance(check, dict) or not isinstance(check.get("id"), str):
        yield "each needs an `id` (text)."
        return
    name = check["id"]
    if not _CHECK_ID.fullmatch(name):
        yield f"{name!r} is no id. Use lower-case letters, digits, dots, - and _."
    kinds = [kind for kind in KINDS if kind in check]
    if len(kinds) != 1:
        yield f"{name}: expected one of {', '.join(KINDS)}."
        return
    needed = KINDS[kinds[0]]
    yield from (f"{name}: `{key}` is missing." for key in needed if key not in check)
    compared = [comparison for comparison in COMPARISONS if comparison in check] if kinds == ["metric"] else []
    if kinds == ["metric"] and len(compared) != 1:
        yield f"{name}: expected one of {', '.join(COMPARISONS)}."
    if "port" in check and not (kinds[0] in _PLACED and isinstance(check["port"], int)):
        yield f"{name}: port: is {check['port']!r}, expected the number of the port in the container, with {', '.join(_PLACED)}."
    known = {"id", "cause", "remedy", kinds[0], *needed, *compared, *(("port",) if kinds[0] in _PLACED else ())}
    for key in sorted(map(str, check.keys() - known - {"port"})):
        yield f"{name}: unknown key {key!r}; known are {', '.join(sorted(known))}."
    for key in _TEXTS:
        if not isinstance(check.get(key, ""), str):
            yield f"{name}: {key}: is {check[key]!r}, expected text. Put it in quotes."
    if isinstance(url := check.get("websocket"), str) and not url.startswith(("http://", "{")):
        yield f"{name}: websocket: {url!r} does not begin with http://, and nothing else is asked."
    if isinstance(metric := check.get("metric"), str) and not _METRIC.fullmatch(metric):
        yield f"{name}: metric: {metric!r} is no metric's name. Leave its labels out."
    words = check.get("command", ())
    if not isinstance(words, list | tuple) or not all(isinstance(word, str) for word in words):
        yield f"{name}: command: is {words!r}, expected a list of words."
    elif "command" in check and not words:
        yield f"{name}: command: is empty, expected a list of words."
