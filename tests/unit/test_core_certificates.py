"""Certificates of the local authority, when they are renewed, and what is wrong with one that was brought along."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat
from cryptography.hazmat.primitives.serialization import load_pem_private_key as load_key
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from slipway.core import certificates
from slipway.core.certificates import Pair

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
AUTHORITY = certificates.authority("Slipway shop.test", NOW)
OTHER = certificates.authority("Somebody else", NOW)
NAMES = ["shop.test", "www.shop.test", "*.stock.test", "127.0.0.1"]
LEAF = certificates.issue(AUTHORITY, NAMES, NOW)
STRANGER = certificates.issue(OTHER, NAMES, NOW)


def verified(pair: Pair, name: str, authority: Pair = AUTHORITY, now: datetime = NOW) -> None:
    """As a browser does that has imported the authority. Raises VerificationError."""
    store = Store([x509.load_pem_x509_certificate(authority.certificate.encode())])
    verifier = PolicyBuilder().store(store).time(now).build_server_verifier(x509.DNSName(name))
    verifier.verify(x509.load_pem_x509_certificate(pair.certificate.encode()), [])


def test_a_browser_with_the_authority_accepts_each_name_and_no_other() -> None:
    for name in ("shop.test", "www.shop.test", "any.stock.test"):
        verified(LEAF, name)
    for name in ("other.test", "stock.test", "a.b.stock.test"):
        with pytest.raises(VerificationError):
            verified(LEAF, name)
    with pytest.raises(VerificationError):
        verified(LEAF, "shop.test", OTHER)


def test_a_leaf_cannot_sign_another() -> None:
    with pytest.raises(VerificationError):
        verified(certificates.issue(LEAF, ["shop.test"], NOW), "shop.test", LEAF)


def test_the_authority_signs_leaves_and_no_other_authority() -> None:
    extensions = x509.load_pem_x509_certificate(AUTHORITY.certificate.encode()).extensions
    constraints = extensions.get_extension_for_class(x509.BasicConstraints)
    assert (constraints.critical, constraints.value.ca, constraints.value.path_length) == (True, True, 0)


def test_a_certificate_lives_at_most_90_days_on_an_elliptic_curve_and_no_two_share_a_key() -> None:
    start, end = certificates.validity(LEAF.certificate)
    assert start < NOW
    assert end - start <= timedelta(days=90)
    leaf = x509.load_pem_x509_certificate(LEAF.certificate.encode())
    assert getattr(leaf.public_key(), "curve").name == "secp256r1"  # noqa: B009 - not every key has one
    again = certificates.issue(AUTHORITY, NAMES, NOW)
    assert again.key != LEAF.key
    assert certificates.fingerprint(again.certificate) != certificates.fingerprint(LEAF.certificate)


@pytest.mark.parametrize(("days", "left"), [(90, 30), (12, 4), (9, 4.5), (6, 3)])
def test_it_is_renewed_when_a_third_is_left_or_a_half_of_a_short_life(days: int, left: float) -> None:
    short = certificates.issue(AUTHORITY, ["shop.test"], NOW, days)
    assert certificates.validity(short.certificate)[1] - certificates.renewal(short.certificate) == timedelta(days=left)


def test_key_and_chain_in_one_file_are_read_as_either() -> None:
    combined = LEAF.combined
    assert certificates.fingerprint(combined) == certificates.fingerprint(LEAF.certificate)
    assert load_key(combined.encode(), None)


def locked(pair: Pair) -> str:
    key = load_key(pair.key.encode(), None)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")).decode()


@dataclass(frozen=True)
class Brought:
    """What somebody brought along, and what is said of it."""

    says: tuple[str, ...] = ()
    chain: str = LEAF.certificate
    key: str = LEAF.key
    names: tuple[str, ...] = ("shop.test",)
    now: datetime = NOW


CASES = {
    "a leaf alone": Brought(),
    "a leaf and who signed it": Brought(chain=LEAF.certificate + AUTHORITY.certificate),
    "key and chain in one file": Brought(chain=LEAF.combined, key=LEAF.combined),
    "a name by its star": Brought(names=("any.stock.test",)),
    "no certificate": Brought(("holds no certificate",), chain="hello"),
    "an empty file": Brought(("holds no certificate",), chain=""),
    "no key": Brought(("holds no private key",), key="hello"),
    "a key with a passphrase": Brought(("locked with a passphrase",), key=locked(LEAF)),
    "another one's key": Brought(("the key does not belong",), key=STRANGER.key),
    "root first": Brought(("the key does not belong", "out of order"), chain=AUTHORITY.certificate + LEAF.certificate,
                          names=()),
    "another one's chain": Brought(("certificate 2 did not sign certificate 1",),
                                   chain=LEAF.certificate + OTHER.certificate),
    "too late": Brought(("expired on 2027-02-19",), now=NOW + timedelta(days=91)),
    "too early": Brought(("valid only from 2026-11-21",), now=NOW - timedelta(days=1)),
    "other names": Brought(("not for other.test, stock.test",), names=("other.test", "shop.test", "stock.test")),
    "a star is one label": Brought(("not for a.b.stock.test",), names=("a.b.stock.test",)),
    "everything at once": Brought(("does not belong", "expired", "not for x.test"), key=OTHER.key, names=("x.test",),
                                  now=NOW + timedelta(days=100)),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_what_was_brought_along_is_judged_before_nginx_has_to(case: Brought) -> None:
    found = certificates.problems(case.chain, case.key, case.names, case.now)
    assert len(found) == len(case.says), found
    for problem, says in zip(found, case.says, strict=True):
        assert says in problem
    assert "PRIVATE" not in " ".join(found)
