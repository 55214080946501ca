"""`edge:` as a user may write it."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from slipway.settings.fields import Address, DirectoryUrl, Email, Host, Network, OffIsAWord, Text, word_or_table
from slipway.settings.table import Table, setting
from slipway.site.edge import EdgeSettings, HeaderProfile, TlsMode, TlsProfile, TlsSettings

OFF = {"const": False}
"""YAML reads `off` as false."""


class PagesTable(Table):
    """`edge.pages:`"""

    maintenance: Text | None = setting(None, "while maintenance is on", example="pages/maintenance.html")
    unavailable: Text | None = setting(
        None, "where no service answers: 502, 503, 504", example="pages/unavailable.html"
    )
    too_large: Text | None = setting(None, "for a request body over the limit: 413", example="pages/too-large.html")


class TlsTable(Table):
    """`edge.tls:`, or its mode alone."""

    mode: Annotated[TlsMode, OffIsAWord] = setting(
        TlsSettings.mode,
        "`self-signed`: from the stack's own certificate authority (CA). `files`: your own certificate. `acme`: from "
        "Let's Encrypt or another CA that speaks ACME, whose terms of service you accept with this mode",
        example="self-signed",
        also=[OFF],
    )
    profile: TlsProfile = setting(
        TlsSettings.profile,
        "Mozilla's: `intermediate` for TLS 1.2 and 1.3, `modern` for 1.3 only",
        example="intermediate",
        mode="all",
    )
    hsts: int = setting(
        TlsSettings.hsts,
        "`max-age` of `Strict-Transport-Security`: seconds for which a browser that has visited the site refuses plain"
        " HTTP, and any certificate that it does not trust. You cannot take it back: begin with `300`, and go to "
        "`15768000` (half a year) when all is well",
        example=15768000,
        shown="`0`: not sent",
        unit="s",
        mode="all",
        ge=0,
        le=2 * 366 * 24 * 3600,
    )
    certificate: Text | None = setting(
        None,
        "PEM file in the project's folder, which holds the whole chain, leaf first",
        example="tls/fullchain.pem",
        mode="`files`",
    )
    key: Text | None = setting(
        None,
        "PEM file in the project's folder; keep it out of the repository",
        example="tls/privkey.pem",
        mode="`files`",
    )
    email: Email | None = setting(None, "contact address for the CA", example="admin@example.org", mode="`acme`")
    staging: bool = setting(
        TlsSettings.staging,
        "Let's Encrypt's staging server: to try things out without using up the rate limits. No browser trusts its "
        "certificates",
        example=True,
        mode="`acme`",
    )
    directory: DirectoryUrl | None = setting(
        None,
        "URL of another CA's ACME directory",
        example="https://ca.example.org/acme/directory",
        shown="Let's Encrypt's",
        mode="`acme`",
    )
    ca_bundle: Text | None = setting(
        None,
        "PEM file in the project's folder, with the CA certificates by which that URL is trusted",
        example="tls/ca.pem",
        shown="the public CAs",
        mode="`acme`",
    )


class EdgeTable(Table):
    """`edge:`"""

    address: Address = setting(
        EdgeSettings.address,
        "address of this machine that nginx is published at; `0.0.0.0` for all of them",
        example="127.0.0.1",
    )
    port: int = setting(
        EdgeSettings.port,
        "port that nginx is published at",
        example=8100,
        ge=1,
        le=65535,
    )
    tls_port: int = setting(
        EdgeSettings.tls_port, "where TLS is published; `edge.port` then redirects there", example=8443, ge=1, le=65535
    )
    tls: Annotated[TlsTable, BeforeValidator(word_or_table(TlsMode, "mode"))] = setting(
        TlsTable(),
        "`self-signed`, `files`, `acme`, or a table, see below",
        example="self-signed",
        shown="`off`",
        also=[{"enum": [*TlsMode, False]}],
    )
    headers: Annotated[HeaderProfile, OffIsAWord] = setting(
        EdgeSettings.headers,
        "security headers added if a service sends none of its own: `safe`, `strict` or `off` "
        "([tls.md](tls.md#headers))",
        example="safe",
        also=[OFF],
    )
    rate_limits: dict[str, Annotated[int, Field(ge=1, le=60000)]] = setting(
        {},
        "path: requests a minute that one address may make at that path and below, such as `{/login: 30}`; more get "
        "429",
        example={"/login": 30},
    )
    connections_per_address: int = setting(
        EdgeSettings.connections_per_address,
        "requests, WebSockets included, that one address may have open at once; more get 429. `0`: any number, for "
        "where many visitors have one address ([see below](#what-nginx-tells-a-service))",
        example=1000,
        ge=0,
        le=65535,
    )
    max_header: int = setting(
        EdgeSettings.max_header,
        "the longest header line of a request, and its longest URL; at most 12 where a service speaks uwsgi."
        " nginx and gunicorn both keep to it. Raise it if cookies are large",
        example=16,
        unit="KiB",
        ge=4,
        le=64,
    )
    hosts: tuple[Host, ...] = setting(
        (), "host names that the services without a `host` answer to", example=["www.example.org"], shown="every name"
    )
    trusted_proxies: tuple[Network, ...] = setting(
        (),
        "addresses or networks of proxies in front, whose `X-Forwarded-For` and `X-Forwarded-Proto` are trusted. One "
        "on this machine connects from the gateway of the edge's Docker network (`docker network inspect`)",
        example=["10.0.0.0/8"],
    )
    max_body: int = setting(
        EdgeSettings.max_body,
        "the largest request body. nginx receives it whole, on disk, before the service hears of it; Flask "
        "keeps files of an upload in `TMPDIR`, which is on disk as well. What a service reads as a whole "
        "(`request.data`, JSON) has to fit into its `memory`: `MAX_CONTENT_LENGTH` limits that",
        example=16,
        unit="MiB",
        ge=1,
        le=4096,
    )
    pages: PagesTable = setting(
        PagesTable(),
        "`maintenance`, `unavailable` (no service answers: 502, 503, 504), `tooLarge` (a request body over the limit: "
        "413): each an HTML file in the project's folder, at most 100 KiB, with its styles and images inline",
        example={"maintenance": "pages/maintenance.html"},
        shown="Slipway's own",
    )
    static_retention: int = setting(
        EdgeSettings.static_retention,
        "how long a page that is still open finds the static files of its release after a newer one: those with a hash"
        " in their names ([which](releases.md#static-files-of-earlier-releases))",
        example=604800,
        shown="`604800` (7 days)",
        unit="s",
        ge=60,
        le=366 * 24 * 3600,
    )
    static_max_age: int = setting(
        EdgeSettings.static_max_age,
        "how long a browser uses a static file without asking whether it has changed, such as `2592000` (30 days). A "
        "file with a hash in its name is cached for a year regardless",
        example=2592000,
        shown="`0`: it asks each time",
        unit="s",
        ge=0,
        le=366 * 24 * 3600,
    )
    stream_timeout: int = setting(
        EdgeSettings.stream_timeout,
        "how long a WebSocket or a stream of server-sent events may be silent before nginx ends it "
        "([more](releases.md#websockets-and-streams)). Anything else: `drain`",
        example=600,
        unit="s",
        ge=1,
        le=24 * 3600,
    )
    memory: int = setting(EdgeSettings.memory, "memory of nginx", example=256, unit="MiB", ge=32)
    cpus: float = setting(EdgeSettings.cpus, "processor cores of nginx", example=1.0, unit="cores", ge=0.1, le=128)
