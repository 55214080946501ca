"""What visitors see when no service answers: the edge's own pages; and maintenance, which operators turn on and off.

The pages are files beside the routes. Maintenance is one more file, FLAG, which no release touches: it outlasts
releases and restarts of nginx, and takes effect by a reload. Calls between services, nginx's health check and the
release gate come in by other listeners and go on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from slipway.nginx.main import LIVE

MAINTENANCE, UNAVAILABLE, TOO_LARGE = "maintenance", "unavailable", "too_large"
FLAG = "maintenance.on"
LONGEST = 100 * 1024
"""Bytes of a page of one's own: it travels through the state of the stack."""
RETRY_AFTER = 300
"""Seconds after which a client may ask again during maintenance, where the operator does not say."""
OPEN = ("/.well-known/acme-challenge/",)
"""Below these paths the site answers during maintenance: a certificate must not expire because of it."""
FOLDER = "/.slipway/"
CLOSED = 599
"""The status by which nginx tells maintenance from a service that does not answer; no client ever gets it."""

_PAGE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark }}
body {{ font: 1.1rem/1.5 system-ui, sans-serif; margin: 20vh auto; max-width: 32rem; padding: 0 1rem }}
</style>
<main>
<h1>{title}</h1>
<p>{text}</p>
</main>
"""


def files(*, max_body: int, own: Mapping[str, str] | None = None) -> dict[str, str]:
    """{file: HTML}. `own` is {page: HTML} of the pages that the site has itself; `max_body` in MiB."""
    said = {
        MAINTENANCE: ("Back soon", "This site is being worked on. Please come back a little later."),
        UNAVAILABLE: ("Back in a moment", "This part of the site does not answer right now. Please try again shortly."),
        TOO_LARGE: ("Too large", f"What you sent is larger than the {max_body} MB that this site takes."),
    }
    shipped = {page: _PAGE.format(title=title, text=text) for page, (title, text) in said.items()}
    return {_file(page): html for page, html in (shipped | dict(own or {})).items()}


def flag(retry_after: int) -> str:
    """The content of FLAG while maintenance is on; `retry_after` in seconds."""
    return f"default {retry_after};\n"


def maintenance_maps(health: Iterable[str]) -> str:
    """$maintenance holds seconds while maintenance is on, and so does $closed where a request is then turned away.

    `health` are the paths that an uptime monitor asks. $closed is looked up again after an internal redirect, or the
    page itself would be turned away.
    """
    own = [FOLDER + _file(page) for page in (MAINTENANCE, UNAVAILABLE, TOO_LARGE)]
    open_paths = [f"^{re.escape(path)}" for path in OPEN]
    open_paths += [f"^{re.escape(path)}$" for path in sorted({*own, *health})]
    exceptions = "".join(f'    "~{path}" "";\n' for path in open_paths)
    return f"""\
map "" $maintenance {{
    include {LIVE}/{FLAG}*;
}}
map $uri $closed {{
    volatile;
    default $maintenance;
{exceptions}}}
"""


def server_part() -> str:
    """What a server for visitors needs, for nginx's own answers only: those of the services pass unchanged."""
    named = "".join(f"    {each}\n" for each in errors())
    return f"""\
    if ($closed) {{
        return {CLOSED};
    }}
{named}\
{_location(MAINTENANCE, retry_after="$maintenance")}{_location(UNAVAILABLE, retry_after="5")}{_location(TOO_LARGE)}"""


def errors() -> list[str]:
    """The directives that name the pages for what nginx answers itself."""
    return [*passing_errors(), f"error_page 502 =503 {_UNAVAILABLE};", f"error_page 504 {_UNAVAILABLE};"]


def passing_errors() -> list[str]:
    """Those of a location that passes requests on: what becomes of its 502 and 504 says slipway.nginx.retry."""
    return [
        f"error_page {CLOSED} =503 {FOLDER}{_file(MAINTENANCE)};",
        f"error_page 503 {_UNAVAILABLE};",
        f"error_page 413 {FOLDER}{_file(TOO_LARGE)};",
    ]


def locations() -> list[str]:
    """The locations of a server for visitors that are the edge's own."""
    return [f"= {FOLDER}{_file(page)}" for page in (MAINTENANCE, UNAVAILABLE, TOO_LARGE)]


def _location(page: str, *, retry_after: str = "") -> str:
    # 0: a page must not be refused because the request that it answers was too large.
    retry = f"        add_header Retry-After {retry_after} always;\n" if retry_after else ""
    return f"""\
    location = {FOLDER}{_file(page)} {{
        internal;
        alias {LIVE}/{_file(page)};
        client_max_body_size 0;
        add_header Cache-Control no-store always;
{retry}    }}
"""


def _file(page: str) -> str:
    return f"{page.replace('_', '-')}.html"


_UNAVAILABLE = FOLDER + _file(UNAVAILABLE)
