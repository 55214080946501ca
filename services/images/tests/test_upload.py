"""What may be stored, and that what was acknowledged is there."""

from __future__ import annotations

import hashlib
import io
import os
import struct
import uuid
import zlib
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy.exc import IntegrityError, OperationalError
from werkzeug.test import TestResponse

from services.images.app import gallery
from services.images.app.models import db

from .conftest import Upload, files, picture


def message(response: TestResponse) -> str:
    assert response.json is not None
    return str(response.json["error"]["message"])


def test_a_picture_comes_back_byte_for_byte(client: FlaskClient, upload: Upload) -> None:
    content = picture("JPEG", quality=90)
    answer = upload(content, "holiday/blue_sky.jpeg", description="A blue sky.")
    assert answer.status_code == 201
    stored = answer.get_json()
    assert stored["title"] == "blue sky"
    assert stored["description"] == "A blue sky."
    assert (stored["width"], stored["height"], stored["bytes"]) == (80, 40, len(content))
    assert stored["sha256"] == hashlib.sha256(content).hexdigest()
    assert answer.headers["Location"] == stored["links"]["self"] == f"/pictures/{stored['id']}"
    assert client.get(stored["links"]["file"]).data == content


@pytest.mark.parametrize(
    ("kind", "content_type"),
    [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/webp"), ("GIF", "image/gif")],
)
def test_the_type_is_what_the_file_is_not_what_it_is_called(
    client: FlaskClient,
    upload: Upload,
    kind: str,
    content_type: str,
) -> None:
    stored = upload(picture(kind), "page.html").get_json()
    assert client.get(stored["links"]["file"]).mimetype == stored["content_type"] == content_type


@pytest.mark.parametrize(
    "content",
    [
        b"<script>alert(1)</script>",
        b"",
        b"\x89PNG\r\n\x1a\n",
        b'<svg xmlns="http://www.w3.org/2000/svg"/>',
        picture("BMP"),
        picture("TIFF"),
        picture("PNG")[:60],
        picture("JPEG", (400, 400))[:-300],
    ],
    ids=["script", "empty", "PNG without content", "SVG", "BMP", "TIFF", "half a PNG", "half a JPEG"],
)
def test_what_is_no_whole_picture_is_refused_and_nothing_is_kept(upload: Upload, media: Path, content: bytes) -> None:
    answer = upload(content, "picture.png")
    assert answer.status_code == 415
    assert "picture" in message(answer)
    assert files(media) == []


@pytest.mark.parametrize("kind", ["BMP", "TIFF", "ICO"])
def test_a_kind_of_picture_that_is_not_kept_is_told_from_a_broken_one(upload: Upload, kind: str) -> None:
    assert "send a JPEG" in message(upload(picture(kind)))


def test_a_file_above_the_limit_is_refused_with_the_limit(upload: Upload, settings: dict[str, Any]) -> None:
    answer = upload(b"\0" * (settings["MAX_CONTENT_LENGTH"] + 1))
    assert answer.status_code == 413
    assert "1 MB" in message(answer)


def test_a_small_file_that_unpacks_to_a_huge_picture_is_refused_unread(upload: Upload) -> None:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    chunks = chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(b"\0" * 1000)), chunk(b"IEND", b"")
    answer = upload(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))
    assert answer.status_code == 415
    assert "megapixels" in message(answer)
    for kind, refused in (("WEBP", 415), ("PNG", 201)):
        assert upload(picture(kind, (1100, 1000))).status_code == refused, "a WebP picture takes more memory to decode"


@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        ("PNG", "RGBA"),
        ("PNG", "P"),
        ("PNG", "1"),
        ("PNG", "LA"),
        ("PNG", "I;16"),
        ("JPEG", "CMYK"),
        ("JPEG", "L"),
        ("GIF", "P"),
    ],
)
def test_every_kind_of_colour_gets_a_small_version(client: FlaskClient, upload: Upload, kind: str, mode: str) -> None:
    stored = upload(picture(kind, (900, 300), mode)).get_json()
    with Image.open(io.BytesIO(client.get(stored["links"]["thumbnail"]).data)) as small:
        assert (small.format, small.size) == ("WEBP", (640, 213))


def test_a_picture_taken_sideways_is_upright_when_small(client: FlaskClient, upload: Upload) -> None:
    turned = Image.Exif()
    turned[0x0112] = 6
    stored = upload(picture("JPEG", (900, 300), exif=turned)).get_json()
    assert (stored["width"], stored["height"]) == (300, 900)
    with Image.open(io.BytesIO(client.get(stored["links"]["thumbnail"]).data)) as small:
        assert small.size == (213, 640)
        assert not small.getexif(), "where a picture was taken is nobody's business in a gallery"


@pytest.mark.parametrize(("word", "length"), [("title", 201), ("description", 2001)])
def test_texts_have_a_limit(upload: Upload, word: str, length: int) -> None:
    answer = upload(**{word: "x" * length})
    assert answer.status_code == 400
    assert word in message(answer)


def test_a_form_without_a_file_says_what_is_missing(client: FlaskClient) -> None:
    answer = client.post("/pictures", data={"title": "nothing"})
    assert answer.status_code == 400
    assert "file" in message(answer)


def test_an_upload_sent_again_is_the_same_picture(upload: Upload, media: Path) -> None:
    key = str(uuid.uuid4())
    first, again = upload(key=key), upload(key=key)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.get_json()["id"] == again.get_json()["id"]
    assert len(files(media)) == 2
    other = upload(picture(size=(10, 10)), key=key)
    assert other.status_code == 422
    assert upload(key="no uuid").status_code == 400


def test_the_same_upload_twice_at_one_moment_is_kept_once(
    app: Flask,
    upload: Upload,
    media: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    key = str(uuid.uuid4())
    first = upload(key=key).get_json()
    real, asked = gallery._by_key, []

    def not_yet(wanted: uuid.UUID) -> Any:
        asked.append(wanted)
        return None if len(asked) == 1 else real(wanted)

    monkeypatch.setattr(gallery, "_by_key", not_yet)
    again = upload(key=key)
    assert (again.status_code, again.get_json()["id"]) == (200, first["id"])
    assert len(files(media)) == 2, "the loser of the race removes its files"


def test_the_files_are_on_the_disk_before_the_row_is_committed(
    upload: Upload,
    media: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    order: list[str] = []

    def noted(where: Any, name: str) -> None:
        real = getattr(where, name)

        def call(*arguments: Any) -> Any:
            order.append(name if name != "commit" else f"commit {len(files(media))}")
            return real(*arguments)

        monkeypatch.setattr(where, name, call)

    for where, name in ((os, "fsync"), (Path, "rename"), (db.session, "commit")):
        noted(where, name)
    assert upload().status_code == 201
    assert order == ["fsync", "rename", "fsync", "fsync"] * 2 + ["commit 2"]


def test_a_full_disk_is_told_and_leaves_no_half_file(
    upload: Upload,
    media: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    answer = upload()
    assert answer.status_code == 507
    assert "room" in message(answer)
    assert files(media) == []


@pytest.mark.parametrize("error", [OperationalError("", {}, Exception()), IntegrityError("", {}, Exception())])
def test_an_upload_that_could_not_be_recorded_is_not_acknowledged(
    client: FlaskClient,
    upload: Upload,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
) -> None:
    def fail() -> None:
        raise error

    with monkeypatch.context() as broken:
        broken.setattr(db.session, "commit", fail)
        client.application.testing = False
        answer = upload()
    assert answer.status_code in {500, 503}
    assert client.get("/pictures").get_json()["total"] == 0
