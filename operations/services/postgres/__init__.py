"""PostgreSQL, the login that it takes, and what a person would ask about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...stack.extra import Extra
from ...stack.settings import Settings
from . import settings
from .credential import PostgresMonitor, PostgresRole

KINDS = (PostgresRole, PostgresMonitor)


class PostgreSQL(Extra):
    def problems(self, given: Settings) -> Iterator[str]:
        return settings.problems(given)

    def values(self, given: Settings) -> Mapping[str, Any]:
        return settings.values(given)


EXTRA = PostgreSQL()
