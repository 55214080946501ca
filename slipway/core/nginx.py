"""What the edge's nginx is told at a release: upstreams.conf first, routes.conf when the new upstreams answer.

Every release of a service has an upstream of its own, named after its containers. A new upstream knows no addresses
for a moment after the reload that brings it, so it is added and asked (on the internal listener, with its name as Host)
before any route points to it; one that was there before keeps its addresses. `resolve` lets nginx start and reload
while a name does not exist, and follow a container to another address. Hosts, body size and trusted proxies are here
too: all of it takes effect by the one reload.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from slipway.core import pages
from slipway.core.nginx_main import INTERNAL_PORT, STATIC, main_conf
from slipway.core.timeouts import UPSTREAM_KEEPALIVE
from slipway.settings.site import Service, Site

UPSTREAMS_FILE = "upstreams.conf"
ROUTES_FILE = "routes.conf"
MAIN_FILE = "nginx.conf"
ADDRESS_HEADER = "X-Slipway-Upstream"
"""On the internal listener only: which container answered, as address and port."""


@dataclass(frozen=True, kw_only=True)
class Release:
    """The containers of one release of one service.

    `servers` are container names (never addresses: these change when a container restarts). `static` names the release
    folders below STATIC/<service> in which a static file is looked for, the newest first.
    """

    service: str
    servers: tuple[str, ...]
    port: int = 5000
    static: tuple[str, ...] = ()

    @property
    def upstream(self) -> str:
        """`ui_3f2a9c1b`: the same containers have the same name, others another."""
        names = "\n".join(f"{server}:{self.port}" for server in sorted(self.servers))
        return f"{self.service}_{hashlib.sha256(names.encode()).hexdigest()[:8]}"


@dataclass(frozen=True, kw_only=True)
class EdgeModel:
    """What the edge must know: the services that it serves, the networks that may call each (none: nobody), and
    the paths of their health checks, which stay open during maintenance."""

    services: tuple[Service, ...]
    callers: Mapping[str, tuple[str, ...]]
    health: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()
    max_body: int = 16
    drain: int = 30
    cpus: float = 1.0

    @classmethod
    def of(cls, site: Site, callers: Mapping[str, tuple[str, ...]] | None = None) -> EdgeModel:
        """`callers`: {service: subnets from which other services may call it through the edge}."""
        services = tuple(service for service in site.services.values() if site.at_edge(service))
        health = (site.health_path(service) for service in services if service.routed)
        return cls(
            services=services,
            callers=callers or {},
            health=tuple(path.partition("?")[0] for path in health if path),
            hosts=site.edge.hosts,
            trusted_proxies=site.edge.trusted_proxies,
            max_body=site.edge.max_body,
            drain=site.drain,
            cpus=site.edge.cpus,
        )


def render(edge: EdgeModel, releases: Iterable[Release]) -> dict[str, str]:
    """All three files. `releases` hold at most one per service; a service without one answers 503."""
    current = list(releases)
    return {
        MAIN_FILE: main_conf(drain=edge.drain, cpus=edge.cpus),
        UPSTREAMS_FILE: upstreams_conf(upstream_blocks(edge, current)),
        ROUTES_FILE: routes_conf(edge, current),
    }


def upstream_blocks(edge: EdgeModel, releases: Iterable[Release]) -> dict[str, str]:
    """{upstream: its text}: during a switch the old ones and the new ones stand side by side in upstreams.conf."""
    hosts = {service.name: service.host for service in edge.services}
    fallback = edge.hosts[0] if edge.hosts else "localhost"
    return {release.upstream: _upstream(release, hosts.get(release.service) or fallback) for release in releases}


def upstreams_conf(blocks: Mapping[str, str]) -> str:
    """The text of upstreams.conf."""
    return "\n".join(blocks[name] for name in sorted(blocks))


def routes_conf(edge: EdgeModel, releases: Iterable[Release]) -> str:
    """The text of routes.conf: one server per host name, and one per service that others call."""
    targets = {release.service: release for release in releases}
    by_host: dict[str | None, list[Service]] = {None: []}
    for service in edge.services:
        if service.routed:
            by_host.setdefault(service.host, []).append(service)
    parts = [pages.maintenance_maps(edge.health), _trust(edge.trusted_proxies)]
    if edge.hosts:
        parts.append(_nobody(80))
    for host, services in by_host.items():
        parts.append(_public_server(edge, host, services, targets))
    called = [service for service in edge.services if edge.callers.get(service.name)]
    parts.extend(_nobody(port) for port in sorted({service.port for service in called} - {80}))
    parts.extend(_internal_server(edge, service, targets.get(service.name)) for service in called)
    return "\n".join(part for part in parts if part)


def static_folder(service: Service, url: str) -> str:
    """Where the files of `url` belong below STATIC/<service>/<release>: the whole path, as the browser asks for it."""
    return f"{(service.route or '/').rstrip('/')}{url}".strip("/")


def _upstream(release: Release, host: str) -> str:
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
    proxy_next_upstream off;  # each answer is one container's own
{_headers(host=host, proto="$scheme")}
    location / {{
        proxy_pass http://{release.upstream};
    }}
}}
"""


