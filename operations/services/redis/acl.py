"""Redis' own side of the password: the ACL file, and the arguments that redis is started with."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ...stack.settings import Settings

_IN_CONTAINER = "/run/redis-auth"


def acl_file(hashes: Iterable[str]) -> str:
    """users.acl: the default user, who may do everything, with one SHA-256 for each password that is accepted.

    Source: https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/ ("ACL rules")
    """
    return f"user default on sanitize-payload ~* &* +@all {' '.join('#' + h for h in hashes)}\n"


def acl_hashes(text: str) -> tuple[str, ...]:
    """The SHA-256 hashes in an ACL file or in redis' own description of a user."""
    return tuple(re.findall(r"#?\b([0-9a-f]{64})\b", text))


def redis_args(settings: Settings) -> str:
    """The arguments of redis-server, one line of plain words.

    redis-stack's entrypoint splits REDIS_ARGS at blanks and knows no quotes, so "no snapshots" is a bare `--save`: redis 7
    and later take it as an empty value.
    """
    words = [
        "--aclfile", f"{_IN_CONTAINER}/users.acl",
        "--save", *settings.redis_save.split(),
        "--appendonly", "yes" if settings.redis_appendonly else "no",
        "--maxmemory-policy", settings.redis_maxmemory_policy,
        "--loglevel", settings.redis_loglevel,
    ]  # fmt: skip
    return " ".join(words)


# The image itself is asked how it starts, in its own container: redis-stack's entrypoint reads REDIS_ARGS; the official ones take
# them as arguments, and become their own user only for their own server's name.
# redis-stack's is run by a shell that waits for redis after SIGTERM. By itself it dies at once, dumb-init with it, and redis is
# killed before it has written what it holds: seen as exit status 143 without redis' farewell.
_START = (
    "if [ -x /opt/redis-stack/bin/redis-server ]; then "
    'exec /usr/bin/dumb-init sh -c "trap : TERM INT; . /entrypoint.sh"; fi; '
    "if command -v docker-entrypoint.sh >/dev/null; then for server in valkey-server redis-server; do "
    "if command -v $server >/dev/null; then exec docker-entrypoint.sh $server --dir /data $REDIS_ARGS; fi; done; fi; "
    "echo This image starts as none of redis-stack, redis and valkey does. >&2; exit 1"
)


def redis_command() -> str:
    """The container's command, whichever of the images that are known it has."""
    return f"sh -c '{_START}'"
