"""What a real nginx makes of the texts about TLS, headers and rates; a little service stands behind it."""

from __future__ import annotations

import resource
import secrets
import select
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from docker.models.containers import Container

from slipway.core import certificates
from slipway.core.certificates import Pair
from slipway.engine.edge import Edge
from slipway.nginx import headers, pages, tls
from slipway.nginx import main as nginx_main
from slipway.nginx.routes import EdgeModel, Release
from slipway.nginx.tls import CERTIFICATES, CHALLENGES, FOLDER, SITE, Tls
from slipway.site.edge import HeaderProfile, TlsProfile
from slipway.site.site import Service
from tests.servers.test_rendered_texts import put, run
from tests.support import engine
from tests.support.base_images import base_image
from tests.support.nginx_files import DEFAULT, render
from tests.support.waiting import wait_until

SHOP = Service(name="shop", route="/", health="/health", static={"/static/": "app/static"})
AWAY = Service(name="away", route="/away/", health="/health")
ADMIN = Service(name="admin", route="/", host="admin.test", health="/health")
SERVERS = (("a.test", "b.test"), ("admin.test",))
MODES = {
    "off": None,
    "one certificate": Tls(port=8443, version="1", hsts=600),
    "modern": Tls(port=8443, version="1", profile=TlsProfile.MODERN),
    "acme": Tls(port=8443, servers=SERVERS),
}
EDGE = EdgeModel(
    services=(SHOP, AWAY, ADMIN), callers={}, hosts=SERVERS[0], rate_limits={"/login": 3, "/slow/": 1}, max_header=16
)
SERVER = """\
import http.server


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(404 if self.path == "/missing" else 200)
        if self.path == "/own":
            self.send_header("Content-Security-Policy", "default-src 'none'; frame-ancestors https://a.example")
            self.send_header("X-Content-Type-Options", "nosniff")
            self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("X-Powered-By", "Python 3")
        self.end_headers()
        self.wfile.write(f"{self.path} over {self.headers['X-Forwarded-Proto']}".encode())
        if self.path == "/host":
            self.wfile.write(f" {self.headers['Host']} {self.headers['X-Forwarded-Host']}".encode())


http.server.ThreadingHTTPServer(("", 5000), Handler).serve_forever()
"""
PORTS: Any = {"80/tcp": ("127.0.0.1", None), "443/tcp": ("127.0.0.1", None)}
"""Free ones of this machine."""
SLOW = 4000
"""Connections that never end the head of their request."""
NOW = datetime.now(UTC)
AUTHORITY = certificates.authority("Test", NOW)


def issued(*names: str) -> Pair:
    return certificates.issue(AUTHORITY, names, NOW)


FILES = {
    f"{FOLDER}/{SITE}": issued("a.test", "b.test", "admin.test").combined,
    f"{FOLDER}/{CERTIFICATES}/a.test.pem": issued("a.test", "b.test").combined,
    f"{FOLDER}/{CERTIFICATES}/admin.test.pem": issued("admin.test").combined,
    f"{FOLDER}/{CHALLENGES}/.well-known/acme-challenge/token": "the answer",
}


@dataclass(frozen=True)
class Server:
    """nginx with its ports published on this machine; `authority` is the file of the certificate to trust."""

    container: Container
    authority: Path

    def port(self, inside: int) -> int:
        return engine.published(self.container, inside)[1]

    def curl(self, path: str, *options: str, host: str = "a.test", secure: bool = True) -> str:
        """Head and body of an answer."""
        scheme, port = ("https", self.port(443)) if secure else ("http", self.port(80))
        command = ["curl", "-sSi", "--noproxy", "*", "--cacert", str(self.authority), *options]
        done = subprocess.run(
            [*command, "--resolve", f"{host}:{port}:127.0.0.1", f"{scheme}://{host}:{port}{path}"],
            capture_output=True, text=True, check=False, timeout=30,
        )  # fmt: skip
        return done.stdout or done.stderr

    def handshake(self, *options: str) -> str:
        """What openssl tells of a handshake, or of how it was refused."""
        target = ["-connect", f"127.0.0.1:{self.port(443)}", "-servername", "a.test"]
        command = ["openssl", "s_client", *target, "-CAfile", str(self.authority), *options]
        done = subprocess.run(command, input="", capture_output=True, text=True, check=False, timeout=30)
        return done.stdout + done.stderr

    def configure(self, edge: EdgeModel) -> None:
        """Another configuration, checked and taken up by a reload."""
        put(self.container, files(edge, f"{self.container.labels['backend']}"))
        code, output = run(self.container, "nginx", "-t")
        assert code == 0, output
        assert "warn" not in output, output
        Edge(self.container, nginx_main.LIVE, DEFAULT, nginx_main.INTERNAL_PORT).reload()


