"""What a fact makes of the lines of its script."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from operations.facts.base import END, ScriptFact
from operations.facts.files import EnvKeys

H1, H2 = hashlib.sha256(b"one").hexdigest(), hashlib.sha256(b"two").hexdigest()


def read(fact: ScriptFact[Any], *lines: str) -> Any:
    """What a fact makes of a script's lines."""
    return fact.process([*lines, END])


def env_keys(*paths: str) -> EnvKeys:
    fact = EnvKeys()
    fact.command(root="/opt/erni-ki", files=dict.fromkeys(paths, ("A", "B")))
    return fact


def encoded(text: str | bytes) -> str:
    """A text as scripts tell it."""
    return base64.b64encode(text if isinstance(text, bytes) else text.encode()).decode()
