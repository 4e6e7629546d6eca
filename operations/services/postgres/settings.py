"""The rules for PostgreSQL's settings that can be checked without a host, and what templates want to know of them."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ...stack.settings import Settings, is_address

# they stand in statements, so there is nothing in them to be quoted; a login role's name is five characters longer, of at most 63
_ROLE = re.compile(r"(?!pg_)[a-z_][a-z0-9_]{0,57}")
_DATABASE = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,62}")


def problems(settings: Settings) -> Iterator[str]:
    given = settings.more
    for name in ("postgres_user", "postgres_admin"):
        if not _ROLE.fullmatch(given[name]):
            yield (
                f"{name}: {given[name]!r} is no name of a role. Use at most 58 lower-case letters, digits and _; "
                "those that begin with pg_ are PostgreSQL's own."
            )
    if not _DATABASE.fullmatch(given["postgres_db"]):
        yield f"postgres_db: {given['postgres_db']!r} is no name of a database. Use at most 63 letters, digits, _ and -."
    publish, host, service = given["postgres_publish"], given["postgres_host"], given["postgres_service"]
    if publish is not None and not (is_address(publish) and not ipaddress.ip_address(publish).is_unspecified):
        yield f"postgres_publish: {publish!r} is no address of one interface. Expected one such as 10.0.0.5, or None."
    here = "postgres" in settings.services
    if here and host:
        yield f"postgres_host: names {host!r}, but this host runs a PostgreSQL of its own. Take postgres out of `services`."
    if here and service:
        yield "postgres_service: is for a PostgreSQL that the project defines itself. Take postgres out of `services`."
    if host and service:
        yield "postgres_service: this host uses the PostgreSQL of postgres_host. Set one of the two to None."


def values(settings: Settings) -> Mapping[str, Any]:
    """Whether the stack has a database at all, and whether vectors are kept there: for lines that end in `#? <name>`.

    Where the vectors of a project's own database are is the project's to say: they would be left behind.
    """
    given = settings.more
    ours = "postgres" in settings.services or bool(given["postgres_host"])
    used = ours or bool(given["postgres_service"])
    return {"postgres_used": used, "postgres_vectors_used": ours and given["postgres_vectors"]}
