"""TLS of a redis: what lies on the host for it, what redis is told, and when. Pure.

During a change redis listens both without TLS and with it, until every client has been verified. Its certificate is replaced only
then, too, for by then all of them trust its authority. It takes both from files, and reads them again without a restart.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...controller.files import put_list
from ...scripts import Script
from ...stack.certificate import Certificate
from ...stack.files import File
from ...stack.settings import Settings
from ...stack.snapshot import UNKNOWN, Snapshot
from .seen import SeenCertificate

if TYPE_CHECKING:
    from .login import RedisLogin

PLAIN, SECURE = 6379, 6380  # where redis listens in its container, without TLS and with it
USED = ("optional", "on")  # the values of redis_tls with which it speaks TLS
VALUES = (None, "off", *USED)
FOLDER = "/run/redis-auth"  # the folder of the server's files in its container
OPENS, CLOSES = f"opens port {PLAIN} without TLS", f"closes port {PLAIN}, which wants no TLS"
RENEWS = "takes its new certificate"


def values(settings: Settings) -> Mapping[str, Any]:
    """What templates want to know of it."""
    used = settings.redis_tls in USED
    return {
        "redis_tls_used": used,
        "redis_tls_published": used and bool(settings.redis_publish),
        "redis_cli_tls": f"-p {SECURE} --tls --cacert {FOLDER}/ca.crt " if used else "",
    }


def trusted_path(name: str, certificate: Certificate) -> str:
    """The file that clients have, below the stack's folder and, in their containers, below /run. Its name comes from its content,
    so that a client is recreated when that changes, whether or not it would read it again by itself."""
    return f"tls/{name}/{certificate.trusted_digest[:12]}.crt"


def files(redis: RedisLogin, certificate: Certificate, plain: bool) -> Sequence[File]:
    """+ plain: whether redis also listens without TLS when it starts"""
    trusted = (
        File(f"{redis.folder}/ca.crt", "0600", certificate.trusted, redis.owner if redis.local else "-"),
        File(trusted_path(redis.name, certificate), "0644", certificate.trusted),
    )
    if not redis.local:
        return trusted
    return (*trusted, _certificate(redis, certificate), _configuration(redis, plain))


def _certificate(redis: RedisLogin, certificate: Certificate) -> File:
    return File(f"{redis.folder}/server.pem", "0600", certificate.pem, redis.owner)


def _configuration(redis: RedisLogin, plain: bool) -> File:
    """What redis includes when it starts."""
    words = {
        "port": PLAIN if plain else 0, "tls-port": SECURE, "tls-auth-clients": "no",
        "tls-cert-file": f"{FOLDER}/server.pem", "tls-key-file": f"{FOLDER}/server.pem",
    }  # fmt: skip
    return File(f"{redis.folder}/tls.conf", "0600", "".join(f"{name} {value}\n" for name, value in words.items()), redis.owner)


def presented(redis: RedisLogin, seen: Snapshot) -> SeenCertificate | Any:
    """What redis proves itself with."""
    return seen.answer(f"{redis.name}.certificate")


def later(redis: RedisLogin, seen: Snapshot) -> Iterator[str]:
    """The files that stay as they are until redis is told to read them: it may use them now."""
    found = redis.redis(seen)
    if redis.certificate and (found is UNKNOWN or found.secure):
        files = (_certificate(redis, redis.certificate), _configuration(redis, redis.starts_plain))
        yield from (file.path for file in files if seen.exists(file.path))


def starts_plain(redis: RedisLogin, seen: Snapshot) -> bool:
    """Whether the configuration that is written where there is none lets it listen without TLS: clients that are there use that."""
    found = redis.redis(seen)
    return redis.setting("tls") == "optional" or (found is not UNKNOWN and not found.secure)


def first(redis: RedisLogin, seen: Snapshot) -> Iterator[str]:
    """What redis is told before clients are switched."""
    found = redis.redis(seen)
    if redis.certificate and found is not UNKNOWN and redis.setting("tls") == "optional" and found.secure and not found.plain:
        yield OPENS


def last(redis: RedisLogin, seen: Snapshot) -> Iterator[str]:
    """What redis is told when every client has been verified."""
    found = redis.redis(seen)
    if not redis.certificate or not redis.local or found is UNKNOWN:
        return
    if redis.setting("tls") == "on" and (found.plain or _differs(_configuration(redis, False), seen)):
        yield CLOSES
    shown = presented(redis, seen)
    other = shown is not UNKNOWN and shown.digest not in ("", redis.certificate.digest)
    if found.secure and (other or _differs(_certificate(redis, redis.certificate), seen)):
        yield RENEWS


def _differs(file: File, seen: Snapshot) -> bool:
    return seen.exists(file.path) and seen.file(file.path).sha256 != file.sha256


def told(redis: RedisLogin, where: Mapping[str, Any], plain: bool, renews: bool = False, back: bool = False) -> Script:
    """Redis listens like this from now on.

    + where: the parameters that say which redis it is, and who logs in
    + plain: also without TLS
    + renews: it takes the certificate of this stack
    + back: it takes the one that it had before, where it has that of this stack by now
    """
    assert redis.certificate
    own = _certificate(redis, redis.certificate)
    written = [_configuration(redis, plain), *([own] if renews else [])]
    return Script(
        "services/redis/tls",
        {**where, "files": put_list(written), "certificate": own.path, "back": own.sha256 if back else "", "changes": [
            f"tls-cert-file {FOLDER}/server.pem", f"port {PLAIN if plain else 0}",
        ]},
    )  # fmt: skip


def problems(redis: RedisLogin, seen: Snapshot) -> Iterator[str]:
    """What a person must put right first."""
    setting, found, shown = f"{redis.entry}_tls", redis.redis(seen), presented(redis, seen)
    if shown is not UNKNOWN and shown.lacking:
        yield f"{setting}: openssl is missing on this host, without which redis cannot be asked. Install it, then run again."
    if found is UNKNOWN or not redis.local:
        return
    if not redis.certificate:
        if found.secure and (not found.plain or any(one.port == found.secure for one in found.clients)):
            yield (
                f'{setting}: clients of {redis.server} use TLS. Nothing was changed. Set "optional" and run the deploy: redis '
                'listens without TLS too then, and clients are switched. After that set "off".'
            )
    elif shown is not UNKNOWN and shown.digest and not shown.trusted and shown.digest != redis.certificate.digest:
        yield (
            f"{setting}: {redis.server} has a certificate that clients would no longer trust ({shown.words}), so they would be "
            "locked out. Nothing was changed. Trust the authority that issued it until the deploy has replaced it (docs/tls.md)."
        )
