"""Static files that nginx serves itself, as its text: where they are and how long a browser keeps them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from slipway.core import fingerprints, hashing
from slipway.core.container_paths import SOURCE
from slipway.nginx import media_types
from slipway.nginx.main import STATIC
from slipway.site.site import Service

FORMER = "files"
"""Beside the folders of releases: their files with a hash in their names, for pages that were loaded before a release.
No others, or a file of a former release would hide what this one answers."""
COMPRESSED = " ".join(sorted({
    "application/javascript", "application/json", "application/manifest+json", "application/wasm", "application/xml",
    "font/otf", "font/ttf", "image/svg+xml", "text/css", "text/javascript", "text/plain", "text/xml",
}))  # fmt: skip


def release_folder(image: str, sources: Mapping[str, str]) -> str:
    """The folder below STATIC/<service> for what this image (by its id) has in these folders."""
    return hashing.of_value([image, dict(sources)])


def sources(service: Service) -> dict[str, str]:
    """{path below the folder of the release: folder or single file in the image}"""
    return {folder(service, url): f"{SOURCE}/{path}" for url, path in service.static.items()}


def in_force(service: str, configuration: str) -> set[str]:
    """The folders of releases that nginx looks into by its own files, written as server_part() writes them."""
    found = re.findall(rf"root {re.escape(f'{STATIC}/{service}')};\s+try_files ([^;]+) @", configuration)
    return {each.strip("/").removesuffix("$uri") for line in found for each in line.split()} - {FORMER}


def outdated(former: Mapping[str, float], releases: Mapping[str, Collection[str]], *, before: float) -> set[str]:
    """The files of FORMER that go: what is hashed in none of these `releases` ({folder: paths}).

    `former` is {path: seconds since the epoch}. A version of Slipway without folders of releases set this time whenever
    a release had the file: what it left stays until `before` is later.
    """
    kept = {path for paths in releases.values() for path in fingerprints.lasting(paths)}
    return {
        path
        for path, time in former.items()
        if path not in kept and not (fingerprints.is_hashed(path) and time >= before)
    }


def in_the_way(former: Collection[str], new: Collection[str]) -> set[str]:
    """The files of FORMER that are where a new one needs a folder, or the reverse."""
    folders = {folder for path in new for folder in _folders(path)}
    return {path for path in former if path in folders or not _folders(path).isdisjoint(new)}


def folder(service: Service, url: str) -> str:
    """Where the files of `url` belong below STATIC/<service>/<release>: the whole path, as the browser asks for it."""
    return f"{(service.route or '/').rstrip('/')}{url}".strip("/")


def locations(service: Service) -> dict[str, list[str]]:
    """{URL path of the declaration: nginx's locations for it}. Without a slash at its end it may be a file alone."""
    return {
        url: [*([] if url.endswith("/") else [f"= /{folder(service, url)}"]), f"^~ /{folder(service, url)}/"]
        for url in service.static
    }


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
    for location in (each for several in locations(service).values() for each in several):
        text += f"""\
    location {location} {{
        root {STATIC}/{service.name};
        try_files {looked_for} @{service.name};
        add_header Cache-Control ${"static_kept" if max_age else "static_cache"};
        {media_types.of_texts()}
        gzip on;  # only here: compressing pages would tell their secrets by their length
        gzip_vary on;
        gzip_types {COMPRESSED};
    }}
"""
    return text


def _folders(path: str) -> set[str]:
    """The folders that a file is in."""
    parts = path.split("/")
    return {"/".join(parts[:count]) for count in range(1, len(parts))}
