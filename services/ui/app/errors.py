"""Error pages: what happened, and what to do now."""

from __future__ import annotations

from http import HTTPStatus

from flask import Flask, current_app, render_template, url_for
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from .images_api import NotFoundError, RejectedError, UnavailableError
from .pages import images, megabytes

Answer = tuple[str, int, dict[str, str]]
TEXTS = {
    HTTPStatus.NOT_FOUND: ("Page not found", "There is nothing at this address. It may have been deleted."),
    HTTPStatus.METHOD_NOT_ALLOWED: ("That does not work here", "This page cannot be used in this way."),
    HTTPStatus.INTERNAL_SERVER_ERROR: ("Something went wrong", "The error is on our side, and it has been noted."),
}
UNKNOWN = ("That did not work", "The request could not be understood.")


def register(app: Flask) -> None:
    """One look for all errors; none shows what happened inside."""
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(CSRFError, _form_expired)
    app.register_error_handler(NotFoundError, lambda _: _page(HTTPStatus.NOT_FOUND, *TEXTS[HTTPStatus.NOT_FOUND]))
    app.register_error_handler(
        RejectedError, lambda error: _page(HTTPStatus.BAD_REQUEST, "That did not work", str(error))
    )
    app.register_error_handler(UnavailableError, _unavailable)


def _http(error: HTTPException) -> Answer | Response:
    if error.response is not None or error.code is None:
        return error.get_response()
    if error.code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return _too_large()
    return _page(error.code, *TEXTS.get(HTTPStatus(error.code), UNKNOWN))


def _too_large() -> Answer:
    text = f"Picture files may have up to {megabytes(images().limits().bytes)}. Nothing was uploaded."
    again = (url_for("pages.upload"), "Choose another file")
    return _page(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "This file is too large", text, again)


def _form_expired(error: CSRFError) -> Answer:
    current_app.logger.info("form refused: %s", error.description)
    text = "It was open for too long, or your browser refuses cookies. Go back, load the page again and repeat."
    return _page(HTTPStatus.BAD_REQUEST, "This form is no longer valid", text)


def _unavailable(error: UnavailableError) -> Answer:
    current_app.logger.error("the images service does not answer: %s", error)
    text = "The pictures cannot be reached right now. Please try again in a moment."
    return _page(HTTPStatus.SERVICE_UNAVAILABLE, "Back in a moment", text, headers={"Retry-After": "5"})


def _page(
    status: int,
    title: str,
    text: str,
    action: tuple[str, str] | None = None,
    headers: dict[str, str] | None = None,
) -> Answer:
    action = action or (url_for("pages.index"), "Go to all pictures")
    return render_template("error.html", title=title, text=text, action=action), status, headers or {}
