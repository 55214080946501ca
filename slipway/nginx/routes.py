"""What the edge's nginx is told at a release: the new upstreams first, the routes when these answer.

Every release of a service has an upstream of its own, named after its containers. A new upstream knows no addresses
for a moment after the reload that brings it, so it is added and asked (on the internal listener, with its name as Host)
before any route points to it; one that was there before keeps its addresses. `resolve` lets nginx start and reload
while a name does not exist, and follow a container to another address. Hosts, limits, headers, TLS and trusted proxies
are here too: all of it takes effect by the one reload.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from slipway.core.gunicorn import NGINX_BUFFERS
from slipway.core.timeouts import UPSTREAM_KEEPALIVE
from slipway.nginx import forwarding, headers, pages, prefixes, rate_limits, retry, statics, streams, tls
from slipway.nginx.main import INTERNAL_PORT, ROUTES, TLS_ROUTES
from slipway.site.edge import HeaderProfile
from slipway.site.protocol import Protocol
from slipway.site.site import Service, Site

ROUTES_FILE, TLS_ROUTES_FILE = f"{ROUTES}.conf", f"{TLS_ROUTES}.conf"
ADDRESS_HEADER = "X-Slipway-Upstream"
"""On the internal listener only: which container answered, as address and port."""


@dataclass(frozen=True, kw_only=True)
class Release:
    """The containers of one release of one service.

    `servers` are container names (never addresses: these change when a container restarts), `protocol` is what they
    speak. `static` names the release folders below STATIC/<service> in which a static file is looked for, the newest
    first.
    """

    service: str
    servers: tuple[str, ...]
    port: int = 5000
    protocol: Protocol = Protocol.HTTP
    static: tuple[str, ...] = ()

    @property
    def target(self) -> str:
        """The directive that passes requests on to it."""
        passed = "uwsgi_pass " if self.protocol is Protocol.UWSGI else "proxy_pass http://"
        return f"{passed}{self.upstream};"

    @property
    def upstream(self) -> str:
        """`ui_3f2a9c1b`: the same containers have the same name, others another."""
        names = "\n".join(f"{server}:{self.port}" for server in sorted(self.servers))
        return f"{self.service}_{hashlib.sha256(names.encode()).hexdigest()[:8]}"


@dataclass(frozen=True, kw_only=True)
class EdgeModel:
    """What the edge must know: the services that it serves, the networks that may call each (none: nobody), and
    the paths of their health checks, which stay open during maintenance. `tls` is None for plain HTTP; `rate_limits`
    are {path: requests a minute}, `max_header` is in KiB, `max_body` in MiB, `static_max_age` and
    `stream_timeout` in seconds."""

    services: tuple[Service, ...]
    callers: Mapping[str, tuple[str, ...]]
    health: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()
    max_body: int = 16
    max_header: int = 8
    tls: tls.Tls | None = None
    headers: HeaderProfile = HeaderProfile.SAFE
    rate_limits: Mapping[str, int] = field(default_factory=dict)
    connections_per_address: int = 0
    static_max_age: int = 0
    stream_timeout: int = 3600
    drain: int = 30
    cpus: float = 1.0

    @classmethod
    def of(cls, site: Site, callers: Mapping[str, tuple[str, ...]] | None = None, certificate: str = "") -> EdgeModel:
        """`callers`: {service: subnets from which other services may call it through the edge}; `certificate` stands
        for the contents of the certificate that all names share."""
        services = tuple(service for service in site.services.values() if site.at_edge(service))
        health = (site.health_path(service) for service in services if service.routed)
        return cls(
            services=services,
            callers=callers or {},
            health=tuple(path.partition("?")[0] for path in health if path),
            hosts=site.edge.hosts,
            trusted_proxies=site.edge.trusted_proxies,
            max_body=site.edge.max_body,
            max_header=site.edge.max_header,
            tls=tls.Tls.of(site, certificate),
            headers=site.edge.headers,
            rate_limits=site.edge.rate_limits,
            connections_per_address=site.edge.connections_per_address,
            static_max_age=site.edge.static_max_age,
            stream_timeout=site.edge.stream_timeout,
            drain=site.drain,
            cpus=site.edge.cpus,
        )


def upstream_blocks(edge: EdgeModel, releases: Iterable[Release]) -> dict[str, str]:
    """{upstream: its text}. Each becomes a file of its own; during a switch the old ones and the new ones stand side by
    side."""
    names = {service.name: forwarding.name_of(service, edge.hosts) for service in edge.services}
    return {release.upstream: _upstream(edge, release, names[release.service]) for release in releases}


def routes_files(edge: EdgeModel, releases: Sequence[Release]) -> dict[str, str]:
    """{file: text} of the routes: for an nginx without certificates, and as they are declared. A service without a
    release answers 503."""
    return {ROUTES_FILE: routes_conf(replace(edge, tls=None), releases), TLS_ROUTES_FILE: routes_conf(edge, releases)}


def routes_conf(edge: EdgeModel, releases: Iterable[Release]) -> str:
    """The text of a file of routes: one server per host name, and one per service that others call."""
    targets = {release.service: release for release in releases}
    by_host: dict[str | None, list[Service]] = {None: []}
    for service in edge.services:
        if service.routed:
            by_host.setdefault(service.host, []).append(service)
    parts = [
        f"large_client_header_buffers {NGINX_BUFFERS} {edge.max_header}k;\n",
        pages.maintenance_maps(edge.health),
        forwarding.http_part(edge.trusted_proxies),
        headers.http_part(edge.headers, hsts=edge.tls.hsts if edge.tls else 0),
        rate_limits.http_part(edge.rate_limits, edge.connections_per_address),
        statics.http_part(edge.static_max_age),
        retry.http_part(),
        streams.http_part(),
        tls.http_part(edge.tls),
    ]
    if edge.hosts:
        default, added = " default_server", headers.server_part(edge.headers)
        parts.append(_nobody(f"    listen 80{default};\n{added}"))
        parts += [_nobody(tls.listen(edge.tls, (), default=default) + added)] if edge.tls else []
    for host, services in by_host.items():
        parts.append(_public_server(edge, host, services, targets))
    called = [service for service in edge.services if edge.callers.get(service.name)]
    ports = sorted({service.port for service in called} - {80})
    parts.extend(_nobody(f"    listen {port} default_server;\n") for port in ports)
    parts.extend(_internal_server(edge, service, targets.get(service.name)) for service in called)
    return "\n".join(part for part in parts if part)


def _upstream(edge: EdgeModel, release: Release, host: str) -> str:
    # max_fails=0: a container that is gone is left out by its name; the others must never all be "down" at once.
    servers = "\n".join(f"    server {name}:{release.port} resolve max_fails=0;" for name in sorted(release.servers))
    return f"""\
