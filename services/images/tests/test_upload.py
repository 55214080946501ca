"""What may be stored, and that what was acknowledged is there."""

from __future__ import annotations

import fcntl
import hashlib
import io
import os
import re
import struct
import tempfile
import time
import uuid
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy.exc import IntegrityError, OperationalError
from werkzeug.test import TestResponse

from services.images.app import decoding, gallery
from services.images.app.models import Picture, db
from services.images.app.pictures import Inspected, Inspector

from .conftest import BLUE, Upload, files, picture


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


def many_scans(count: int) -> bytes:
    """A small JPEG that makes whoever decodes it go over all its pixels so many times."""
    content = picture("JPEG", (900, 600), progressive=True)
    last = content.rindex(b"\xff\xda")
    return content[:last] + content[last:-2] * count + content[-2:]


def test_a_jpeg_of_very_many_scans_is_refused_before_it_is_decoded(upload: Upload, media: Path) -> None:
    content = many_scans(20_000)
    assert len(content) < 500_000
    start = time.monotonic()
    answer = upload(content)
    assert answer.status_code == 415
    assert "too long to decode" in message(answer)
    assert time.monotonic() - start < 5, "decoded, it takes minutes"
    assert files(media) == []
    assert upload(many_scans(20)).status_code == 201


def test_what_uses_up_its_time_is_ended_and_refused(
    upload: Upload, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spinning = tmp_path / "spinning.py"
    spinning.write_text("import resource\nresource.setrlimit(resource.RLIMIT_CPU, (1, 1))\nwhile True: pass\n")
    monkeypatch.setattr(decoding, "__file__", str(spinning))
    answer = upload()
    assert answer.status_code == 415
    assert "too long" in message(answer)


def decoders() -> list[Path]:
    """The processes that decode, or wait for their turn, within their limit of seconds."""
    own = Path("/proc/self/task").glob("*/children")
    children = [Path("/proc", number) for file in own for number in file.read_text().split()]
    return [each for each in children if re.search(r"Max cpu time +10 ", (each / "limits").read_text())]


@pytest.fixture
def turn() -> Iterator[IO[str]]:
    """It is another process's turn to decode."""
    with Path(tempfile.gettempdir(), "decode.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock


def test_while_uploads_wait_one_more_is_told_to_come_back_and_everything_else_is_answered(
    app: Flask, client: FlaskClient, upload: Upload, turn: IO[str]
) -> None:
    inspector: Inspector = app.extensions["inspector"]
    with ThreadPoolExecutor() as pool:
        waiting = [pool.submit(inspector.inspect, io.BytesIO(BLUE)) for _ in range(3)]
        while len(decoders()) < 3:
            time.sleep(0.05)
        answer = upload()
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
        assert client.get("/pictures").status_code == 200
        fcntl.flock(turn.fileno(), fcntl.LOCK_UN)
    assert [each.result().content_type for each in waiting] == ["image/png"] * 3


def test_a_camera_s_picture_with_a_preview_beside_it_is_a_jpeg(client: FlaskClient, upload: Upload) -> None:
    target = io.BytesIO()
    preview = Image.new("RGB", (160, 120), "red")
    Image.new("RGB", (900, 600), "navy").save(target, "MPO", save_all=True, append_images=[preview])
    answer = upload(target.getvalue(), "DSC00042.JPG")
    assert answer.status_code == 201
    stored = answer.get_json()
    assert (stored["content_type"], stored["width"], stored["height"]) == ("image/jpeg", 900, 600)
    assert client.get(stored["links"]["file"]).data == target.getvalue()


NAMES = {
    "two\nlines.png": "two lines", "a\r\nSet-Cookie: x=1.png": "a Set-Cookie: x=1", "nul\0l.png": "nul l",
    "bell\x07\x7f\x85.png": "bell", "line\u2028separator.png": "line separator", "gpj\u202e.png": "gpj",
    f"{'x' * 5000}.png": "x" * 200, f"{'ß' * 300}.png": "ß" * 200, "cafe\u0301.png": "café", "\n.png": "Untitled",
    "👨‍👩‍👧.png": "👨‍👩‍👧", 'quo"te\\.png': 'quo"te\\', "%0d%0a.png": "%0d%0a", "a/../../b.png": "b", "/": "Untitled",
    "half\ud800.png": "half\ufffd\ufffd\ufffd",
}  # fmt: skip


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_whatever_a_file_is_called_it_is_kept_and_comes_back(
    app: Flask, client: FlaskClient, upload: Upload, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Written as RFC 2231 has it, which brings any character past the parser of the form."""
    looked_at = Inspected(content_type="image/png", width=80, height=40, thumbnail=b"small")
    monkeypatch.setattr(app.extensions["inspector"], "inspect", lambda _: looked_at)
    encoded = quote(name.encode(errors="surrogatepass"), safe="")
    head = f"--x\r\nContent-Disposition: form-data; name=file; filename*=UTF-8''{encoded}\r\n\r\n".encode()
    sent = {"data": head + BLUE + b"\r\n--x--\r\n", "content_type": "multipart/form-data; boundary=x"}
    answers = [client.post("/pictures", **sent)]
    if name.isascii() and len(name) < 200:
        answers.append(upload(title=name.removesuffix(".png")))
    for answer in answers:
        assert answer.status_code == 201, answer.get_json()
        links = answer.get_json()["links"]
        for link in (links["file"], f"{links['file']}?download=1", links["thumbnail"], "/pictures"):
            assert client.get(link).status_code == 200
    assert answers[0].get_json()["title"] == NAMES[name]


def test_a_title_that_an_earlier_version_stored_does_no_harm(app: Flask, client: FlaskClient, upload: Upload) -> None:
    stored = upload().get_json()
    kept = db.session.get(Picture, uuid.UUID(stored["id"]))
    assert kept
    kept.title = "two\nlines"
    db.session.commit()
    assert client.get(f"{stored['links']['file']}?download=1").status_code == 200
