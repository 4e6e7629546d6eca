"""Redis' own side of its logins: the ACL file, and the arguments that redis is started with."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from ...stack.credential import Login
from ...stack.settings import Settings
from . import tls
from .users import DEFAULT

_DIGEST = re.compile(r"#([0-9a-f]{64})")
_RIGHT = re.compile(r"[~&+-][^\s\"'\\]+")


class User(NamedTuple):
    """A user as redis describes it: the SHA-256 of each password that is accepted from it, and what it may do."""

    digests: tuple[str, ...]
    rights: str


def users(lines: Iterable[str]) -> Iterator[tuple[str, User]]:
    """The users in an ACL file, or in what ACL LIST tells, by their names. From one that is off nothing is accepted."""
    for line in lines:
        kind, *words = line.split(" ")
        if kind == "user" and words:
            name, *words = words
            digests = () if "off" in words else tuple(found[1] for word in words if (found := _DIGEST.fullmatch(word)))
            yield name, User(digests, " ".join(filter(_RIGHT.fullmatch, words)))


def rules(logins: Iterable[Login], rights: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Each user with the rules that let it in with these logins.

    + rights: user → what it may do, in redis' words; one that is not among them is left out
    """
    logins = tuple(logins)
    for name, words in rights.items():
        if digests := [f"#{login.digest}" for login in logins if login.user == name]:
            yield name, f"on sanitize-payload {words} {' '.join(digests)}"


def acl_file(logins: Iterable[Login], rights: Mapping[str, str]) -> str:
    """users.acl: a line a user. `default` always has one: redis lets anybody in as a `default` that the file does not name.

    Source: https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/ ("ACL rules")
    """
    found = dict(rules(logins, rights))
    return "".join(f"user {name} {words}\n" for name, words in {**found, DEFAULT: found.get(DEFAULT, "off")}.items())


def redis_args(settings: Settings) -> str:
    """The arguments of redis-server, one line of plain words.

    redis-stack's entrypoint splits REDIS_ARGS at blanks and knows no quotes, so "no snapshots" is a bare `--save`: redis 7
    and later take it as an empty value.
    """
    words = [
        "--aclfile", f"{tls.FOLDER}/users.acl",
        "--save", *settings.redis_save.split(),
        "--appendonly", "yes" if settings.redis_appendonly else "no",
        "--maxmemory-policy", settings.redis_maxmemory_policy,
        "--loglevel", settings.redis_loglevel,
        *(["--include", f"{tls.FOLDER}/tls.conf"] if settings.redis_tls in tls.USED else []),
    ]  # fmt: skip
    for name, value in settings.redis_config.items():
        words += [f"--{name}", *str(value).split()]
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
