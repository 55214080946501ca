"""TLS at the edge of a stack, with an authority of its own and with a certificate that was brought along."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from slipway.core import certificates
from tests.e2e.site import running
from tests.e2e.tls_site import TlsSite
from tests.support.tls import served, trusting, visited
from tests.support.waiting import wait_until

NAME = "localhost"
TLS_FILE = "/etc/nginx/tls/site.pem"
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Cross-Origin-Opener-Policy": "same-origin-allow-popups",
    "Strict-Transport-Security": "max-age=300",
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, virtualenv: Path) -> Iterator[TlsSite]:
    directory = tmp_path_factory.mktemp("tls")
    declared = TlsSite(directory, virtualenv, hosts=[NAME], tls={"mode": "self-signed", "hsts": 300})
    with running(declared) as up:
        assert isinstance(up, TlsSite)
        yield up


@pytest.fixture(scope="module")
def authority(site: TlsSite) -> str:
    return str(site.outputs()["tls_authority"])


def get(site: TlsSite, authority: str, path: str = "/") -> httpx.Response:
    return httpx.get(f"https://{NAME}:{site.tls_port}{path}", verify=trusting(authority), timeout=30)


def openssl(site: TlsSite, *options: str) -> str:
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{site.tls_port}", "-servername", NAME, *options]
    done = subprocess.run(command, input="", capture_output=True, text=True, check=False, timeout=30)
    return done.stdout + done.stderr


def nginx(site: TlsSite) -> tuple[str, str]:
    """nginx's container and when it was started."""
    return site.starts({"edge"})["edge"]


def test_a_browser_with_the_stacks_authority_is_served_over_tls(site: TlsSite, authority: str) -> None:
    assert site.outputs()["url"] == f"https://{NAME}:{site.tls_port}/"
    assert get(site, authority, "/page").text == "/page over https"
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.get(f"https://{NAME}:{site.tls_port}/", timeout=30)


def test_the_plain_port_sends_visitors_to_the_other(site: TlsSite) -> None:
    answer = httpx.get(f"http://{NAME}:{site.port}/page?x=1", timeout=30)
    assert (answer.status_code, answer.headers["Location"]) == (308, f"https://{NAME}:{site.tls_port}/page?x=1")
    challenge = httpx.get(f"http://{NAME}:{site.port}/.well-known/acme-challenge/x", timeout=30)
    assert challenge.text == "/.well-known/acme-challenge/x over http"


def test_only_protocols_of_today_are_spoken(site: TlsSite, authority: str, tmp_path: Path) -> None:
    trusted = tmp_path / "authority.pem"
    trusted.write_text(authority)
    for version in ("-tls1", "-tls1_1"):
        assert "Cipher is (NONE)" in openssl(site, version, "-cipher", "ALL:@SECLEVEL=0"), version
    for version in ("-tls1_2", "-tls1_3"):
        assert "Verify return code: 0 (ok)" in openssl(site, version, "-CAfile", str(trusted)), version
    command = ["curl", "-sS", "--cacert", str(trusted), "-w", "%{http_version}", "-o", "/dev/null"]
    done = subprocess.run([*command, str(site.outputs()["url"])], capture_output=True, text=True, check=True)
    assert done.stdout == "2"


def test_the_headers_are_on_every_status_and_a_services_own_win(site: TlsSite, authority: str) -> None:
    for path, status in (("/", 200), ("/missing", 404), ("/own", 200)):
        answer = get(site, authority, path)
        assert answer.status_code == status
        assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS, path
        assert answer.headers["Server"] == "nginx"
    assert get(site, authority, "/own").headers.get_list("Content-Security-Policy") == ["default-src 'none'"]
    web = site.container("web")
    web.kill()
    try:
        answer = get(site, authority)
        assert answer.status_code == 503
        assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    finally:
        web.start()
    wait_until("the service is back", lambda: get(site, authority).status_code == 200, 20)


def test_a_second_up_and_one_with_refresh_change_nothing(site: TlsSite) -> None:
    site.assert_settled()


def test_the_keys_are_nowhere_in_plain(site: TlsSite) -> None:
    state = site.pulumi("stack", "export").stdout
    assert "PRIVATE KEY" not in state
    assert "BEGIN CERTIFICATE" in state
    for name, each in site.containers().items():
        assert "PRIVATE KEY" not in str(each.attrs), name
    listed = site.inside("edge", "stat", "-c", "%a %u", TLS_FILE)
    assert listed.split() == ["400", "101"]


