"""Static files that nginx serves itself, as its text: where they are and how long a browser keeps them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from slipway.core import hashing
from slipway.core.container_paths import SOURCE
from slipway.core.nginx_main import STATIC
from slipway.settings.site import Service

FORMER = "files"
"""Beside the folders of releases: the files of all of them by their names, the newest of each name, for pages that were
loaded before a release."""


def release_folder(image: str, sources: Mapping[str, str]) -> str:
    """The folder below STATIC/<service> for what this image (by its id) has in these folders."""
    return hashing.of_value([image, dict(sources)])


def sources(service: Service) -> dict[str, str]:
    """{folder below that of the release: folder in the image}"""
    return {folder(service, url): f"{SOURCE}/{path}" for url, path in service.static.items()}


def in_force(service: str, configuration: str) -> set[str]:
    """The folders of releases that nginx looks into by its own files, written as server_part() writes them."""
    found = re.findall(rf"root {re.escape(f'{STATIC}/{service}')};\s+try_files ([^;]+) @", configuration)
    return {each.strip("/").removesuffix("$uri") for line in found for each in line.split()} - {FORMER}


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
