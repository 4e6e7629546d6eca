"""Redis, the credential that it takes, and what a person would ask about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...stack.extra import Extra
from ...stack.settings import Settings
from . import acl, settings, tls
from .credential import RedisAcl

KINDS = (RedisAcl,)


class Redis(Extra):
    def problems(self, given: Settings) -> Iterator[str]:
        return settings.problems(given)

    def values(self, given: Settings) -> Mapping[str, Any]:
        return {"redis_command": acl.redis_command(), "redis_args": acl.redis_args(given), **tls.values(given)}


EXTRA = Redis()