def test_a_new_certificate_comes_by_up_without_a_lost_request_by_the_same_authority(
    site: TlsSite, authority: str
) -> None:
    before, container = served("127.0.0.1", site.tls_port, NAME), nginx(site)
    site.declare(hosts=[NAME, "new.example.test"])
    told = site.slipway("preview").stdout
    assert "reload of nginx" in told
    assert "restart of" not in told
    with visited(str(site.outputs()["url"]), trusting(authority), NAME) as visits:
        site.up()
        wait_until("clients meet the new one", lambda: visits.requests > 200, 30)
    assert visits.failures == []
    assert served("127.0.0.1", site.tls_port, NAME).serial_number != before.serial_number
    assert nginx(site) == container, "a reload is enough"
    assert site.outputs()["tls_authority"] == authority


def test_a_rotated_key_takes_over_without_a_lost_request_and_the_old_one_is_gone(site: TlsSite, authority: str) -> None:
    before, container = site.inside("edge", "cat", TLS_FILE), nginx(site)
    with visited(str(site.outputs()["url"]), trusting(authority), NAME) as visits:
        told = site.slipway("rotate", "edge.tls")
        wait_until("clients meet the new one", lambda seen=visits.requests: visits.requests > seen + 100, 30)  # type: ignore[misc]
    assert told.returncode == 0, told.stdout + told.stderr
    assert visits.failures == []
    assert visits.requests > 200
    after = site.inside("edge", "cat", TLS_FILE)
    key, former = (load_pem_private_key(each.encode(), None).public_key() for each in (after, before))
    assert key != former
    assert key == served("127.0.0.1", site.tls_port, NAME).public_key()
    assert site.outputs()["tls_authority"] == authority
    assert nginx(site) == container, "a reload is enough"
    old = before.split("-----")[2].strip().splitlines()[1]
    assert old not in site.pulumi("stack", "export", "--show-secrets").stdout
    site.settings["rotations"] = {"edge": {"tls": 1}}  # as the command wrote it
    site.up("--expect-no-changes")


def test_status_says_how_long_the_certificate_lasts(site: TlsSite) -> None:
    told = site.slipway("status")
    assert told.returncode == 0, told.stderr
    end = served("127.0.0.1", site.tls_port, NAME).not_valid_after_utc
    assert f"until {end:%Y-%m-%d}; the first `up` from" in " ".join(told.stdout.split())


def test_a_certificate_that_was_brought_along_takes_over_by_a_reload(site: TlsSite, authority: str) -> None:
    container, now = nginx(site), datetime.now(UTC)
    mine = certificates.authority("Mine", now)
    names = [NAME, "new.example.test"]
    pair = certificates.issue(mine, names[:1], now)
    site.write("tls/chain.pem", pair.certificate)
    site.write("tls/key.pem", pair.key)
    tls: dict[str, Any] = {"mode": "files", "hsts": 300, "certificate": "tls/chain.pem", "key": "tls/key.pem"}
    site.declare(tls=tls)
    refused = site.preview(succeeds=False).text
    assert "the certificate is not for new.example.test" in refused

    pair = certificates.issue(mine, names, now)
    site.write("tls/chain.pem", pair.certificate)
    site.write("tls/key.pem", pair.key)
    with visited(f"https://{NAME}:{site.tls_port}/", trusting(authority, mine.certificate), NAME) as visits:
        site.up()
    assert visits.failures == []
    assert nginx(site) == container
    assert get(site, mine.certificate).status_code == 200
    assert "tls_authority" not in site.outputs()
    site.up("--expect-no-changes")
    told = site.slipway("rotate", "edge.tls")
    assert told.returncode == 2
    assert "put another certificate and its key into the files" in told.stderr


def test_turned_off_and_on_again_nginx_starts_with_routes_that_suit_it(site: TlsSite) -> None:
    tls = site.settings["edge"].pop("tls")
    site.declare()
    assert "restart of nginx" in site.slipway("preview").stdout
    site.up()
    plain = httpx.get(f"http://{NAME}:{site.port}/page", timeout=30)
    assert (plain.status_code, plain.text) == (200, "/page over http")
    assert not refused_to_start(site)

    site.declare(tls=tls)
    site.up()
    assert httpx.get(f"http://{NAME}:{site.port}/", timeout=30).status_code == 308
    assert served("127.0.0.1", site.tls_port, NAME)
    assert not refused_to_start(site)


def refused_to_start(site: TlsSite) -> bool:
    """Whether nginx ended for its configuration, and was started again until it suited."""
    edge = site.container("edge")
    return bool(edge.attrs["RestartCount"]) or b"[emerg]" in edge.logs()
