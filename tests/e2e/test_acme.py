"""Certificates by an ACME authority, from the first release on and renewed without a person: certbot against pebble."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from tests.e2e.site import running
from tests.e2e.tls_site import WEB, TlsSite
from tests.support import engine
from tests.support.pebble import Pebble, gateway, pebble
from tests.support.tls import served, trusting, visited
from tests.support.waiting import wait_until

NAMES = ["www.example.test", "example.test"]
OTHER = "api.example.test"
VALIDITY = 150
"""Seconds that a certificate lives. It is renewed after half of them, and the other half is what both certificates,
one after the other, and whatever else the machine does meanwhile may take before visitors would notice."""
ISSUED = VALIDITY


class AcmeSite(TlsSite):
    """The site with its authority."""

    pebble: Pebble

    def shown(self, name: str) -> x509.Certificate:
        return served(gateway(), self.tls_port, name)

    def by_pebble(self, name: str) -> bool:
        """Whether each of several connections is shown one: for a moment, old and new workers of nginx accept them."""
        return all("Pebble" in self.shown(name).issuer.rfc4514_string() for _ in range(10))

    def certificates(self) -> dict[str, Any]:
        """{name: what `slipway status` says}."""
        return {each["name"]: each for each in json.loads(self.slipway("status", "--json").stdout)["certificates"]}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, virtualenv: Path) -> Iterator[AcmeSite]:
    directory = tmp_path_factory.mktemp("acme")
    site = AcmeSite(directory, virtualenv, {"api": {**WEB, "host": OTHER}}, address=gateway(), hosts=NAMES)
    with pebble([*NAMES, OTHER], http_port=site.port, validity=VALIDITY) as authority:
        site.pebble = authority
        site.write("tls/ca.pem", authority.bundle)
        tls = {"mode": "acme", "email": "admin@example.test", "directory": authority.directory}
        site.declare(tls={**tls, "caBundle": "tls/ca.pem"})
        with running(site):
            yield site


def test_each_server_gets_its_certificate_after_the_first_release(site: AcmeSite) -> None:
    for name in (NAMES[0], OTHER):
        wait_until(f"{name} has a certificate", lambda name=name: site.by_pebble(name), ISSUED)  # type: ignore[misc]
    names = site.shown(NAMES[0]).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert set(names.get_values_for_type(x509.DNSName)) == set(NAMES)
    assert set(site.certificates()) == {NAMES[0], OTHER}
    assert not any(each["error"] for each in site.certificates().values())


def test_a_renewal_loses_no_request(site: AcmeSite) -> None:
    url, context = f"https://{gateway()}:{site.tls_port}/", trusting(site.pebble.authority())
    container = site.starts({"edge"})
    before = {name: site.shown(name).serial_number for name in (NAMES[0], OTHER)}
    with visited(url, context, NAMES[0]) as visits:
        for name, serial in before.items():
            renewed = functools.partial(lambda name, old: site.shown(name).serial_number != old, name, serial)
            wait_until(f"{name} has a new certificate", renewed, ISSUED)
        asked = visits.requests
        wait_until("visitors have met it", lambda: visits.requests > asked + 100, ISSUED)
    assert visits.failures == []
    assert site.starts({"edge"}) == container


def test_a_second_up_and_one_with_refresh_change_nothing(site: AcmeSite) -> None:
    site.assert_settled()


def test_an_authority_that_is_away_keeps_the_old_certificate_and_is_asked_again(site: AcmeSite) -> None:
    site.pebble.container.stop(timeout=2)
    try:
        seen = wait_until(
            "status tells that renewing fails",
            lambda: [each for each in site.certificates().values() if each["error"]],
            VALIDITY,
            pause=2,
        )
        told = site.slipway("status")
        assert told.returncode == 6
        assert "no new one since" in told.stdout
        before = site.shown(str(seen[0]["name"])).serial_number
    finally:
        site.pebble.container.start()  # with no memory of any account
    name = str(seen[0]["name"])
    wait_until("there is a new certificate", lambda: site.shown(name).serial_number != before, ISSUED)
    wait_until("nothing is wrong any more", lambda: not site.certificates()[name]["error"], ISSUED, pause=2)


def test_neither_container_shows_a_key_and_certbot_has_no_way_to_the_engine_or_to_a_service(site: AcmeSite) -> None:
    for name, each in site.containers().items():
        assert "PRIVATE KEY" not in str(each.attrs), name
    certbot = site.container("certbot").attrs
    assert "docker.sock" not in str(certbot["Mounts"])
    assert [name.rpartition("-")[0] for name in certbot["NetworkSettings"]["Networks"]] == [f"{site.prefix}-certbot"]
    listed = site.inside("edge", "stat", "-c", "%a %u", f"/etc/nginx/tls/certificates/{NAMES[0]}.pem")
    assert listed.split() == ["400", "101"]
    logs = "ls /tmp/certbot/logs 2>/dev/null || true"
    wait_until("no log of certbot is left", lambda: not site.inside("certbot", "sh", "-c", logs).strip(), ISSUED)


def test_a_lost_account_and_a_lost_stack_are_no_reason_for_a_person_to_come(site: AcmeSite) -> None:
    """The data volume is removed: a new account is made, and all certificates are issued anew."""
    data = f"{site.prefix}-certbot-data"
    site.container("certbot").remove(force=True)
    engine.client().volumes.get(data).remove()
    site.up("--refresh")
    serial = site.shown(OTHER).serial_number
    wait_until("a new account has a certificate", lambda: site.shown(OTHER).serial_number != serial, ISSUED)
    site.pulumi("destroy", "--yes", "--skip-preview")
    assert site.remains() == [data]
