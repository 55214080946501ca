"""TLS at the edge, as nginx's text. It is all part of the routes, so that it takes effect by a reload.

The certificates are files below FOLDER: one for all names, or one for each server where an ACME authority issues them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from slipway.site.edge import TlsMode, TlsProfile
from slipway.site.site import Site

PORT = 443
FOLDER = "/etc/nginx/tls"
SITE = "site.pem"
"""A key and its chain in one file."""
CERTIFICATES, CHALLENGES = "certificates", "challenges"
"""Below FOLDER where an ACME authority issues the certificates: what certbot writes for nginx to read."""
CHALLENGE_PATH = "/.well-known/acme-challenge/"
PROTOCOLS = {TlsProfile.INTERMEDIATE: "TLSv1.2 TLSv1.3", TlsProfile.MODERN: "TLSv1.3"}
CIPHERS = (
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
    "ECDHE-RSA-CHACHA20-POLY1305",
)
"""For TLS 1.2; those of TLS 1.3 are OpenSSL's default. Mozilla's guidelines 6.0 (ssl-config.mozilla.org/guidelines/
6.0.json), as are PROTOCOLS and CURVES; the client's order counts (server_preferred_order false)."""
CURVES = ("?X25519MLKEM768", "X25519", "prime256v1", "secp384r1")
"""The first needs OpenSSL 3.5, which the official nginx image has since 1.29; an older one passes over it for the `?`
and would not start without."""
SESSIONS = "10m"
"""About 40,000 sessions: nginx's documentation counts 4,000 to a megabyte. They outlast reloads."""
SESSION_TIMEOUT = "1d"


@dataclass(frozen=True, kw_only=True)
class Tls:
    """What nginx must know. `port` is the published one, which redirects name; `hsts` in seconds, 0: none.

    `servers` are the names of each server that has a certificate of its own (mode acme), empty where all share one;
    `version` stands for the contents of the shared one: nginx reloads when it changes.
    """

    port: int = PORT
    profile: TlsProfile = TlsProfile.INTERMEDIATE
    hsts: int = 0
    servers: tuple[tuple[str, ...], ...] = field(default=())
    version: str = ""

    @classmethod
    def of(cls, site: Site, version: str = "") -> Tls | None:
        """None where the site speaks plain HTTP."""
        settings = site.edge.tls
        if not (settings.on and site.profile.edge):
            return None
        servers = site.hosts() if settings.mode is TlsMode.ACME else ()
        return cls(
            port=site.edge.tls_port, profile=settings.profile, hsts=settings.hsts, servers=servers, version=version
        )

    def file(self, names: Sequence[str]) -> str:
        """The certificate of the server with these names; a server without names shows that of the first."""
        if not self.servers:
            return f"{FOLDER}/{SITE}"
        own = tuple(names) if tuple(names) in self.servers else self.servers[0]
        return f"{FOLDER}/{CERTIFICATES}/{own[0]}.pem"


def http_part(tls: Tls | None) -> str:
    """What all servers share."""
    if tls is None:
        return ""
    ciphers = f"ssl_ciphers {':'.join(CIPHERS)};\n" if tls.profile is TlsProfile.INTERMEDIATE else ""
    version = f"# certificate {tls.version}\n" if tls.version else ""
    return f"""\
{version}ssl_protocols {PROTOCOLS[tls.profile]};
{ciphers}ssl_prefer_server_ciphers off;
ssl_ecdh_curve {":".join(CURVES)};
ssl_session_cache shared:tls:{SESSIONS};
ssl_session_timeout {SESSION_TIMEOUT};
ssl_session_tickets off;  # a ticket's key would outlast every session
"""


def listen(tls: Tls | None, names: Sequence[str], *, default: str = "") -> str:
    """The lines by which a server for visitors listens. `default` is "" or " default_server"."""
    if tls is None:
        return f"    listen 80{default};\n"
    file = tls.file(names)
    return f"""\
    listen {PORT} ssl{default};
    http2 on;
    ssl_certificate {file};
    ssl_certificate_key {file};
"""


def redirect(tls: Tls | None, server_names: str, *, default: str = "", headers: str = "", passed: str = "") -> str:
    """The plain server of the same names: it sends everything to the TLS one, but for the challenges by which an
    authority sees that the names are ours. `passed` is what answers those where certbot is not there to do it."""
    if tls is None:
        return ""
    files = f"root {FOLDER}/{CHALLENGES};\n        default_type text/plain;"
    port = "" if tls.port == PORT else f":{tls.port}"
    return f"""\
server {{
    listen 80{default};
    server_name {server_names};
{headers}    location ^~ {CHALLENGE_PATH} {{
        {files if tls.servers else passed or "return 404;"}
    }}
    location / {{
        return 308 https://$asked_name{port}$request_uri;
    }}
}}
"""
