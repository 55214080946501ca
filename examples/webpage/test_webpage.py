"""The portfolio at its names, with certificates by an authority on this machine; and on a laptop, with SQLite."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from cryptography import x509

from tests.e2e.site import merged
from tests.support.example import Example, example_running
from tests.support.pebble import Pebble, gateway, pebble
from tests.support.tls import served, trusting, visited
from tests.support.waiting import wait_until

NAMES = ["www.example.test", "example.test"]
VALIDITY = 120
"""Seconds that a certificate lives. Half of them, after which it is renewed, is also what a busy machine may take."""
CONTENT = "services/portfolio/content.json"


class Webpage(Example):
    """The site in production, with its authority; `edge` are the settings of nginx."""

    pebble: Pebble

    def __init__(self, directory: Path, virtualenv: Path) -> None:
        names: dict[str, Any] = {"edge": {"address": gateway(), "hosts": NAMES}}
        super().__init__(directory, "webpage", settings=names, virtualenv=virtualenv)
        self.edge: dict[str, Any] = self.declared()["config"]["edge"]

    def declared(self) -> dict[str, Any]:
        found: dict[str, Any] = yaml.safe_load((self.directory / "Pulumi.prod.yaml").read_text())
        return found

    @property
    def address(self) -> str:
        """Where it is published, whatever its names are."""
        return f"https://{gateway()}:{self.edge['tlsPort']}"

    @property
    def trust(self) -> ssl.SSLContext:
        return trusting(self.pebble.authority())

    def get(self, path: str, name: str = NAMES[0]) -> httpx.Response:
        """One answer, over a connection that the authority vouches for."""
        host = f"{name}:{self.edge['tlsPort']}"
        with httpx.Client(verify=self.trust, timeout=30) as client:
            return client.get(f"{self.address}{path}", headers={"Host": host}, extensions={"sni_hostname": name})

    def certificate(self) -> x509.Certificate:
        return served(gateway(), self.edge["tlsPort"], NAMES[0])

    def certified(self) -> bool:
        """Whether each of several connections is shown it: for a moment, old and new workers of nginx accept them."""
        return all("Pebble" in self.certificate().issuer.rfc4514_string() for _ in range(10))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, virtualenv: Path) -> Iterator[Webpage]:
    site = Webpage(tmp_path_factory.mktemp("webpage"), virtualenv)
    with pebble(NAMES, http_port=site.edge["port"], validity=VALIDITY) as site.pebble:
        site.write("tls/ca.pem", site.pebble.bundle)
        tls = {"directory": site.pebble.directory, "caBundle": "tls/ca.pem", "staging": False}
        site.write("Pulumi.prod.yaml", yaml.safe_dump(merged(site.declared(), {"config": {"edge": {"tls": tls}}})))
        with example_running(site):
            wait_until("there is a certificate", site.certified, VALIDITY)
            yield site


def test_one_certificate_holds_for_every_name(site: Webpage) -> None:
    names = site.certificate().extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert set(names.get_values_for_type(x509.DNSName)) == set(NAMES)
    for name in NAMES:
        assert site.get("/", name).status_code == 200, name


def test_other_names_are_not_answered_and_plain_http_leads_to_tls(site: Webpage) -> None:
    plain = f"http://{gateway()}:{site.edge['port']}/galleries/coast"
    assert httpx.get(plain, headers={"Host": "other.test"}).status_code == 404
    there = httpx.get(plain, headers={"Host": NAMES[1]})
    assert (there.status_code, there.headers["Location"]) == (
        308,
        f"https://{NAMES[1]}:{site.edge['tlsPort']}/galleries/coast",
    )


def test_the_content_is_in_postgres_and_pages_know_their_own_address_by_uwsgi(site: Webpage) -> None:
    assert "--protocol=uwsgi" in site.container("portfolio").attrs["Config"]["Cmd"]
    assert site.psql("SELECT count(*) FROM gallery WHERE parent_id IS NOT NULL", "portfolio") == "2"
    page = site.get("/galleries/boats", NAMES[1])
    assert f'rel="canonical" href="https://{NAMES[1]}:{site.edge["tlsPort"]}/galleries/boats"' in page.text
    assert page.text.index("/galleries/coast") < page.text.index("/galleries/harbour") < page.text.index("<h1>Boats")
    assert "mailto:hello@example.org" in site.get("/").text
    assert site.get("/galleries/none").status_code == 404


def test_static_files_come_from_nginx(site: Webpage) -> None:
    picture = site.get("/static/pictures/boat.svg")
    assert (picture.status_code, picture.headers["Content-Type"]) == (200, "image/svg+xml; charset=utf-8")
    assert {each["upstream_address"] for each in site.asked("/static/pictures/boat.svg")} == {""}
    assert {each["upstream_address"] for each in site.asked("/galleries/boats")} != {""}


def test_every_container_is_read_only_with_a_run_and_a_tmp_and_nginx_has_its_cache(site: Webpage) -> None:
    containers = site.containers()
    assert set(containers) == {"certbot", "edge", "portfolio", "postgres"}
    for name, each in containers.items():
        assert each.attrs["HostConfig"]["ReadonlyRootfs"], name
        assert {"/run", "/tmp"} <= set(each.attrs["HostConfig"]["Tmpfs"]), name
        site.inside(name, "sh", "-c", "! touch /etc/x 2>/dev/null && touch /run/x /tmp/x && rm /run/x /tmp/x")
    site.inside("edge", "sh", "-c", "touch /var/cache/nginx/x && rm /var/cache/nginx/x")


def test_a_second_up_changes_nothing(site: Webpage) -> None:
    site.assert_settled()


def test_new_content_and_a_renewed_certificate_lose_no_request_and_the_certificates_volume_stays(site: Webpage) -> None:
    before = site.certificate().serial_number
    certbot = site.starts({"certbot", "edge"})
    site.edit(CONTENT, "A clock for the tide", "A clock for two tides")
    site.edit("services/portfolio/src/portfolio/templates/index.html", "<h1>Portfolio", "<h1>My portfolio")
    with visited(f"{site.address}/", site.trust, NAMES[0]) as visits:
        site.slipway("up", "--yes")
        page = site.get("/").text
        assert "A clock for two tides" in page
        assert "<h1>My portfolio" in page
        assert site.certified(), "a release takes no certificate away"
        wait_until("the certificate was renewed", lambda: site.certificate().serial_number != before, VALIDITY)
    assert visits.failures == []
    assert visits.requests > 200
    assert site.starts({"certbot", "edge"}) == certbot, "neither was replaced"


def test_taken_down_it_keeps_its_data_and_certificates_until_they_are_deleted_too(site: Webpage) -> None:
    site.slipway("down", "--yes")
    assert site.remains() == [f"{site.prefix}-certbot-data", f"{site.prefix}-postgres-data"]
    site.assert_destroyed_whole()


def test_on_a_laptop_the_same_pages_come_from_sqlite(
    tmp_path_factory: pytest.TempPathFactory, virtualenv: Path
) -> None:
    directory = tmp_path_factory.mktemp("webpage-dev")
    dev = Example(directory, "webpage", "dev", settings={"adminer": False}, virtualenv=virtualenv)
    with example_running(dev):
        assert set(dev.containers()) == {"portfolio"}
        url = str(dev.outputs()["portfolio_url"])
        assert "A clock for the tide" in httpx.get(url).text
        dev.edit(CONTENT, "A clock for the tide", "A clock for two tides")
        assert "projects: 2" in dev.slipway("exec", "portfolio", "--", "flask", "init_db")
        assert "A clock for two tides" in httpx.get(url).text
        dev.assert_destroyed_whole()