def files(edge: EdgeModel, backend: str) -> dict[str, str]:
    releases = [
        Release(service="shop", servers=(backend,), static=("new",)),
        Release(service="away", servers=("nowhere",)),
        Release(service="admin", servers=(backend,)),
    ]
    texts = render(edge, releases) | pages.files(max_body=edge.max_body)
    main = {DEFAULT: texts.pop(nginx_main.MAIN_FILE)}
    return main | {f"{nginx_main.LIVE}/{name}": text for name, text in texts.items()} | FILES


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    project = f"tls-{secrets.token_hex(4)}"
    client = engine.client()
    client.networks.create(f"{project}-net")
    try:
        backend = f"{project}-backend"
        client.containers.run(
            base_image("python"), ["python", "-c", SERVER], name=backend, network=f"{project}-net", detach=True
        )
        container = client.containers.create(
            base_image("nginx"), name=f"{project}-nginx", network=f"{project}-net", user="0",
            entrypoint=["nginx", "-g", "daemon off;"], tmpfs={nginx_main.TEMPORARY: ""},
            ports=PORTS, labels={"backend": backend},
        )  # fmt: skip
        put(container, files(replace(EDGE, tls=MODES["one certificate"]), backend))
        container.start()
        authority = tmp_path_factory.mktemp("authority") / "ca.pem"
        authority.write_text(AUTHORITY.certificate)
        made = Server(container, authority)
        wait_until("nginx serves the service", lambda: "/ over https" in made.curl("/"), 20)
        yield made
    finally:
        engine.remove_all(project)


@pytest.mark.parametrize(("mode", "profile"), list(product(MODES, HeaderProfile)))
def test_nginx_takes_every_mode_with_every_header_profile_by_a_reload(
    server: Server, mode: str, profile: HeaderProfile
) -> None:
    server.configure(replace(EDGE, tls=MODES[mode], headers=profile))
    answer = server.curl("/", secure=mode != "off")
    assert f"/ over {'https' if mode != 'off' else 'http'}" in answer, answer
    for name in headers.PROFILES[HeaderProfile.STRICT]:
        assert answer.lower().count(f"\n{name.lower()}:") == (1 if name in headers.PROFILES[profile] else 0), answer


@pytest.fixture
def secure(server: Server) -> Server:
    server.configure(replace(EDGE, tls=MODES["one certificate"], headers=HeaderProfile.STRICT))
    return server


def test_the_plain_port_redirects_but_for_challenges(server: Server) -> None:
    server.configure(replace(EDGE, tls=MODES["acme"]))
    answer = server.curl("/some/path?x=1", secure=False)
    assert " 308 " in answer.splitlines()[0]
    assert "Location: https://a.test:8443/some/path?x=1" in answer
    token = "/.well-known/acme-challenge/token"
    assert server.curl(token, secure=False).endswith("the answer")
    assert " 404 " in server.curl("/.well-known/acme-challenge/other", secure=False).splitlines()[0]
    server.configure(replace(EDGE, tls=MODES["one certificate"]))
    assert server.curl(token, secure=False).endswith(f"{token} over http"), "nobody else answers it then"


