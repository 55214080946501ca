"""Which containers the edge sends requests to, read from the files that are in force: the one truth of who serves."""

from __future__ import annotations

import re
from collections.abc import Mapping

TARGET = re.compile(r"(?:proxy_pass http://|uwsgi_pass )(([a-z0-9-]+)_[0-9a-f]{8});")
UPSTREAM = re.compile(r"^upstream ([a-z0-9-]+_[0-9a-f]{8}) \{(.*?)^\}", re.MULTILINE | re.DOTALL)
SERVER = re.compile(r"^\s*server ([A-Za-z0-9_.-]+):\d+ ", re.MULTILINE)


def serving(files: Mapping[str, str]) -> dict[str, list[str]]:
    """{service: its containers' names}, of the generated files of slipway.nginx.routes: {file name: text}."""
    targets = _targets(files)
    found: dict[str, list[str]] = {}
    for name, text in files.items():
        if name.startswith("upstreams"):
            for upstream, block in UPSTREAM.findall(text):
                if upstream in targets:
                    found[targets[upstream]] = SERVER.findall(block)
    return dict(sorted(found.items()))


def unused(files: Mapping[str, str]) -> list[str]:
    """Those of the generated files whose upstream no route leads to."""
    targets = _targets(files)
    named = {name: {upstream for upstream, _ in UPSTREAM.findall(text)} for name, text in files.items()}
    return sorted(name for name, upstreams in named.items() if upstreams and not upstreams & targets.keys())


def _targets(files: Mapping[str, str]) -> dict[str, str]:
    """{upstream: service} that the routes lead to."""
    return dict(TARGET.findall("\n".join(text for name, text in files.items() if name.startswith("routes"))))
