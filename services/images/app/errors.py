"""Every error is JSON with a sentence for people; and what holds for every answer."""

from __future__ import annotations

import errno
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, abort, current_app, request
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from .gallery import KeyTakenError
from .models import db
from .pictures import BusyError, RefusedError

Answer = tuple[dict[str, Any], int, dict[str, str]]
UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}
BUSY = "Many pictures are being sent right now. Send yours again in a moment."
FULL = {errno.ENOSPC, errno.EDQUOT}


def register(app: Flask) -> None:
    """Hooks of the application: they hold for all of its routes."""
    app.before_request(_refuse_other_sites)
    app.after_request(_harden)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(RefusedError, lambda error: _answer(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, str(error)))
    app.register_error_handler(KeyTakenError, lambda error: _answer(HTTPStatus.UNPROCESSABLE_ENTITY, str(error)))
    app.register_error_handler(BusyError, lambda _: _answer(HTTPStatus.SERVICE_UNAVAILABLE, BUSY, {"Retry-After": "2"}))
    app.register_error_handler(OSError, _disk)
    for kind in (OperationalError, InterfaceError, PoolTimeout):
        app.register_error_handler(kind, _no_database)


def _refuse_other_sites() -> None:
    """A browser says so when another site's page makes it send something; programs do not send this header."""
    if request.method in UNSAFE and request.headers.get("Sec-Fetch-Site") in {"cross-site", "same-site"}:
        abort(HTTPStatus.FORBIDDEN, "Requests from pages of other sites are refused.")


def _harden(response: Response) -> Response:
    # Whatever somebody uploaded: no browser takes it for anything but a picture, or runs anything in it.
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'; sandbox"
    if "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = "no-store"
    return response


def _answer(status: int, message: str, headers: dict[str, str] | None = None) -> Answer:
    return {"error": {"status": int(status), "message": message}}, int(status), headers or {}


def _http(error: HTTPException) -> Answer | Response:
    if error.response is not None or error.code is None:
        return error.get_response()  # type: ignore[return-value]
    message = error.description or ""
    if error.code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        megabytes = current_app.config["MAX_UPLOAD_BYTES"] / (1024 * 1024)
        message = f"This file is too large: {megabytes:g} MB are the limit."
    headers = {name: value for name, value in error.get_headers() if name in {"Allow", "Retry-After"}}
    return _answer(error.code, message, headers)


def _disk(error: OSError) -> Answer:
    current_app.logger.error("storing failed", exc_info=error)
    if error.errno in FULL:
        return _answer(HTTPStatus.INSUFFICIENT_STORAGE, "There is no room left for pictures.")
    return _answer(HTTPStatus.INTERNAL_SERVER_ERROR, "The picture could not be stored.")


def _no_database(error: Exception) -> Answer:
    current_app.logger.error("the database does not answer: %s", error)
    db.session.rollback()
    return _answer(HTTPStatus.SERVICE_UNAVAILABLE, "The database does not answer. Try again.", {"Retry-After": "2"})