def test_a_service_hears_the_name_that_was_let_in_and_no_other(server: Server) -> None:
    server.configure(replace(EDGE, tls=None))
    port = server.port(80)
    assert server.curl("/host", secure=False).endswith(f"/host over http a.test:{port} a.test:{port}")
    assert " 404 " in server.curl("/host", "-H", "Host: other.test", secure=False).splitlines()[0]
    whole = ("--request-target", "http://a.test:81/host", "-H", "Host: other.test")
    assert server.curl("/", *whole, secure=False).endswith("/host over http a.test:81 a.test:81")
    server.configure(replace(EDGE, tls=MODES["one certificate"]))
    assert server.curl("/host").endswith(f" a.test:{server.port(443)} a.test:{server.port(443)}"), "HTTP/2 has no Host"


@pytest.mark.parametrize("host", ["a.test", "b.test", "admin.test"])
def test_each_name_shows_a_certificate_that_holds_for_it(server: Server, host: str) -> None:
    server.configure(replace(EDGE, tls=MODES["acme"]))
    assert "/ over https" in server.curl("/", host=host)


def test_old_protocols_are_refused_and_http_2_is_spoken(secure: Server) -> None:
    for version, cipher in (("-tls1", "@SECLEVEL=0:ALL"), ("-tls1_1", "@SECLEVEL=0:ALL")):
        assert "Cipher is (NONE)" in secure.handshake(version, "-cipher", cipher), version
    for version in ("-tls1_2", "-tls1_3"):
        shown = secure.handshake(version)
        assert "Verify return code: 0 (ok)" in shown, shown
        assert "Cipher is (NONE)" not in shown, shown
    assert "Cipher is (NONE)" in secure.handshake("-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA256")
    assert secure.curl("/").startswith("HTTP/2 200")
    secure.configure(replace(EDGE, tls=MODES["modern"]))
    assert "Cipher is (NONE)" in secure.handshake("-tls1_2")
    assert "Verify return code: 0 (ok)" in secure.handshake("-tls1_3")


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_a_session_is_resumed_also_after_a_reload(secure: Server, version: str, tmp_path: Path) -> None:
    session = str(tmp_path / "session")
    request = "GET / HTTP/1.0\r\nHost: a.test\r\n\r\n"
    target = ["-connect", f"127.0.0.1:{secure.port(443)}", "-servername", "a.test", version, "-ign_eof"]

    def ask(*options: str) -> str:
        command = ["openssl", "s_client", *target, "-CAfile", str(secure.authority), *options]
        return subprocess.run(command, input=request, capture_output=True, text=True, check=False, timeout=30).stdout

    assert "\nNew, " in ask("-sess_out", session)
    secure.configure(replace(EDGE, tls=MODES["one certificate"], headers=HeaderProfile.STRICT, max_body=17))
    assert "\nReused, " in ask("-sess_in", session)


@pytest.mark.parametrize(
    ("path", "status", "options"),
    [
        ("/", 200, ()),
        ("/missing", 404, ()),
        ("/static/none.css", 200, ()),
        ("/away/", 503, ()),
        ("/away", 308, ()),
        ("/", 413, ("-H", "Content-Length: 99999999", "-X", "POST")),
        ("/", 400, ("-H", f"X: {'x' * 20000}")),
        ("/", 405, ("-X", "TRACE")),
    ],
)
def test_the_headers_are_on_every_status_once(secure: Server, path: str, status: int, options: tuple[str, ...]) -> None:
    answer = secure.curl(path, "--http1.1", *options)
    assert f" {status} " in answer.splitlines()[0] + " ", answer
    head = answer.partition("\r\n\r\n")[0].lower()
    for name in (*headers.PROFILES[HeaderProfile.STRICT], headers.HSTS):
        assert head.count(f"\n{name.lower()}:") == 1, (name, answer)
    assert "x-powered-by" not in head
    assert "nginx/" not in answer