upstream {release.upstream} {{
    zone {release.upstream} 64k;
{servers}
    keepalive 32;
    keepalive_timeout {UPSTREAM_KEEPALIVE}s;
}}
server {{
    listen 127.0.0.1:{INTERNAL_PORT};
    server_name {release.upstream};
    access_log off;
    add_header {ADDRESS_HEADER} $upstream_addr always;
{forwarding.lines([release.protocol], edge.drain, host=host, again=False)}    location / {{
        {release.target}
    }}
}}
"""


def _nobody(listening: str) -> str:
    return f"server {{\n{listening}    server_name {forwarding.ANY_NAME};\n    return 404;\n}}\n"


def _public_server(edge: EdgeModel, host: str | None, services: list[Service], targets: Mapping[str, Release]) -> str:
    hosts = (host,) if host else edge.hosts
    names = " ".join(hosts) or forwarding.ANY_NAME
    default = " default_server" if not hosts else ""
    proto = forwarding.proto(edge.trusted_proxies)
    forwarded = forwarding.real_ip(edge.trusted_proxies)
    spoken = [targets[service.name].protocol for service in services if service.name in targets]
    forwarded += forwarding.lines(spoken, edge.drain, proto=proto)
    locations = "".join(_locations(edge, service, targets.get(service.name)) for service in services)
    root = next((service for service in services if service.route == "/"), None)
    if root is None:
        locations += "    location / {\n        return 404;\n    }\n"
    passed = _target(targets.get(root.name)) if root else ""
    plain = tls.redirect(
        edge.tls, names, default=default, headers=headers.server_part(edge.headers) + forwarded, passed=passed
    )
    added = headers.server_part(edge.headers, hsts=edge.tls.hsts if edge.tls else 0)
    limits = rate_limits.server_part(edge.rate_limits, edge.connections_per_address)
    return f"""\
{plain}server {{
{tls.listen(edge.tls, hosts, default=default)}    server_name {names};
    client_max_body_size {edge.max_body}m;
{limits}{added}{forwarded}{pages.server_part()}{locations}}}
"""


def _internal_server(edge: EdgeModel, service: Service, release: Release | None) -> str:
    allowed = "".join(f"    allow {network};\n" for network in edge.callers[service.name])
    return f"""\
server {{
    listen {service.port};
    server_name {service.name};
    client_max_body_size {edge.max_body}m;
{allowed}    deny all;
{forwarding.lines([release.protocol] if release else [], edge.drain)}{_passing(edge, "/", service, release)}}}
"""


def _locations(edge: EdgeModel, service: Service, release: Release | None) -> str:
    route, errors = service.route or "/", pages.passing_errors()
    text = "".join(
        f"    location {bare} {{\n        return 308 {route}$is_args$args;\n    }}\n"
        for bare in route_locations(service)[1:]
    )
    text += _passing(edge, route, service, release, errors)
    if service.static and release and release.static:
        passed = prefixes.guard(service) + retry.passed(service.name, release.target, errors)
        text += statics.server_part(service, release.static, passed, max_age=edge.static_max_age)
    return text


def route_locations(service: Service) -> tuple[str, ...]:
    """The locations of a service's route: its own, and that of the same path without the slash, which redirects."""
    route = service.route or "/"
    return (route,) if route == "/" else (route, f"= {route.rstrip('/')}")


def _passing(edge: EdgeModel, path: str, service: Service, release: Release | None, errors: Sequence[str] = ()) -> str:
    """The locations by which a server passes on what is asked below `path`."""
    if release is None:
        return f"    location {path} {{\n        return 503;\n    }}\n"
    name, target, guard = service.name, release.target, prefixes.guard(service)
    idempotent = [prefixes.below(service, each) for each in service.idempotent]
    passed = retry.passed(name, target, [*streams.turned_aside(name), *errors])
    return (
        f"    location {path} {{\n{guard}{passed}    }}\n"
        + streams.server_part(name, target, release.protocol, idle=edge.stream_timeout)
        + retry.server_part(name, target, release.protocol, errors=errors, guard=guard, idempotent=idempotent)
    )


def _target(release: Release | None) -> str:
    return release.target if release else "return 503;"
