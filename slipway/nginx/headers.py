"""Security headers: what the edge adds to every answer that lacks them, its own errors included.

An application's own header wins and is never doubled: each is added only where the service sent none, which
$upstream_http_… tells. The profiles differ in what an ordinary site can bear:

safe    breaks nothing but what almost nobody wants: framing by other sites, guessed content types, camera and the like
strict  also a Content-Security-Policy that lets scripts, styles and pictures come from the site itself only
"""

from __future__ import annotations

from collections.abc import Mapping

from slipway.site.edge import HeaderProfile

POWERFUL = ("camera", "display-capture", "geolocation", "microphone", "payment", "usb")
_SAFE = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Permissions-Policy": ", ".join(f"{feature}=()" for feature in POWERFUL),
    "Cross-Origin-Opener-Policy": "same-origin-allow-popups",
}
PROFILES: Mapping[HeaderProfile, Mapping[str, str]] = {
    HeaderProfile.OFF: {},
    HeaderProfile.SAFE: _SAFE,
    HeaderProfile.STRICT: {
        **_SAFE,
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'self'; object-src 'none'",
    },
}
OWN_PAGES = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'"
"""For the edge's own pages in strict: each is one file, with its style in it."""
CSP, FRAMES, HSTS = "Content-Security-Policy", "X-Frame-Options", "Strict-Transport-Security"


def http_part(profile: HeaderProfile, *, hsts: int = 0) -> str:
    """The maps: for each header what is to be added, which is nothing where the service sent it itself."""
    added = dict(PROFILES[profile]) | ({HSTS: f"max-age={hsts}"} if hsts else {})
    return "".join(_added(name, value) for name, value in added.items())


def _added(name: str, value: str) -> str:
    sent = f"$upstream_http_{_variable(name)}"
    if name == FRAMES:  # frame-ancestors of a policy says the same, and more
        both = f"{sent}|$upstream_http_{_variable(CSP)}"
        return _map(both, name, {"~frame-ancestors": "", "~^\\|": value})
    if name != CSP:
        return _map(sent, name, {"": value})
    return f"""\
map $uri $site_policy {{
    volatile;
    "~^/\\.slipway/" "{OWN_PAGES}";
    default "{value}";
}}
map $upstream_http_{_variable(FRAMES)} $frame_ancestors {{
    "" "; frame-ancestors 'none'";
    default "";
}}
{_map(sent, name, {"": "$site_policy$frame_ancestors"})}"""


def server_part(profile: HeaderProfile, *, hsts: int = 0) -> str:
    """What each server for visitors says. Locations may add headers of their own to these."""
    names = [*PROFILES[profile], *([HSTS] if hsts else [])]
    lines = "".join(f"    add_header {name} $add_{_variable(name)} always;\n" for name in names)
    return f"    proxy_hide_header X-Powered-By;\n    add_header_inherit merge;\n{lines}"


def _map(source: str, name: str, values: Mapping[str, str]) -> str:
    lines = "".join(f'    "{key}" "{value}";\n' for key, value in values.items())
    return f'map "{source}" $add_{_variable(name)} {{\n{lines}    default "";\n}}\n'


def _variable(name: str) -> str:
    return name.lower().replace("-", "_")
