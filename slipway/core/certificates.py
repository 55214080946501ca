"""X.509: a local authority and its certificates, when to renew one, and what is wrong with one that somebody brought.

ECDSA on P-256 throughout. Everything is PEM text. A private key never leaves these functions but as a return value.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAYS = 90
"""What a certificate lives; Mozilla recommends no more (guidelines 6.0, recommended_certificate_lifespan)."""
AUTHORITY_DAYS = 3650
"""A new authority has to be imported into every browser again."""
SHORT_LIVED = timedelta(days=10)
SKEW = timedelta(hours=1)
"""Clocks of clients may be slow."""
LONGEST_COMMON_NAME = 64


@dataclass(frozen=True)
class Pair:
    """A certificate, or a chain with the leaf first, and the leaf's private key."""

    certificate: str
    key: str

    @property
    def combined(self) -> str:
        """Both in one text, which nginx reads as either: one file is replaced in one step."""
        return f"{self.key.strip()}\n{self.certificate.strip()}\n"


def authority(name: str, now: datetime) -> Pair:
    """A new authority that may sign leaves and nothing else."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:LONGEST_COMMON_NAME])])
    builder = _builder(subject, subject, key.public_key(), now, AUTHORITY_DAYS)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage(signs_certificates=True), critical=True)
    return Pair(_pem(builder.sign(key, hashes.SHA256())), _key_pem(key))


def issue(signer: Pair, names: Sequence[str], now: datetime, days: int = DAYS) -> Pair:
    """A new certificate for these host names and addresses, signed by the authority."""
    issuer, issuer_key = x509.load_pem_x509_certificate(signer.certificate.encode()), _load_key(signer.key)
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:LONGEST_COMMON_NAME])])
    builder = _builder(subject, issuer.subject, key.public_key(), now, days)
    builder = builder.add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_usage(signs_certificates=False), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    builder = builder.add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False
    )
    return Pair(_pem(builder.sign(issuer_key, hashes.SHA256())), _key_pem(key))


def validity(certificate: str) -> tuple[datetime, datetime]:
    """From when until when the leaf is valid."""
    leaf = x509.load_pem_x509_certificate(certificate.encode())
    return leaf.not_valid_before_utc, leaf.not_valid_after_utc


def renewal(certificate: str) -> datetime:
    """When to renew it: when a third of its life is left, or a half of one that lives less than ten days."""
    start, end = validity(certificate)
    life = end - start
    return end - life / (2 if life < SHORT_LIVED else 3)


def fingerprint(certificate: str) -> str:
    """The leaf's SHA-256, in hexadecimal digits."""
    return x509.load_pem_x509_certificate(certificate.encode()).fingerprint(hashes.SHA256()).hex()


def problems(chain: str, key: str, names: Iterable[str], now: datetime) -> list[str]:
    """What would keep browsers from accepting this chain (PEM, leaf first) with this key for the names; one sentence
    each, which may stand after the file's name."""
    try:
        certificates = x509.load_pem_x509_certificates(chain.encode())
    except ValueError:
        return ["the certificate's file holds no certificate in PEM form"]
    leaf = certificates[0]
    found = [*_about_key(leaf, key), *_about_order(certificates)]
    if leaf.not_valid_after_utc <= now:
        found.append(f"the certificate expired on {leaf.not_valid_after_utc:%Y-%m-%d}")
    if leaf.not_valid_before_utc > now:
        found.append(f"the certificate is valid only from {leaf.not_valid_before_utc:%Y-%m-%d}")
    if missing := [name for name in names if not _covers(leaf, name)]:
        found.append(f"the certificate is not for {', '.join(missing)}")
    return found


def _about_key(leaf: x509.Certificate, key: str) -> Iterator[str]:
    try:
        private = load_pem_private_key(key.encode(), None)
    except TypeError:
        yield "the key is locked with a passphrase, which nobody could type when nginx starts"
    except (ValueError, UnsupportedAlgorithm):
        yield "the key's file holds no private key in PEM form"
    else:
        if _spki(private.public_key()) != _spki(leaf.public_key()):
            yield "the key does not belong to the first certificate in the chain"


def _about_order(chain: Sequence[x509.Certificate]) -> Iterator[str]:
    for number, (lower, upper) in enumerate(pairwise(chain), 1):
        try:
            lower.verify_directly_issued_by(upper)
        except (ValueError, TypeError, InvalidSignature):
            yield f"the chain is out of order: certificate {number + 1} did not sign certificate {number}; leaf first"
            return


def _builder(
    subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey, now: datetime, days: int
) -> x509.CertificateBuilder:
    start = (now - SKEW).astimezone(UTC)
    return (
        x509.CertificateBuilder(subject_name=subject, issuer_name=issuer, public_key=public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _covers(leaf: x509.Certificate, name: str) -> bool:
    """Whether a browser takes the certificate for that name: as it stands there, or by a star for its first label."""
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return False
    known = {each.lower() for each in names.get_values_for_type(x509.DNSName)}
    label, _, rest = name.partition(".")
    return name in known or bool(label and "." in rest and f"*.{rest}" in known)


def _load_key(pem: str) -> ec.EllipticCurvePrivateKey:
    key = load_pem_private_key(pem.encode(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()


def _key_pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _spki(public: object) -> bytes:
    return public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)  # type: ignore[attr-defined,no-any-return]
