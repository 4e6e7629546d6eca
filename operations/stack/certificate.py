"""What a server proves itself with over TLS, and what its clients trust. Pure: nothing here reads a certificate."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass, field

RENEWED = 30 * 86_400  # seconds before its end from which on a certificate is replaced, or there is a warning
_BLOCK = re.compile(r"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----")


@dataclass(frozen=True)
class Certificate:
    """A server's certificate with its private key, and the authorities that clients trust, all in PEM.

    + trusted: the certificates of the authorities, the one that issues first
    + own: the server's, and those that lead from it to its authority; empty on a host that only uses another's server
    + key: its private key
    + until: when it ends, or its authority, in seconds since 1970
    """

    trusted: str
    own: str = ""
    key: str = field(default="", repr=False)
    until: float = 0

    @property
    def digest(self) -> str:
        """By which the server's own is known."""
        return digest(self.own)

    @property
    def trusted_digest(self) -> str:
        """By which what clients trust is known, all of it."""
        return hashlib.sha256(self.trusted.encode()).hexdigest()

    @property
    def pem(self) -> str:
        """Both in one file, which is replaced as one."""
        return f"{self.key}{self.own}"


def digest(pem: str) -> str:
    """SHA-256 of the first certificate in a text, as every tool shows it; "" where there is none."""
    found = _BLOCK.search(pem)
    return hashlib.sha256(base64.b64decode(found[1])).hexdigest() if found else ""
