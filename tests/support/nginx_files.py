"""All files of an edge's nginx at once, as they lie there after a release."""

from __future__ import annotations

from collections.abc import Iterable

from slipway.nginx.main import MAIN_FILE, main_conf
from slipway.nginx.routes import EdgeModel, Release, routes_files, upstream_blocks

DEFAULT = "/etc/nginx/nginx.conf"
"""What nginx reads without `-c`."""
UPSTREAMS_FILE = "upstreams.conf"


def render(edge: EdgeModel, releases: Iterable[Release]) -> dict[str, str]:
    """{file: text}: the main configuration, the upstreams in one file, the routes."""
    current = list(releases)
    return {
        MAIN_FILE: main_conf(drain=edge.drain, cpus=edge.cpus, tls=edge.tls is not None),
        UPSTREAMS_FILE: upstreams_conf(edge, *current),
        **routes_files(edge, current),
    }


def upstreams_conf(edge: EdgeModel, *releases: Release) -> str:
    """The upstreams of all these releases, of one service or several."""
    return "\n".join(text for _, text in sorted(upstream_blocks(edge, releases).items()))
