"""What PostgreSQL keeps of a password, and the name of the role that logs in with it: both are made on the controller. Pure.

Source: https://www.rfc-editor.org/rfc/rfc5802 ("SCRAM Algorithm Overview"), https://www.rfc-editor.org/rfc/rfc7677
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode
from functools import cache

_ITERATIONS = 4096  # as PostgreSQL's own `scram_iterations`; a client does them at each login
_NAME_ITERATIONS = 100_000  # a name is seen by many, so that trying passwords against it must be slow
DIGITS = 4


@cache
def login_role(owner: str, password: str) -> str:
    """The role that logs in with this password, a member of `owner`. Each password has a role of its own, so that two are accepted
    at a time, and no host need be asked which. Its name tells 16 bits of the password, of which the rule demands 20 characters.
    """
    made = hashlib.pbkdf2_hmac("sha256", password.encode(), owner.encode(), _NAME_ITERATIONS)
    return f"{owner}_{made.hex()[:DIGITS]}"


@cache
def verifier(role: str, password: str) -> str:
    """The password as PostgreSQL keeps it (pg_authid.rolpassword): nobody can log in with that.

    The salt is made of the role's name: it must be another one for each role, which is all that a salt is for, and the same each
    time, so that two verifiers can be compared.
    """
    salt = hashlib.sha256(role.encode()).digest()[:16]
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, _ITERATIONS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    return f"SCRAM-SHA-256${_ITERATIONS}:{_base64(salt)}${_base64(stored)}:{_base64(server)}"


def _base64(data: bytes) -> str:
    return b64encode(data).decode()
