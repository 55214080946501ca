"""What protects the visitor: tokens in forms, headers on every answer, a cookie that is secure where the site is."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask, Response, current_app, request
from flask.sessions import SecureCookieSessionInterface
from flask_wtf.csrf import CSRFProtect


class Sessions(SecureCookieSessionInterface):
    """The same site may be reached by http (in development) and by https: the cookie follows. And a cookie belongs to a
    host name whatever the port: with the port in its name, two sites on one machine do not overwrite each other's."""

    def get_cookie_name(self, app: Flask) -> str:
        port = request.host.rpartition(":")[2]
        return f"{super().get_cookie_name(app)}{f'_{port}' if port.isdecimal() else ''}"

    def get_cookie_secure(self, app: Flask) -> bool:  # noqa: ARG002 - the name is the interface's
        return request.is_secure


def register(app: Flask) -> None:
    app.session_interface = Sessions()
    CSRFProtect(app)
    app.after_request(_harden)


def _harden(response: Response) -> Response:
    """No scripts at all, nothing from other sites, no framing."""
    headers = response.headers
    headers.setdefault("Content-Security-Policy", _policy())
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "same-origin")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
    headers.setdefault("Cache-Control", "private, no-cache")
    return response


def _policy() -> str:
    public = urlsplit(current_app.config["IMAGES_PUBLIC_URL"])
    pictures = f" {public.scheme}://{public.netloc}" if public.netloc else ""
    return (
        f"default-src 'none'; style-src 'self'; img-src 'self'{pictures}; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    )
