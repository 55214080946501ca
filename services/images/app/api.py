"""The HTTP interface. Addresses in answers are paths, right behind a prefix and whatever name the caller used.

| request | answer |
|---|---|
| GET / | what there is, and the limits of an upload |
| GET /pictures?page=1&per_page=24 | a page, the newest first |
| POST /pictures | form with file, title, description; header Idempotency-Key (a UUID): 201, or 200 when sent again |
| GET, DELETE /pictures/<id> | about one picture; 204 |
| GET /pictures/<id>/file, …/thumbnail | the picture; ?download=1 to save it |
"""

from __future__ import annotations

import unicodedata
import uuid
from http import HTTPStatus
from pathlib import Path, PurePath
from typing import Any

from flask import Blueprint, Response, abort, current_app, request, send_file, url_for

from . import gallery
from .models import Picture
from .pictures import EXTENSIONS, KINDS, THUMBNAIL_EXTENSION, THUMBNAIL_TYPE, most_pixels

PAGE, LARGEST_PAGE, HIGHEST_PAGE = 24, 100, 1_000_000
YEAR = 365 * 24 * 3600
TITLE, DESCRIPTION = 200, 2000  # characters
UNPRINTABLE = {"Cc", "Cs", "Cn", "Zl", "Zp"}  # Unicode's categories
TURNING = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

blueprint = Blueprint("api", __name__)


@blueprint.get("/")
def index() -> dict[str, Any]:
    memory = current_app.config["MAX_DECODE_BYTES"]
    return {
        "service": "images",
        "limits": {
            "bytes": current_app.config["MAX_UPLOAD_BYTES"],
            "pixels": {kind.content_type: most_pixels(kind, memory) for kind in KINDS.values()},
            "title": TITLE,
            "description": DESCRIPTION,
        },
        "links": {"pictures": url_for(".pictures")},
    }


@blueprint.get("/pictures")
def pictures() -> dict[str, Any]:
    number = _argument("page", 1, HIGHEST_PAGE)
    size = _argument("per_page", PAGE, LARGEST_PAGE)
    found = gallery.page(number, size)
    return {
        "items": [_described(picture) for picture in found.items],
        "page": number,
        "pages": found.pages,
        "per_page": size,
        "total": found.total,
    }


@blueprint.post("/pictures")
def upload() -> tuple[dict[str, Any], HTTPStatus, dict[str, str]]:
    file = request.files.get("file")
    if file is None or not file.filename:
        abort(HTTPStatus.BAD_REQUEST, "No file came with this request: send one in the form field `file`.")
    title = _text("title", TITLE) or _title_from(file.filename)
    picture, new = gallery.keep(
        file.stream, title=title, description=_text("description", DESCRIPTION), key=_upload_key()
    )
    status = HTTPStatus.CREATED if new else HTTPStatus.OK
    return _described(picture), status, {"Location": url_for(".picture", identity=picture.id)}


@blueprint.get("/pictures/<uuid:identity>")
def picture(identity: uuid.UUID) -> dict[str, Any]:
    return _described(_found(identity))


@blueprint.delete("/pictures/<uuid:identity>")
def remove(identity: uuid.UUID) -> tuple[str, HTTPStatus]:
    gallery.remove(_found(identity))
    return "", HTTPStatus.NO_CONTENT


@blueprint.get("/pictures/<uuid:identity>/file")
def file(identity: uuid.UUID) -> Response:
    found = _found(identity)
    path = gallery.media().original(found.id, found.content_type)
    return _sent(found, path, found.content_type, EXTENSIONS[found.content_type], found.sha256)


@blueprint.get("/pictures/<uuid:identity>/thumbnail")
def thumbnail(identity: uuid.UUID) -> Response:
    found = _found(identity)
    return _sent(found, gallery.media().thumbnail(found.id), THUMBNAIL_TYPE, THUMBNAIL_EXTENSION, f"{found.sha256}-s")


def _described(picture: Picture) -> dict[str, Any]:
    def link(endpoint: str) -> str:
        return url_for(f".{endpoint}", identity=picture.id)

    return {
        "id": str(picture.id),
        "title": picture.title,
        "description": picture.description,
        "content_type": picture.content_type,
        "sha256": picture.sha256,
        "bytes": picture.size,
        "width": picture.width,
        "height": picture.height,
        "created_at": picture.created_at.isoformat(),
        "links": {"self": link("picture"), "file": link("file"), "thumbnail": link("thumbnail")},
    }


def _sent(found: Picture, path: Path, content_type: str, extension: str, etag: str) -> Response:
    if not path.is_file():
        current_app.logger.error("picture %s has no file %s", found.id, path)
        abort(HTTPStatus.NOT_FOUND, "The file of this picture is missing.")
    response = send_file(
        path,
        mimetype=content_type,
        etag=etag,
        last_modified=found.created_at,
        max_age=YEAR,
        as_attachment="download" in request.args,
        download_name=f"{_folded(found.title)}{extension}",
    )
    response.cache_control.public = True
    response.cache_control.immutable = True
    return response


def _found(identity: uuid.UUID) -> Picture:
    found = gallery.find(identity)
    if found is None:
        abort(HTTPStatus.NOT_FOUND, "There is no such picture.")
    return found


def _argument(name: str, default: int, highest: int) -> int:
    text = request.args.get(name, str(default))
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(highest)) and 1 <= int(text) <= highest):
        abort(HTTPStatus.BAD_REQUEST, f"{name} must be a number from 1 to {highest}.")
    return int(text)


def _text(name: str, longest: int) -> str:
    text = _folded(request.form.get(name, ""))
    if len(text) > longest:
        abort(HTTPStatus.BAD_REQUEST, f"The {name} is too long: {longest} characters are the limit.")
    return text


def _title_from(filename: str) -> str:
    """A file's name as people read it, without its extension."""
    return _folded(PurePath(filename).stem.replace("_", " "))[:TITLE].strip() or "Untitled"


def _folded(text: str) -> str:
    """The text in one line, without what no header, database or page takes: control characters, halves of characters,
    and what turns the direction of the text around it."""
    kept = (" " if unicodedata.category(each) in UNPRINTABLE or each in TURNING else each for each in text)
    return " ".join(unicodedata.normalize("NFC", "".join(kept)).split())


def _upload_key() -> uuid.UUID:
    text = request.headers.get("Idempotency-Key")
    try:
        return uuid.UUID(text) if text else uuid.uuid4()
    except ValueError:
        abort(HTTPStatus.BAD_REQUEST, "Idempotency-Key must be a UUID.")
