"""A site with certificates by an ACME authority whose key is rotated, and whose way of getting certificates changes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509

from tests.e2e.site import running
from tests.e2e.tls_site import TlsSite
from tests.support.pebble import Pebble, gateway, pebble
from tests.support.tls import served, trusting, visited
from tests.support.waiting import wait_until

NAME = "www.example.test"
WEEK = 7 * 24 * 3600
ISSUED = 60
FILE = f"/etc/nginx/tls/certificates/{NAME}.pem"


class AcmeSite(TlsSite):
    """The site with its authority, whose certificates outlast the test."""

    pebble: Pebble

    def shown(self) -> x509.Certificate:
        return served(gateway(), self.tls_port, NAME)

    def by_pebble(self) -> bool:
        return "Pebble" in self.shown().issuer.rfc4514_string()

    def ups(self) -> str:
        """Brings it up as an operator does, who is told before anything is at risk."""
        done = self.slipway("up", "--yes")
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, virtualenv: Path) -> Iterator[AcmeSite]:
    site = AcmeSite(tmp_path_factory.mktemp("acme"), virtualenv, address=gateway(), hosts=[NAME])
    with pebble([NAME], http_port=site.port, validity=WEEK) as authority:
        site.pebble = authority
        site.write("tls/ca.pem", authority.bundle)
        site.declare(tls={"mode": "acme", "directory": authority.directory, "caBundle": "tls/ca.pem"})
        with running(site):
            wait_until("there is a certificate", site.by_pebble, ISSUED)
            yield site


def test_a_rotated_key_is_certified_anew_without_a_lost_request_and_the_old_one_is_gone(site: AcmeSite) -> None:
    before, nginx = site.shown(), site.starts({"edge"})
    old = site.inside("edge", "cat", FILE).splitlines()[2]
    url = f"https://{gateway()}:{site.tls_port}/"
    with visited(url, trusting(site.pebble.authority()), NAME) as visits:
        told = site.slipway("rotate", "edge.tls")
        assert told.returncode == 0, told.stdout + told.stderr
        wait_until("clients meet the new one", lambda: site.shown().serial_number != before.serial_number, 20)
        wait_until("they go on", lambda seen=visits.requests: visits.requests > seen + 50, 20)  # type: ignore[misc]
    assert visits.failures == []
    assert site.by_pebble()
    assert site.shown().public_key() != before.public_key()
    assert site.starts({"edge"}) == nginx, "a reload is enough"
    assert not site.inside("certbot", "sh", "-c", f"grep -rlF -- '{old}' /var/lib/certbot /srv/tls || true").strip()
    site.settings["rotations"] = {"edge": {"tls": 1}}  # as the command wrote it
    site.declare()
    site.up("--expect-no-changes")


def test_another_way_of_getting_certificates_puts_nothing_at_risk_and_back_again_needs_no_new_one(
    site: AcmeSite,
) -> None:
    issued, data = site.shown(), f"{site.prefix}-certbot-data"
    acme = site.settings["edge"]["tls"]
    site.settings["edge"]["tls"] = {"mode": "self-signed"}
    site.declare()
    said = site.slipway("preview").stdout
    assert f"none; {data} with account and certificates stays" in " ".join(said.split())
    assert "data at risk" not in said
    site.ups()
    assert not site.by_pebble()
    assert {*site.containers()} == {"edge", "web"}
    assert data in site.remains()

    site.settings["edge"]["tls"] = acme
    site.declare()
    site.ups()
    # Awaited, not looked at once: at a reload a worker with the placeholder accepts connections for a moment more.
    wait_until("the very certificate is back", lambda: site.shown().serial_number == issued.serial_number, ISSUED)
