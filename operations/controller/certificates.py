"""Certificates and private keys in PEM: made, signed, read and compared. Keys are on the curve P-256, which every client knows."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes, CertificateIssuerPublicKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ..stack.errors import CertificateError

AUTHORITY = timedelta(days=3650)
SERVER = timedelta(days=365)
_SKEW = timedelta(hours=1)  # by which a host's clock may be behind


class Pair(NamedTuple):
    """A private key, and certificates of which the first one is for it."""

    key: CertificateIssuerPrivateKeyTypes
    chain: Sequence[x509.Certificate]

    @property
    def own(self) -> x509.Certificate:
        return self.chain[0]

    def pem(self) -> str:
        return private(self.key) + "".join(map(pem, self.chain))


def authority() -> Pair:
    """A new authority, which signs its own certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Fleet {now():%Y-%m-%d %H:%M:%S}")])
    own = x509.CertificateBuilder().subject_name(name).issuer_name(name).not_valid_after(now() + AUTHORITY)
    own = own.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    return Pair(key, [_signed(own, key.public_key(), key, signs=True)])


def issue(issuer: Pair, names: Sequence[str]) -> Pair:
    """A new key and certificate of a server with these names: DNS names and addresses."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    end = min(now() + SERVER, issuer.own.not_valid_after_utc)
    own = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer.own.subject).not_valid_after(end)
    own = own.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    own = own.add_extension(x509.SubjectAlternativeName(list(map(_alternative, names))), critical=False)
    own = own.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    return Pair(key, [_signed(own, key.public_key(), issuer.key, signs=False)])


def _signed(
    own: x509.CertificateBuilder, key: ec.EllipticCurvePublicKey, issuer: CertificateIssuerPrivateKeyTypes, signs: bool
) -> x509.Certificate:
    by: CertificateIssuerPublicKeyTypes = issuer.public_key()
    own = own.public_key(key).serial_number(x509.random_serial_number()).not_valid_before(now() - _SKEW)
    own = own.add_extension(_usage(signs), critical=True)
    own = own.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    own = own.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by), critical=False)
    return own.sign(issuer, hashes.SHA256())


def _usage(signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs, key_cert_sign=signs, crl_sign=signs, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def pair(where: str, text: str) -> Pair:
    """The private key and the certificates in a text.

    + where: it comes from, for the message

    Raises CertificateError where they are not there, or are no pair.
    """
    try:
        key = serialization.load_pem_private_key(text.encode(), None)
    except (ValueError, TypeError):  # which may show the text
        raise CertificateError(
            f"{where}: has no private key that can be read. Expected one in PEM, without a passphrase."
        ) from None
    chain = certificates(where, text)
    if chain[0].public_key() != key.public_key():
        raise CertificateError(f"{where}: its private key is not that of its first certificate. Put the pair there.")
    return Pair(key, chain)  # type: ignore[arg-type]  # of any kind that can sign


def certificates(where: str, text: str) -> list[x509.Certificate]:
    """All certificates in a text. Raises CertificateError where there are none."""
    try:
        return x509.load_pem_x509_certificates(text.encode())
    except ValueError:
        raise CertificateError(f"{where}: has no certificate in it. Expected some in PEM.") from None


def names(certificate: x509.Certificate) -> set[str]:
    """The names that it is for: DNS names and addresses."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return set()
    return {*found.get_values_for_type(x509.DNSName), *map(str, found.get_values_for_type(x509.IPAddress))}


def is_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def private(key: CertificateIssuerPrivateKeyTypes) -> str:
    plain = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain).decode()


def now() -> datetime:
    return datetime.now(timezone.utc)
