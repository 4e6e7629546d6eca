"""Whatever a host said, a secret that the controller knows is not shown, nor is a password in a URL that it does not know."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote, quote_plus

from ..stack.text import clean
from .model import RunReport

MASK = "*MASKED*"
_SHORTEST = 4  # a shorter one would take words apart
_SHORTEST_PART = 8  # as well a line of a secret, or its base64
# a password may hold "/" and "@": the last "@" before a blank or a quote ends it; <password> is what our own sentences say
_URL = re.compile(r"""([a-z][a-z0-9+.-]*://[^\s"'`:/@]*:)(?!<password>@)[^\s"'`]+@""", re.IGNORECASE)
_PERCENT = re.compile(r"%[0-9A-F]{2}")


class Mask:
    """Replaces secrets in texts, in every form in which programs write them. It is asked before a text is cut, not after."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        for secret in secrets:
            self.add(secret)

    def add(self, secret: str) -> None:
        """Mask this one too."""
        if len(secret) >= _SHORTEST and secret not in self._secrets:
            self._secrets.add(secret)
            self._pattern = None

    def __call__(self, text: str) -> str:
        if self._secrets:
            if self._pattern is None:
                self._pattern = _any_of({form for one in self._secrets for form in _forms(one)})
            text = self._pattern.sub(MASK, text)
        return _URL.sub(rf"\1{MASK}@", text) if "://" in text else text


known = Mask()  # the secrets that this process has looked up


def masked(report: RunReport, secrets: Iterable[str]) -> RunReport:
    """The report with every occurrence of these secrets replaced."""
    mask, seen = Mask(secrets), dict[str, str]()
    changed = False

    def cover(value: Any) -> Any:
        nonlocal changed
        if isinstance(value, str):
            if value not in seen:
                seen[value] = mask(value)
                changed |= seen[value] != value
            return seen[value]
        if isinstance(value, list):
            return [cover(one) for one in value]
        if isinstance(value, dict):
            return {key: cover(one) for key, one in value.items()}
        return value

    data = report.to_dict()
    hosts = {name: cover(host) for name, host in data["hosts"].items()}  # names are the inventory's, and stay apart
    return RunReport.from_dict({"run": data["run"], "hosts": hosts}) if changed else report


def _any_of(forms: Iterable[str]) -> re.Pattern[str]:
    """One expression for all of them, the longest first; by their first character, since a fleet may have a thousand secrets."""
    groups: dict[str, list[str]] = {}
    for form in sorted(forms, key=len, reverse=True):
        head = form[0] if form[0].isalnum() else ""
        groups.setdefault(head, []).append(form.removeprefix(head))
    return re.compile("|".join(f"{head}(?:{'|'.join(tails)})" for head, tails in groups.items()))


def _forms(secret: str) -> Iterator[str]:
    """Regular expressions for a secret as it stands, and as it is quoted and encoded."""
    for line in (secret, *(line for line in secret.splitlines() if len(line) >= _SHORTEST_PART)):
        for form in _quoted(line):
            # what a host said is clean already
            yield from (re.escape(one) for one in {form, clean(form), clean(form, lines=True)} if len(one) >= _SHORTEST)
    data = secret.encode("utf-8", "surrogateescape")
    for quoted in (quote(data), quote(data, safe=""), quote_plus(data)):
        yield _PERCENT.sub(lambda found: f"(?i:{found[0]})", re.escape(quoted))
    for encoded in _base64(data):
        for form in (encoded, encoded.replace("+", "-").replace("/", "_")):
            yield rf"{re.escape(form)}[\w+/-]?=*"  # the last character may hold something of it too


def _quoted(text: str) -> Iterator[str]:
    yield text
    yield json.dumps(text)[1:-1]
    yield json.dumps(text, ensure_ascii=False)[1:-1]
    yield text.replace("'", "'\"'\"'")  # as shlex
    yield text.replace("'", r"'\''")
    yield re.sub(r"([^\w@%+=:,./-])", r"\\\1", text)  # as bash's printf %q
    yield text.replace("$", "$$")  # as Compose wants it


def _base64(data: bytes) -> Iterator[str]:
    """What of its base64 depends on nothing that stands before or behind it, for each of the three places where it can begin."""
    for before, lost in enumerate((0, 2, 3)):
        whole = (before + len(data)) * 8 // 6
        encoded = base64.b64encode(bytes(before) + data).decode()[lost:whole]
        if len(encoded) >= _SHORTEST_PART:
            yield encoded
