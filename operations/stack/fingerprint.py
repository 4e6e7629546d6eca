"""What a person is shown of a password or a file: enough to tell two apart, and nothing to work back from."""

from __future__ import annotations


def fingerprint(sha256: str) -> str:
    """The first 12 hex digits of a SHA-256."""
    return sha256[:12]
