"""The local certificate through its provider, and placeholders on a real engine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from docker.errors import ContainerError
from pulumi.dynamic import CreateResult, UpdateResult

from slipway.core import certificates
from slipway.engine.errors import Failure
from slipway.providers import certificate
from slipway.providers.certificate import LocalCertificateProvider
from slipway.providers.placeholders import PlaceholdersProvider
from tests.providers.place import Place
from tests.support import engine

WANTED = {"names": ["shop.test", "127.0.0.1"], "days": 90.0}  # numbers arrive as protobuf has them
OURS = "certificates/shop.test.pem"


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Moves the provider's clock on by so many days."""

    def move(days: float) -> None:
        monkeypatch.setattr(certificate, "now", lambda: datetime.now(UTC) + timedelta(days=days))

    return move


def made(result: CreateResult | UpdateResult) -> dict[str, Any]:
    """What is kept in the state."""
    assert result.outs is not None
    return result.outs


def test_a_certificate_is_left_alone_until_its_last_third_and_then_renewed_by_the_same_authority(later: Any) -> None:
    provider = LocalCertificateProvider()
    first = made(provider.create(WANTED))
    assert not provider.diff("", first, WANTED).changes
    later(59)
    assert not provider.diff("", first, WANTED).changes
    later(61)
    diff = provider.diff("", first, WANTED)
    assert (diff.changes, diff.replaces) == (True, [])
    second = made(provider.update("", first, WANTED))
    assert second["fingerprint"] != first["fingerprint"]
    assert second["authority"] == first["authority"]
    assert not provider.diff("", second, WANTED).changes
    assert certificates.problems(second["combined"], second["combined"], ["shop.test"], certificate.now()) == []


def test_another_name_is_another_certificate_by_the_same_authority() -> None:
    provider = LocalCertificateProvider()
    first = made(provider.create(WANTED))
    news = {**WANTED, "names": ["other.test"]}
    assert provider.diff("", first, news).changes
    second = made(provider.update("", first, news))
    assert second["authority"] == first["authority"]
    assert certificates.problems(second["combined"], second["combined"], ["other.test"], certificate.now()) == []


def test_another_generation_is_another_key_by_the_same_authority() -> None:
    provider = LocalCertificateProvider()
    first = made(provider.create(WANTED))
    assert not provider.diff("", first, {**WANTED, "generation": 0.0}).changes, "an earlier Slipway recorded none"
    news = {**WANTED, "generation": 1.0}
    assert provider.diff("", first, news).changes
    second = made(provider.update("", first, news))
    assert second["authority"] == first["authority"]
    keys = [each["combined"].partition("-----BEGIN CERT")[0] for each in (first, second)]
    assert keys[0] != keys[1]
    assert not provider.diff("", second, news).changes


def test_an_authority_that_would_end_first_is_replaced_and_the_operator_is_told(
    later: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    provider = LocalCertificateProvider()
    first = made(provider.create(WANTED))
    later(certificates.AUTHORITY_DAYS - 80)
    second = made(provider.update("", first, WANTED))
    assert second["authority"] != first["authority"]
    assert "import" in capsys.readouterr().err


def placeholders(place: Place, **changes: Any) -> dict[str, Any]:
    props = {
        "engine": place.engine,
        "volume": f"{place.name}-tls",
        "paths": [OURS],
        "folders": ["challenges"],
        "content": "a placeholder",
        "uid": 101.0,
        "image": place.image,
        "labels": place.labels,
    }
    return props | changes


def listing(place: Place) -> list[str]:
    found = place.run("find", "/volume", "-printf", "%m %U:%G %P\n", volume=f"{place.name}-tls")
    return sorted(found.splitlines())


def test_what_is_missing_is_put_there_for_its_user_alone(place: Place) -> None:
    engine.client().volumes.create(f"{place.name}-tls")
    PlaceholdersProvider().create(placeholders(place))
    assert listing(place) == [
        f"400 101:101 {OURS}",
        "400 101:101 challenges/.keep",
        "700 101:101 ",
        "700 101:101 certificates",
        "700 101:101 challenges",
    ]
    with pytest.raises(ContainerError):
        place.run("cat", f"/volume/{OURS}", user="1000", volume=f"{place.name}-tls", privileged=False)
    assert place.leftovers() == []


def test_what_is_there_stays_whatever_else_is_asked_for(place: Place) -> None:
    engine.client().volumes.create(f"{place.name}-tls")
    provider, before = PlaceholdersProvider(), placeholders(place)
    provider.create(before)
    rewritten = f"umask 377; echo real > /volume/new; mv /volume/new /volume/{OURS}"
    place.run("sh", "-c", rewritten, user="101", volume=f"{place.name}-tls", privileged=False)
    after = placeholders(place, paths=[OURS, "certificates/other.test.pem"], content="another placeholder\n")
    provider.update("", before, after)
    read = f"cat /volume/{OURS} /volume/certificates/other.test.pem"
    # A last line without its end may be missing in what the engine shows of a container's log.
    assert place.run("sh", "-c", read, volume=f"{place.name}-tls") == "real\nanother placeholder\n"
    assert not [line for line in listing(place) if "staged" in line]


def test_a_volume_that_is_not_there_is_not_made(place: Place) -> None:
    with pytest.raises(Failure, match="there is no volume"):
        PlaceholdersProvider().create(placeholders(place))
