"""What is known of the logins of a redis: where its files lie, what is asked of it, and what it accepts.

A user of redis accepts any number of passwords, each known by its SHA-256. In the stack's redis that is `default`, whom all clients
share, or one user for each client; in the project's own, those that take their password from its Compose secret.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from typing import Any, ClassVar

from ...stack.credential import Asked, Credential, Login, sha256
from ...stack.files import File, Folder
from ...stack.password import plain
from ...stack.service import Provided, setting_of
from ...stack.settings import Settings, before_port
from ...stack.snapshot import UNKNOWN, Snapshot
from ...stack.stack import Stack
from . import acl, defined, naming, tls, users
from .acl import User
from .facts import Certificate, Image, Neighbours, Overrides, Redis, Servers, TriedRedis
from .seen import SeenRedis, redis_of
from .settings import OWNERS, STARTS, flavour
from .users import ALL, DEFAULT, OPERATOR

_VERIFIED = "ssl_cert_reqs=required&ssl_check_hostname=true"


class RedisLogin(Credential):
    refused: ClassVar[str] = "AuthenticationError|WRONGPASS|NOAUTH|invalid username-password"
    in_env: ClassVar[str] = r"""(redis|valkey)s?://[^:/@ ]*:[^@$ {*<]+@|^[^=]*(REDIS|VALKEY)[^=]*PASS[^=]*=["']?[^$"' ]"""
    in_files: ClassVar[str] = (
        r"""redis-cli [^;&|]*-a +[\\"']*[^ $\\"']|--requirepass[\\"', =]+[^ $\\"',]|(redis|valkey)s?://[^:/@ ]*:[^@$ {*<]+@"""
        r"""|(REDIS|VALKEY)[A-Z_]*PASSWORD[A-Z_]*[:=] *["']?[^ ${"']"""
    )

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        # `-`, which leaves what is there as it is, until the image itself was asked
        self.owner = OWNERS.get(flavour(self.settings, self.entry) or "", "-")
        self.mounted = False  # whether the project defines it, and so says where its data is
        # whether the configuration that is written where there is none has redis listen without TLS too
        self.starts_plain = self.setting("tls") == "optional"

    @classmethod
    def certified(cls, server: str, data: Mapping[str, Any]) -> Sequence[str] | None:
        here = server in (data.get("services") or Settings().services)
        if data.get(setting_of(server, "tls")) not in tls.USED or not (here or data.get(setting_of(server, "host"))):
            return None
        # what the project calls its service is known only once it was looked at
        names = (server, data.get(setting_of(server, "service")), "localhost", data.get(setting_of(server, "publish")))
        return list(dict.fromkeys(str(name) for name in names if name)) if here else []

    @classmethod
    def reached_at(cls, provided: Provided, server: str, data: Mapping[str, Any]) -> str:
        if data.get(setting_of(server, "tls")) != "on":
            return super().reached_at(provided, server, data)
        port = data.get(setting_of(server, "tls_port"), tls.SECURE)
        return f"{before_port(str(data.get(setting_of(server, 'publish'))))}:{port}"

    @classmethod
    def in_use(cls, settings: Settings, server: str) -> bool:
        return super().in_use(settings, server) or bool(settings.of(server, "password_file"))

    def setting(self, name: str) -> Any:
        """A setting of its server, such as `host` for redis_host."""
        return self.settings.of(self.entry, name)

    @property
    def own(self) -> bool:
        """Whether the project's own redis is left as the project defines it, with its password in a file of a Compose secret."""
        return bool(self.setting("password_file"))

    @property
    def here(self) -> bool:
        """Whether redis runs on this host."""
        return self.local or self.own

    @property
    def secure(self) -> bool:
        """Whether clients log in with TLS."""
        return self.certificate is not None and self.setting("tls") == "on"

    @property
    def folder(self) -> str:
        return f"secrets/{self.name}"

    @property
    def acl_path(self) -> str:
        return f"{self.folder}/users.acl"

    @property
    def data(self) -> str:
        """Where redis keeps its data, relative to the stack's folder."""
        return f"data/{self.entry}"

    @property
    def password_file(self) -> str:
        """The file that the password is read from, relative to the stack's folder."""
        return self.setting("password_file") or f"{self.folder}/password"

    @classmethod
    def further_secrets(cls, provided: Provided, server: str, data: Mapping[str, Any]) -> Sequence[str]:
        found = data.get(setting_of(server, "users"))
        return [_secret(provided, str(user)) for user in found] if isinstance(found, Mapping) else []

    @property
    def users(self) -> Mapping[str, Mapping[str, Any]]:
        """The services with a user of their own, which has their name → what it may do; none where all share one login."""
        return self.setting("users") or {}

    @property
    def rights(self) -> Mapping[str, str]:
        """The users of the stack's redis → what each may do, in redis' words."""
        return {OPERATOR: ALL, **{name: users.rights(one) for name, one in self.users.items()}} if self.users else {DEFAULT: ALL}

    @property
    def user(self) -> str:
        """Who logs in to redis to look at it, and to change what it accepts."""
        return str(self.setting("user")) if self.own else next(iter(self.rights))

    @property
    def operators(self) -> Sequence[str]:
        """Who may be able to: of the stack's redis also `default`, which it is before and after clients have users of their own."""
        return [self.user] if self.own else list(dict.fromkeys((DEFAULT, self.user)))

    def user_of(self, service: str) -> str:
        """Whom a service logs in as."""
        if not self.users:
            return DEFAULT
        return OPERATOR if service == self.server else service

    def _value(self, user: str) -> str:
        return (self.further.get(_secret(self.provided, user)) if user in self.users else self.value) or ""

    @property
    def values(self) -> Mapping[str, str]:
        """The settings with its secrets → their values."""
        return {name: value or "" for name, value in {self.provided.secret: self.value, **self.further}.items()}

    @property
    def logins(self) -> tuple[Login, ...]:
        return tuple(Login(user, sha256(self._value(user))) for user in ([self.user] if self.own else self.rights))

    def wrong(self, stack: Stack) -> Iterator[str]:
        setting = setting_of(self.entry, "users")
        if not self.users:
            return
        yield from users.problems(setting, self.users)
        if self.own:
            file = setting_of(self.entry, "password_file")
            yield f"{setting}: the redis of {file} has the users that its project gives it. Set one of the two."
        for service in stack.clients(self.name):
            if service != self.server and service not in self.users:
                yield f"{setting}: {service} uses {self.name!r} and has no user of its own. Add it, with what it may do."
        for name, value in self.values.items():
            same = next(one for one, other in self.values.items() if other == value)
            if value and same != name:
                yield f"{name}: is the same as {same}. Give each user a password of its own."

    @classmethod
    def rule(cls, value: str, setting: str) -> Sequence[str]:
        return plain(value, setting, "Open WebUI's Redis client takes the URL as it stands, so this would break the login.")

    def login(self, service: str) -> Mapping[str, str]:
        at = self.at or f"{self.server}:{tls.SECURE if self.secure else self.provided.port}"
        host, _, port = at.rpartition(":")
        db, user = str((self.setting("dbs") or {}).get(service, 0)), self.user_of(service)
        password, user = self._value(user), "" if user == DEFAULT else user
        # an IPv6 address stands in brackets before a port alone
        place = {"host": host.strip("[]"), "port": port, "db": db}
        # with TLS: that it is, the letter that URLs have then, the file of what clients trust, and what redis-py is told of it
        ca = f"/run/{tls.trusted_path(self.name, self.certificate)}" if self.secure and self.certificate else ""
        more = {
            "tls": "true" if ca else "",
            "s": "s" if ca else "",
            "ca": ca,
            "options": f"?{_VERIFIED}&ssl_ca_certs={ca}" if ca else "",
        }
        url = f"redis{more['s']}://{user}:{password}@{at}/{db}{more['options']}"
        return {"user": user, "password": password, "url": url, **place, **more}

    def fixes(self, service: str) -> bool:
        return self.certificate is not None or service in (self.setting("dbs") or {})

    def on(self, seen: Snapshot) -> RedisLogin:
        if not self.local:
            return self
        theirs = None if seen.own is UNKNOWN else seen.own.services.get(self.server)
        # whom the project has it run as counts more than its image
        owner = defined.owner(theirs) or self.owner
        if owner == "-":
            # where Docker does not answer, the files there say whose they are
            there = seen.file(self.acl_path).owner if seen.answer(f"{self.name}.image") is UNKNOWN else ""
            owner = OWNERS.get(self.started(seen), there or "-")
        mine = copy(self)
        mine.owner, mine.mounted = owner, theirs is not None
        if self.certificate:
            mine.starts_plain = tls.starts_plain(self, seen)
        return mine

    def started(self, seen: Snapshot) -> str:
        """How its image is started, as that itself says; "" where it says nothing, or something else."""
        words = seen.answer(f"{self.name}.image")
        return "" if words is UNKNOWN else STARTS.get(tuple(map(posixpath.basename, words[:2])), "")

    def files(self) -> Sequence[File]:
        mine = (self.acl(self.logins, self.rights), self.password()) if self.local else (self.password(),)
        return (*mine, *tls.files(self, self.certificate, self.starts_plain)) if self.certificate else mine

    def password(self) -> File:
        if self.own:
            # without a line break, which a reader might take for a part of it
            return File(self.password_file, "keep0600", self.value or "")
        # one file, so that whoever reads it never has the user of one login and the password of another
        user = "" if self.user == DEFAULT else f"user {self.user}\n"
        return File(self.password_file, "0600", f"{self.value}\n{user}", self.owner if self.local else "-")

    def acl(self, logins: Iterable[Login], rights: Mapping[str, str]) -> File:
        """The ACL file with these logins; `rights`: user → what it may do, of all users that may be among them."""
        return File(self.acl_path, "0600", acl.acl_file(logins, rights), self.owner)

    def rights_on_disk(self, seen: Snapshot) -> Mapping[str, str]:
        """Those in the ACL file."""
        return {name: user.rights for name, user in self._file(seen).items() if user.rights}

    def rights_now(self, seen: Snapshot) -> Mapping[str, str]:
        """What each user may do as long as there are some that the stack does not have, or no longer."""
        others = {DEFAULT: ALL, **self.rights_on_disk(seen)}
        return {**self.rights, **{name: words for name, words in others.items() if name not in self.rights}}

    def passwords(self) -> Sequence[str]:
        return (self.password_file,)

    def texts(self) -> Sequence[str]:
        return (self.acl_path,) if self.local else ()

    def folders(self) -> Sequence[Folder]:
        return (Folder(self.data, "0700", self.owner),) if self.local and not self.mounted else ()

    def asked(self, stack: Stack) -> Asked:
        found: dict[str, Any] = {self.name: (Redis, self._login(stack))}
        if self.certificate:
            place = {"root": stack.settings.stack_dir, "project": stack.settings.stack_name, "server": self.server}
            at = self.at if self.secure else None
            if self.local or at:
                found[f"{self.name}.certificate"] = (Certificate, {**place, "at": at, "trusted": self.certificate.trusted})
        if self.local and flavour(self.settings, self.entry) is None:
            image = {"project": stack.settings.stack_name, "image": self.setting("image") or "", "server": self.server}
            found[f"{self.name}.image"] = (Image, image)
        if self.own:
            overrides = {"project": stack.settings.stack_name, "path": stack.path(self.password_file), "server": self.server}
            found[f"{self.name}.overrides"] = (Overrides, overrides)
        return found

    def asked_again(self, stack: Stack, answers: Mapping[str, Any]) -> Asked:
        redis = answers.get(self.name, UNKNOWN)
        again: dict[str, Any] = {}
        if redis is not UNKNOWN and redis.refuses and self.at is None:
            again[self.name] = (TriedRedis, self._login(stack))
        if self.local and redis is not UNKNOWN and self._changes(redis):
            login = {name: value for name, value in self._login(stack).items() if name not in ("at", "dry", "secure")}
            again[f"{self.name}.neighbours"] = (Neighbours, login)
        if naming.unclear(self, answers):
            again[naming.asked(self)] = (Servers, {"project": stack.settings.stack_name, "server": self.server})
        return again

    def _changes(self, redis: SeenRedis) -> bool:
        """Whether something that it accepts now may be refused soon."""
        return redis.refuses or redis.anonymous == "PONG" or bool(set(redis.logins) - set(self.logins))

    def told(self, seen: Snapshot) -> Mapping[str, str]:
        name = naming.name(self, seen)
        return {setting_of(self.entry, "service"): name} if name else {}

    def _login(self, stack: Stack) -> dict[str, Any]:
        return {
            "root": stack.settings.stack_dir, "project": stack.settings.stack_name, "server": self.server, "at": self.at,
            "users": self.operators, "password_file": self.password_file, "dry": self.forbidden,
            "ca": self.ca, "secure": self.secure and self.at is not None,
        }  # fmt: skip

    @property
    def ca(self) -> str:
        """What is trusted on this host where redis wants TLS; relative to the stack's folder."""
        return f"{self.folder}/ca.crt"

    def unready(self, seen: Snapshot) -> str:
        shown = tls.presented(self, seen)
        if not self.secure or self.at is None:
            return ""
        if shown is UNKNOWN:
            return "does not answer with TLS"
        return "" if shown.trusted or shown.lacking else f"has no certificate that is trusted ({shown.words})"

    @property
    def forbidden(self) -> Sequence[str]:
        """User and command, of all that the users must not be allowed to do."""
        return [f"{name} {command}" for name, one in self.users.items() for command in users.forbidden(one)]

    def redis(self, seen: Snapshot) -> SeenRedis | Any:
        return redis_of(seen, self.name)

    def observed(self, seen: Snapshot) -> bool:
        up = any(container.up for container in seen.of(self.server))
        return not (self.here and self.redis(seen) is UNKNOWN and up)

    def _file(self, seen: Snapshot) -> Mapping[str, User]:
        return {} if seen.texts is UNKNOWN else dict(acl.users(seen.texts.get(self.acl_path, "").splitlines()))

    def on_disk(self, seen: Snapshot) -> tuple[Login, ...]:
        """What the ACL file has redis accept."""
        return tuple(Login(name, digest) for name, user in self._file(seen).items() for digest in user.digests)

    def accepted(self, seen: Snapshot) -> tuple[Login, ...]:
        redis = self.redis(seen)
        loaded = () if redis is UNKNOWN or (self.own and redis.denied) else redis.logins
        if not self.own:
            return tuple(dict.fromkeys((*self.on_disk(seen), *loaded)))
        # of the project's own, those of the users that share the password
        shared = {self.digest, *(one.digest for one in loaded if one.user == self.user)}
        sharing = {one.user for one in loaded if one.digest in shared}
        return tuple(one for one in loaded if one.user in sharing)

    def desired(self, seen: Snapshot) -> tuple[Login, ...]:
        """What it should accept, and nothing else."""
        if not self.own:
            return self.logins
        return tuple(dict.fromkeys(Login(one.user, self.digest) for one in self.accepted(seen)))

    def others(self, seen: Snapshot) -> tuple[Login, ...]:
        """What it accepts besides."""
        desired = self.desired(seen)
        return tuple(one for one in self.accepted(seen) if one not in desired)

    def in_place(self, seen: Snapshot) -> bool:
        """Whether the password's file is as desired."""
        return seen.file(self.password_file).sha256 == self.password().sha256

    def kept(self, seen: Snapshot) -> Mapping[str, bool]:
        return {self.password_file: self.in_place(seen)}

    def readers(self, stack: Stack, seen: Snapshot) -> tuple[str, ...]:
        """The services that have the secret's file, told by their mounts."""
        if not self.own or seen.containers is UNKNOWN:
            return ()
        path = stack.path(self.password_file)
        return tuple(sorted({one.service for one in seen.containers if path in one.mounts.values()} - {self.server}))

    def stale(self, stack: Stack, seen: Snapshot) -> tuple[str, ...]:
        """The readers that have another password: all where the file will be written, else those older than it.

        The file is mounted by itself, so a reader sees another one only when its container is started again, unnoticed by Compose.
        """
        if self.in_place(seen):
            changed = seen.file(self.password_file).changed
            return tuple(name for name in self.readers(stack, seen) if any(one.created < changed for one in seen.of(name)))
        return self.readers(stack, seen)


def _secret(provided: Provided, user: str) -> str:
    """The setting with the password of a user: redis_password_my_app for my-app."""
    return f"{provided.secret}_{user.replace('-', '_')}"