def test_a_services_own_headers_win_and_are_not_doubled(secure: Server) -> None:
    head = secure.curl("/own", "--http1.1").partition("\r\n\r\n")[0]
    assert "Content-Security-Policy: default-src 'none'; frame-ancestors https://a.example" in head
    assert "Referrer-Policy: no-referrer" in head
    for name in ("Content-Security-Policy", "Referrer-Policy", "X-Content-Type-Options"):
        assert head.count(f"{name}:") == 1, head
    assert "X-Frame-Options" not in head, "its policy says more about frames"


def test_the_edges_own_pages_keep_their_style_under_a_strict_policy(secure: Server) -> None:
    policy = next(line for line in secure.curl("/away/").splitlines() if line.startswith("content-security-policy:"))
    assert "style-src 'self' 'unsafe-inline'" in policy
    assert "unsafe-inline" not in secure.curl("/")


def test_whoever_asks_too_often_is_refused_and_others_are_not(secure: Server) -> None:
    statuses = [int(secure.curl("/login").split()[1]) for _ in range(5)]
    assert statuses == [200, 200, 200, 429, 429]
    assert secure.curl("/login2").startswith("HTTP/2 200")
    secure.configure(replace(EDGE, tls=MODES["one certificate"], rate_limits={"/login": 600}))
    assert secure.curl("/login").startswith("HTTP/2 200"), "another rate holds after a reload"


def test_a_long_header_fits_as_declared(server: Server) -> None:
    server.configure(replace(EDGE, tls=None))
    line = ("-H", f"Cookie: {'x' * 12000}")
    assert server.curl("/", *line, secure=False).startswith("HTTP/1.1 200")
    server.configure(replace(EDGE, tls=None, max_header=8))
    assert server.curl("/", *line, secure=False).startswith("HTTP/1.1 400")


def test_the_site_answers_while_thousands_of_connections_say_the_beginning_of_a_request(server: Server) -> None:
    server.configure(replace(EDGE, tls=None))
    address, (soft, hard) = engine.address(server.container), resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 2 * SLOW)), hard))
    opened = []
    try:
        for _ in range(SLOW):
            opened.append(slow := socket.create_connection((address, 80), 10))
            slow.sendall(b"GET / HTTP/1.1\r\nHost: a.test\r\nX: " + b"x" * 2000)
        assert server.curl("/", secure=False).startswith("HTTP/1.1 200")
    finally:
        for slow in opened:
            slow.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_one_address_has_so_many_requests_open_and_no_more(server: Server) -> None:
    server.configure(replace(EDGE, tls=None, connections_per_address=3))
    asked = b"POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 10\r\n\r\nx"
    opened = [socket.create_connection((engine.address(server.container), 80), 10) for _ in range(4)]
    for slow in opened:
        slow.sendall(asked)
    refused, _, _ = select.select(opened, [], [], 10)
    assert [each.recv(100)[:12] for each in refused] == [b"HTTP/1.1 429"], "the fourth; the others are waited for"
    for slow in opened:
        slow.close()
    wait_until("it is let in again", lambda: server.curl("/", secure=False).startswith("HTTP/1.1 200"), 10)


def test_names_may_be_as_long_and_as_many_as_dns_lets_them(server: Server) -> None:
    longest = ".".join(["a" * 61] * 4)[:249] + ".org"
    many = tuple(f"{'n' * 50}{number}.example.org" for number in range(500))
    server.configure(replace(EDGE, tls=None, hosts=(longest, *many)))
    for host in (longest, many[-1]):
        assert server.curl("/host", "-H", f"Host: {host}", secure=False).endswith(f" {host} {host}")


def test_ciphers_and_curves_are_what_the_text_says(secure: Server) -> None:
    chosen = {
        cipher: "Cipher is (NONE)" not in secure.handshake("-tls1_2", "-cipher", cipher) for cipher in tls.CIPHERS
    }
    assert {cipher for cipher, taken in chosen.items() if taken} == {c for c in tls.CIPHERS if "ECDSA" in c}
    for curve, taken in (("X25519", True), ("P-256", True), ("P-384", True), ("P-521", False)):
        assert ("Cipher is (NONE)" not in secure.handshake("-tls1_3", "-curves", curve)) is taken, curve
