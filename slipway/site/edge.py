"""What was declared about the edge. Memory is in MiB, times are in seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

LETS_ENCRYPT = "https://acme-v02.api.letsencrypt.org/directory"
LETS_ENCRYPT_STAGING = "https://acme-staging-v02.api.letsencrypt.org/directory"


class TlsMode(StrEnum):
    """Where the certificate comes from; off: the site speaks plain HTTP."""

    OFF = "off"
    SELF_SIGNED = "self-signed"
    FILES = "files"
    ACME = "acme"


class TlsProfile(StrEnum):
    """Mozilla's recommendations for servers: intermediate for every browser of the last ten years, modern for TLS 1.3
    alone."""

    INTERMEDIATE = "intermediate"
    MODERN = "modern"


class HeaderProfile(StrEnum):
    """How much the edge adds to answers that lack it (slipway.nginx.headers)."""

    OFF = "off"
    SAFE = "safe"
    STRICT = "strict"


@dataclass(frozen=True, kw_only=True)
class TlsSettings:
    """How the edge speaks TLS.

    hsts              seconds for which a browser that was here once refuses plain HTTP; 0: not said
    certificate, key  mode files: PEM files in the project's folder; the certificate's file holds the chain, leaf first
    email             mode acme: whom the authority may write to
    staging           mode acme: Let's Encrypt's test server, whose certificates no browser trusts
    directory         mode acme: the URL of another authority; ca_bundle: PEM file, in the project's folder, of the
                      certificates by which that URL is trusted
    """

    mode: TlsMode = TlsMode.OFF
    profile: TlsProfile = TlsProfile.INTERMEDIATE
    hsts: int = 0
    certificate: str | None = None
    key: str | None = None
    email: str | None = None
    staging: bool = False
    directory: str | None = None
    ca_bundle: str | None = None

    @property
    def on(self) -> bool:
        return self.mode is not TlsMode.OFF

    @property
    def authority(self) -> str:
        """The URL of the ACME directory."""
        return self.directory or (LETS_ENCRYPT_STAGING if self.staging else LETS_ENCRYPT)


@dataclass(frozen=True, kw_only=True)
class EdgeSettings:
    """nginx: where it is published, which names it answers to (none: all), whose X-Forwarded-* headers it believes,
    the largest request body in MiB, pages of the site's own ({maintenance, unavailable, too_large: file in the
    project's folder}), the seconds for which a page that is still open finds the static files of its release,
    those for which a browser keeps one without asking (0: it asks each time), those for which a WebSocket or a stream
    of server-sent events may be silent, the longest header line in KiB, how many requests a minute one address may make
    below some paths, and how many it may have open at once (0: any number)."""

    address: str = "127.0.0.1"
    port: int = 8100
    tls_port: int = 8443
    tls: TlsSettings = field(default_factory=TlsSettings)
    headers: HeaderProfile = HeaderProfile.SAFE
    rate_limits: Mapping[str, int] = field(default_factory=dict)
    connections_per_address: int = 1000
    max_header: int = 8
    hosts: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()
    max_body: int = 16
    pages: Mapping[str, str] = field(default_factory=dict)
    static_retention: int = 7 * 24 * 3600
    static_max_age: int = 0
    stream_timeout: int = 3600
    memory: int = 256
    cpus: float = 1.0
