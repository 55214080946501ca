"""Static files that nginx serves itself, as its text: where they are and how long a browser keeps them."""

from __future__ import annotations

from slipway.core.nginx_main import STATIC
from slipway.settings.site import Service


def folder(service: Service, url: str) -> str:
    """Where the files of `url` belong below STATIC/<service>/<release>: the whole path, as the browser asks for it."""
    return f"{(service.route or '/').rstrip('/')}{url}".strip("/")


def http_part(max_age: int) -> str:
    """$static_kept where a browser keeps files for so many seconds without asking; one with a hash in its name it keeps
    as nginx.conf says ($static_cache)."""
    if not max_age:
        return ""
    return f"""\
map $static_cache $static_kept {{
    "no-cache" "public, max-age={max_age}";
    default $static_cache;
}}
"""


def server_part(service: Service, releases: tuple[str, ...], passed: str, *, max_age: int) -> str:
    """`releases` are the folders in which a file is looked for, `passed` passes on what none has."""
    text = f"    location @{service.name} {{\n{passed}    }}\n"
    looked_for = " ".join(f"/{release}$uri" for release in releases)
    for url in service.static:
        text += f"""\
    location ^~ /{folder(service, url)}/ {{
        root {STATIC}/{service.name};
        try_files {looked_for} @{service.name};
        add_header Cache-Control ${"static_kept" if max_age else "static_cache"};
        gzip on;  # only here: compressing pages would tell their secrets by their length
        gzip_vary on;
        gzip_types text/css text/javascript application/javascript application/json image/svg+xml;
    }}
"""
    return text
