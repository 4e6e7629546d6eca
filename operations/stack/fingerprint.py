"""What a person is shown of a password or a file: enough to tell two apart, and nothing to work back from."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from functools import cache


def fingerprint(sha256: str) -> str:
    """Twelve hex digits of a digest under the key. Without the key nobody can try passwords against them."""
    return hmac.digest(_key(), sha256.encode(), "sha256").hex()[:12]


def keyed_with(key: Callable[[], bytes]) -> None:
    """Where the key comes from; it is asked for once, when it is first needed. Until then it is one of this process alone."""
    global _key
    _key = cache(key)


_key: Callable[[], bytes] = cache(lambda: secrets.token_bytes(32))
