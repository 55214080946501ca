"""Pictures for browsers: straight from the images service where they reach it, else passed on from here."""

from __future__ import annotations

import uuid

from flask import Blueprint, Response, current_app, request, url_for

from .pages import images

ASKED = ("If-None-Match", "If-Modified-Since", "Range", "If-Range")
ANSWERED = (
    "Content-Type",
    "Content-Length",
    "Content-Range",
    "Accept-Ranges",
    "Content-Disposition",
    "ETag",
    "Last-Modified",
    "Cache-Control",
    "Content-Security-Policy",
)

blueprint = Blueprint("files", __name__)


@blueprint.app_template_global()
def picture_url(identity: uuid.UUID, which: str, *, download: bool = False) -> str:
    """Address of a picture's `file` or `thumbnail`."""
    public = current_app.config["IMAGES_PUBLIC_URL"]
    path = (
        f"{public}/pictures/{identity}/{which}"
        if public
        else url_for("files.passed_on", identity=identity, which=which)
    )
    return f"{path}?download=1" if download else path


@blueprint.get("/pictures/<uuid:identity>/<any(file, thumbnail):which>")
def passed_on(identity: uuid.UUID, which: str) -> Response:
    """Never held in memory as a whole."""
    wanted = {name: text for name in ASKED if (text := request.headers.get(name)) and text.isascii()}
    query = "?download=1" if "download" in request.args else ""
    answer = images().file(identity, which + query, wanted)
    headers = {name: answer.headers[name] for name in ANSWERED if name in answer.headers}
    response = Response(answer.iter_raw(), answer.status_code, headers, direct_passthrough=True)
    response.call_on_close(answer.close)
    return response
