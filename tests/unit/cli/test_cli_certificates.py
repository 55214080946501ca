"""What status says of certificates."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from slipway.cli.certificates import STATUS
from slipway.core import certificates
from slipway.core.resource_types import LOCAL_CERTIFICATE
from tests.unit.cli.fakes import URN, Desk, container_resource

NOW = datetime.now(UTC)
FINE = {
    "hosts": ["shop.test", "www.shop.test"],
    "expires": "2027-01-02T03:04:05+00:00",
    "error": "",
    "failing_since": "",
}
FAILING = FINE | {"error": "shop.test: no such name", "failing_since": "2026-12-24T18:00:00+00:00"}


def by_certbot(desk: Desk, **told: Any) -> None:
    container = desk.engine.add("site-dev-certbot-1234567", "certbot", id="c", health="healthy")
    if told:
        container.files[STATUS] = json.dumps({"shop.test": told})
    desk.has_state(container_resource("certbot", "c"))


def by_the_stack(desk: Desk, ago: float) -> None:
    """With a certificate that was issued so many days ago."""
    issued = NOW - timedelta(days=ago)
    pair = certificates.issue(certificates.authority("Test", issued), ["shop.test"], issued)
    outputs = {"names": ["shop.test"], "certificate": pair.certificate}
    desk.engine.add("site-dev-edge-1234567", "edge", id="e", health="healthy")
    resource = {
        "type": LOCAL_CERTIFICATE,
        "urn": f"{URN}{LOCAL_CERTIFICATE}::site-dev-edge-certificate",
        "id": "x",
        "outputs": outputs,
    }
    desk.has_state(container_resource("edge", "e"), resource)


def words(text: str) -> str:
    return " ".join(text.split())


def test_status_says_until_when_certbots_certificates_last(desk: Desk) -> None:
    by_certbot(desk, **FINE)

    result = desk.run("status")

    assert result.exit_code == 0
    assert "certificate of shop.test, www.shop.test: until 2027-01-02" in words(result.stdout)


def test_a_renewal_that_fails_is_told_with_its_reason_and_ends_with_6(desk: Desk) -> None:
    by_certbot(desk, **FAILING)

    result = desk.run("status")

    assert result.exit_code == 6
    assert "no new one since 2026-12-24T18:00: shop.test: no such name" in words(result.stdout)
    told = json.loads(desk.run("status", "--json").stdout)
    assert told["well"] is False
    assert told["certificates"][0]["error"] == "shop.test: no such name"


def test_a_first_certificate_that_never_came_is_told_too(desk: Desk) -> None:
    by_certbot(desk, **FAILING | {"expires": None})
    assert "not issued yet; no new one since" in words(desk.run("status").stdout)


def test_before_certbots_first_attempt_there_is_nothing_to_say(desk: Desk) -> None:
    by_certbot(desk)
    assert json.loads(desk.run("status", "--json").stdout)["certificates"] == []


@pytest.mark.parametrize(("ago", "code", "says"), [(1, 0, "the first `up` from"), (91, 6, "its time is over")])
def test_a_certificate_of_the_stacks_own_is_renewed_by_up_and_nobody_else(
    desk: Desk, ago: float, code: int, says: str
) -> None:
    by_the_stack(desk, ago)

    result = desk.run("status")

    assert result.exit_code == code
    assert says in words(result.stdout)


def test_without_tls_nothing_is_said(desk: Desk) -> None:
    desk.engine.add("site-dev-ui-1234567", "ui", id="a", health="healthy")
    desk.has_state(container_resource("ui", "a"))
    assert "certificate" not in desk.run("status").stdout