def _nobody(port: int) -> str:
    return f"server {{\n    listen {port} default_server;\n    server_name _;\n    return 404;\n}}\n"


def _public_server(edge: EdgeModel, host: str | None, services: list[Service], targets: Mapping[str, Release]) -> str:
    names = host or " ".join(edge.hosts) or "_"
    default = " default_server" if host is None and not edge.hosts else ""
    real_ip = "".join(f"    set_real_ip_from {network};\n" for network in edge.trusted_proxies)
    if real_ip:
        real_ip += "    real_ip_header X-Forwarded-For;\n    real_ip_recursive on;\n"
    proto = "$forwarded_proto" if edge.trusted_proxies else "$scheme"
    locations = "".join(_locations(service, targets.get(service.name)) for service in services)
    if not any(service.route == "/" for service in services):
        locations += "    location / {\n        return 404;\n    }\n"
    return f"""\
server {{
    listen 80{default};
    server_name {names};
    client_max_body_size {edge.max_body}m;
{real_ip}{_headers(host="$http_host", proto=proto)}
{pages.server_part()}{locations}}}
"""


def _internal_server(edge: EdgeModel, service: Service, release: Release | None) -> str:
    allowed = "".join(f"    allow {network};\n" for network in edge.callers[service.name])
    return f"""\
server {{
    listen {service.port};
    server_name {service.name};
    client_max_body_size {edge.max_body}m;
{allowed}    deny all;
{_headers(host="$http_host", proto="$scheme")}
    location / {{
        {_target(release)}
    }}
}}
"""


def _locations(service: Service, release: Release | None) -> str:
    route = service.route or "/"
    text = ""
    if route != "/":
        text += f"    location = {route.rstrip('/')} {{\n        return 308 {route}$is_args$args;\n    }}\n"
    text += f"    location {route} {{\n        {_target(release)}\n    }}\n"
    if service.static and release and release.static:
        text += f"    location @{service.name} {{\n        {_target(release)}\n    }}\n"
        looked_for = " ".join(f"/{folder}$uri" for folder in release.static)
        for url in service.static:
            text += f"""\
    location ^~ /{static_folder(service, url)}/ {{
        root {STATIC}/{service.name};
        try_files {looked_for} @{service.name};
        add_header Cache-Control $static_cache;
        add_header X-Content-Type-Options nosniff;
        gzip on;  # only here: compressing pages would tell their secrets by their length
        gzip_vary on;
        gzip_types text/css text/javascript application/javascript application/json image/svg+xml;
    }}
"""
    return text


def _target(release: Release | None) -> str:
    return f"proxy_pass http://{release.upstream};" if release else "return 503;"


def _headers(*, host: str, proto: str) -> str:
    values = {
        "Host": host,
        "Connection": '""',
        "X-Real-IP": "$remote_addr",
        "X-Forwarded-For": "$remote_addr",
        "X-Forwarded-Proto": proto,
        "X-Forwarded-Host": host,
        "X-Forwarded-Prefix": '""',
        "Forwarded": '""',
        "X-Request-ID": "$request_id",
    }
    return "\n".join(f"    proxy_set_header {name} {value};" for name, value in values.items())


def _trust(networks: tuple[str, ...]) -> str:
    if not networks:
        return ""
    trusted = "".join(f"    {network} 1;\n" for network in networks)
    return f"""\
geo $realip_remote_addr $trusted_proxy {{
    default 0;
{trusted}}}
map "$trusted_proxy:$http_x_forwarded_proto" $forwarded_proto {{
    default $scheme;
    "1:https" https;
    "1:http" http;
}}
"""
