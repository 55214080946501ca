"""Where a person finds the site."""

from __future__ import annotations

from slipway.site.site import Site

LOOPBACK = "127.0.0.1"
EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104  compared with, not bound to


def urls(site: Site) -> dict[str, str]:
    """{output name: URL}: `url` for the edge, and each service that is published by itself."""
    found = {}
    if site.profile.edge:
        address = LOOPBACK if site.edge.address in EVERYWHERE else site.edge.address
        name = site.edge.hosts[0] if site.edge.hosts else f"[{address}]" if ":" in address else address
        scheme, port, usual = ("https", site.edge.tls_port, 443) if site.edge.tls.on else ("http", site.edge.port, 80)
        found["url"] = f"{scheme}://{name}{'' if port == usual else f':{port}'}/"
    if site.profile.publish_services:
        found |= {
            f"{service.name}_url": f"http://{LOOPBACK}:{service.dev_port}/"
            for service in site.services.values()
            if service.http and service.dev_port
        }
    return found
