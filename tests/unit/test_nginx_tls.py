"""What nginx is told about TLS, headers and rates."""

from __future__ import annotations

import re

import pytest

from slipway.nginx import headers, rate_limits, tls
from slipway.nginx.routes import EdgeModel, Release, routes_conf
from slipway.nginx.tls import Tls
from slipway.site.edge import HeaderProfile, TlsProfile
from slipway.site.site import Service

SHOP = Service(name="shop", route="/", health="/health", static={"/static/": "app/static"})
ADMIN = Service(name="admin", route="/", host="admin.test", health="/health")
SERVERS = (("a.test", "b.test"), ("admin.test",))
RELEASES = [Release(service="shop", servers=("s",), static=("new",)), Release(service="admin", servers=("t",))]


def servers(text: str) -> list[str]:
    """The server blocks of routes.conf."""
    return re.findall(r"^server \{\n(?:(?!^\}).*\n)*\}", text, re.MULTILINE)


def site(chosen: Tls | None, *, profile: HeaderProfile = HeaderProfile.SAFE, hosts: tuple[str, ...] = ()) -> str:
    services = (SHOP, ADMIN)
    edge = EdgeModel(services=services, callers={"shop": ("10.1.0.0/24",)}, hosts=hosts, tls=chosen, headers=profile)
    return routes_conf(edge, RELEASES)


def test_without_tls_nothing_listens_for_it_and_nothing_redirects() -> None:
    text = site(None)
    assert "ssl" not in text
    assert "https://" not in text


@pytest.mark.parametrize("chosen", [Tls(version="1"), Tls(servers=SERVERS)], ids=["one certificate", "acme"])
def test_with_tls_only_redirects_and_challenges_are_left_on_the_plain_port(chosen: Tls) -> None:
    for block in servers(site(chosen, hosts=SERVERS[0])):
        if "listen 80" in block and "server_name _;" not in block:
            assert "return 308 https://$asked_name$request_uri;" in block
            assert set(re.findall(r"location (?:\S+ )?(/\S*) ", block)) == {"/.well-known/acme-challenge/", "/"}
            assert block.count("proxy_pass") == (0 if chosen.servers else 1)
        elif "listen 443" in block:
            assert "ssl_certificate /etc/nginx/tls/" in block
            assert "http2 on;" in block
            assert "308 https" not in block


@pytest.mark.parametrize(("port", "shown"), [(443, ""), (8443, ":8443")])
def test_the_redirect_names_the_published_port(port: int, shown: str) -> None:
    assert f"return 308 https://$asked_name{shown}$request_uri;" in site(Tls(port=port))


def test_each_server_has_its_own_certificate_and_a_stranger_sees_the_first() -> None:
    found = {}
    for block in servers(site(Tls(servers=SERVERS), hosts=SERVERS[0])):
        if "listen 443" in block:
            name = re.search(r"server_name (\S+?);?[ \n]", block)
            file = re.search(r"ssl_certificate (\S+);", block)
            assert name
            assert file
            found[name[1]] = file[1].rpartition("/")[2]
    assert found == {"_": "a.test.pem", "a.test": "a.test.pem", "admin.test": "admin.test.pem"}


def test_intermediate_and_modern_are_mozillas() -> None:
    intermediate, modern = tls.http_part(Tls()), tls.http_part(Tls(profile=TlsProfile.MODERN))
    assert "ssl_protocols TLSv1.2 TLSv1.3;" in intermediate
    assert "ssl_protocols TLSv1.3;" in modern
    assert not re.search(r"CBC|SHA:|SHA1|RC4|DES|:DHE|kRSA", intermediate)
    assert "ssl_ciphers" not in modern
    for text in (intermediate, modern):
        assert "ssl_session_tickets off;" in text
        assert "ssl_session_cache shared:" in text


def test_another_certificate_is_another_text_so_that_a_release_reloads_nginx() -> None:
    assert site(Tls(version="1")) != site(Tls(version="2"))


def test_hsts_is_said_over_tls_only_and_only_when_it_was_asked_for() -> None:
    assert "Strict-Transport-Security" not in site(Tls())
    for block in servers(site(Tls(hsts=600), hosts=("a.test",))):
        visible = "listen 443" in block and "server_name _;" not in block
        assert ("Strict-Transport-Security" in block) == visible


@pytest.mark.parametrize("profile", HeaderProfile)
@pytest.mark.parametrize("chosen", [None, Tls(hsts=600)], ids=["plain", "tls"])
def test_every_server_for_visitors_has_the_headers_and_calls_between_services_have_not(
    profile: HeaderProfile, chosen: Tls | None
) -> None:
    wanted = set(headers.PROFILES[profile])
    for block in servers(site(chosen, profile=profile, hosts=("a.test",))):
        added = set(re.findall(r"^    add_header (\S+) \$add_\w+ always;$", block, re.MULTILINE))
        own = added - {"Strict-Transport-Security"}
        assert own == (set() if "listen 5000" in block else wanted), block


def test_every_added_header_has_a_map_that_leaves_the_services_own_alone() -> None:
    text = headers.http_part(HeaderProfile.STRICT, hsts=1)
    added = re.findall(r"add_header (\S+) (\$\w+)", headers.server_part(HeaderProfile.STRICT, hsts=1))
    assert {"Content-Security-Policy", "Strict-Transport-Security"} <= {name for name, _ in added}
    for name, variable in added:
        source = re.search(rf'^map "(.*)" \{variable} {{$', text, re.MULTILINE)
        assert source, name
        assert f"$upstream_http_{name.lower().replace('-', '_')}" in source[1]


def test_a_rate_has_a_zone_whose_name_depends_on_the_path_alone() -> None:
    slow, fast = rate_limits.http_part({"/login": 10}), rate_limits.http_part({"/login": 20})
    zone = re.compile(r"zone=(\w+):")
    assert zone.findall(slow) == zone.findall(fast)
    assert zone.findall(slow) != zone.findall(rate_limits.http_part({"/log": 10}))
    assert "rate=10r/m" in slow
    assert f"limit_req zone={zone.findall(slow)[0]} burst=9 nodelay;" in rate_limits.server_part({"/login": 10})
    assert "burst" not in rate_limits.server_part({"/login": 1})
    assert rate_limits.server_part({}) == rate_limits.http_part({}) == ""


@pytest.mark.parametrize(
    ("path", "inside", "outside"),
    [
        ("/login", ("/login", "/login/", "/login/again"), ("/login2", "/x/login")),
        ("/api/", ("/api/x",), ("/api", "/a")),
    ],
)
def test_a_rate_holds_for_the_path_and_what_is_below_it(
    path: str, inside: tuple[str, ...], outside: tuple[str, ...]
) -> None:
    pattern = re.search(r'"~(.*)" \$binary', rate_limits.http_part({path: 5}))
    assert pattern
    assert all(re.search(pattern[1], each) for each in inside)
    assert not any(re.search(pattern[1], each) for each in outside)
