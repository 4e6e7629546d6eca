"""The fleet's certificate authority, in a folder of this machine: what servers prove themselves with is issued here.

    trusted.crt                         the authorities that clients trust, the one that issues first
    retired.crt                         those that they trust no longer
    authority.pem                 0600  its private key and certificate; without this file nothing is issued
    servers/<host>/<server>.pem   0600  the private key and the certificate of a server

Where there is no authority.pem, the other files are the operator's own and are taken as they are.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

from cryptography.x509 import Certificate as X509

from .. import COMMAND
from ..report.files import alone, replace
from ..stack.certificate import RENEWED, Certificate
from ..stack.errors import CertificateError
from . import certificates
from .certificates import Pair, is_issued_by, now, pem

_RENEWED = timedelta(seconds=RENEWED)
_INIT = f"{COMMAND} tls init"


@dataclass(frozen=True)
class Authority:
    """The authority in a folder, which need not be there yet."""

    folder: Path

    @property
    def issues(self) -> bool:
        return self._authority.exists()

    def make(self) -> None:
        """A new authority issues from now on; those that are trusted already stay so."""
        with self._locked():
            made, before = certificates.authority(), _read(self._trusted) or ""
            # trusted first: what an authority issues that nobody trusts would lock everybody out
            _write(self._trusted, pem(made.own) + before, 0o644)
            _write(self._authority, made.pem())

    def retire(self) -> int:
        """The newest authority alone is trusted from now on. Returns how many are no longer."""
        with self._locked():
            newest, *others = self.trusted()
            retired = self.folder / "retired.crt"
            _write(retired, (_read(retired) or "") + "".join(map(pem, others)), 0o644)
            _write(self._trusted, pem(newest), 0o644)
        return len(others)

    def forget(self, hosts: Sequence[str] = ()) -> int:
        """What was issued to these hosts, or to all where none is named, is issued again when it is needed. Returns how many."""
        folders = [self._of(host) for host in hosts] or [self._servers]
        with self._locked():
            found = [path for folder in folders for path in folder.rglob("*.pem")]
            for path in found:
                path.unlink()
        return len(found)

    def trusted(self) -> list[X509]:
        """The authorities that clients trust. Raises CertificateError where there are none."""
        if text := _read(self._trusted):
            return certificates.certificates(str(self._trusted), text)
        raise CertificateError(f"tls_dir: {self._trusted} does not exist. Make a certificate authority for the fleet with: {_INIT}")

    def issued(self) -> Iterator[tuple[str, X509]]:
        """The certificates of servers, each with its place: <host>/<server>."""
        for path in sorted(self._servers.rglob("*.pem")):
            place = str(path.relative_to(self._servers).with_suffix(""))
            yield place, certificates.pair(str(path), _read(path, private=True) or "").own

    def certificate(self, host: str, server: str, names: Sequence[str]) -> Certificate:
        """The certificate of a server on a host: issued where there is none, and again where it ends within 30 days, lacks a
        name or is another authority's. Without names, what clients trust alone.

        Raises CertificateError where there is none that fits, and nothing to issue one with.
        """
        trusted = self.trusted()
        if not names:
            return given("".join(map(pem, trusted)))
        path = self._of(host) / f"{server}.pem"
        with self._locked():
            text, authority = _read(path, private=True), _read(self._authority, private=True)
            if authority:
                issuer = certificates.pair(str(self._authority), authority)
                if text is None or not _fits(certificates.pair(str(path), text), issuer, names):
                    text = certificates.issue(issuer, names).pem()
                    _write(path, text)
        if text is None:
            raise CertificateError(
                f"{path}: does not exist, and there is no authority that could issue it. Put a private key and its certificate for "
                f"{', '.join(names)} there (PEM, mode 0600), or make an authority with: {_INIT}"
            )
        return given("".join(map(pem, trusted)), text, names, str(path))

    @property
    def _trusted(self) -> Path:
        return self.folder / "trusted.crt"

    @property
    def _authority(self) -> Path:
        return self.folder / "authority.pem"

    @property
    def _servers(self) -> Path:
        return self.folder / "servers"

    def _of(self, host: str) -> Path:
        return self._servers / quote(host, safe="")

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Two processes do not issue at once."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise CertificateError(f"tls_dir: {self.folder} cannot be used ({error.strerror}). Name another folder.") from None
        with alone(self.folder):
            yield


def given(trusted: str, own: str | None = None, names: Sequence[str] = (), where: str = "") -> Certificate:
    """The certificate of a server that stands in texts, wherever they come from.

    + trusted: the authorities that clients trust
    + own: the private key and the certificates of the server; None for what clients trust alone
    + names: the names that it must have
    + where: it comes from, for the message

    Raises CertificateError where it is not what clients would take.
    """
    if own is None:
        return Certificate(trusted)
    found = certificates.pair(where, own)
    if missing := [name for name in names if name not in certificates.names(found.own)]:
        raise CertificateError(f"{where}: is no certificate for {', '.join(missing)}. Put one there that is.")
    known = certificates.certificates("the authorities that are trusted", trusted)
    issuer = next((one for one in known if is_issued_by(found.chain[-1], one)), None)
    if issuer is None:
        raise CertificateError(f"{where}: none of the authorities that are trusted has issued it. Add its own to them.")
    end = min(one.not_valid_after_utc for one in (*found.chain, issuer))
    if end < now():
        raise CertificateError(f"{where}: it has ended on {end:%Y-%m-%d}, or its authority has. Put another one there.")
    return Certificate(trusted, "".join(map(pem, found.chain)), certificates.private(found.key), end.timestamp())


def _fits(found: Pair, issuer: Pair, names: Sequence[str]) -> bool:
    """Whether a certificate need not be issued again."""
    end = found.own.not_valid_after_utc
    lasts = end - now() > _RENEWED or end == issuer.own.not_valid_after_utc
    return lasts and certificates.names(found.own) >= set(names) and is_issued_by(found.own, issuer.own)


def _read(path: Path, private: bool = False) -> str | None:
    """What stands in a file; None where there is none."""
    try:
        with path.open(encoding="ascii", errors="replace") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if private and mode & 0o077:
                raise CertificateError(f"{path}: its mode is {mode:04o}, so others can read the private key. Run: chmod 600 {path}")
            return file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CertificateError(f"{path}: cannot be read ({error.strerror}). Make it a file that you can read.") from None


def _write(path: Path, text: str, mode: int = 0o600) -> None:
    """The file has this text, all of it at once."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace(path, text, mode)
    except OSError as error:
        raise CertificateError(
            f"{path}: cannot be written ({error.strerror}). Make its folder one that you can write to."
        ) from None
