"""What a visitor can do, with forms and links only."""

from __future__ import annotations

import io
import uuid
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from .conftest import Elements, Wire, fields, picture

Stored = Callable[..., str]


def send(client: FlaskClient, form: dict[str, str], content: bytes, name: str = "sea.png", **more: str) -> TestResponse:
    return client.post("/upload", data={**form, **more, "file": (io.BytesIO(content), name)})


def total(images: Flask) -> int:
    return int(images.test_client().get("/pictures").get_json()["total"])


def test_an_empty_site_invites_to_upload(client: FlaskClient) -> None:
    page = client.get("/")
    assert page.status_code == 200
    assert "no pictures yet" in page.text
    assert 'href="/upload"' in page.text


def test_a_picture_is_uploaded_seen_and_deleted(client: FlaskClient, images: Flask) -> None:
    form = fields(client.get("/upload"))
    answer = send(client, form, picture(), title="By the <sea>", description="Waves & sand")
    assert answer.status_code == 303
    page = client.get(answer.location)
    assert "“By the &lt;sea&gt;” is uploaded." in page.text
    assert 'alt="Waves &amp; sand"' in page.text
    assert client.get(f"{answer.location}/file").data == picture()
    assert "By the &lt;sea&gt;" in client.get("/").text

    question = client.get(f"{answer.location}/delete")
    assert "cannot be undone" in question.text
    assert total(images) == 1, "asking deletes nothing"
    gone = client.post(f"{answer.location}/delete", data=fields(question), follow_redirects=True)
    assert "is deleted" in gone.text
    assert total(images) == 0
    assert client.get(answer.location).status_code == 404


def test_a_second_click_is_no_second_picture_and_another_file_is_another_picture(
    client: FlaskClient,
    images: Flask,
) -> None:
    form = fields(client.get("/upload"))
    first, again = send(client, form, picture()), send(client, form, picture())
    assert first.location == again.location
    other = send(client, form, picture((10, 10)))
    assert other.location != first.location
    assert total(images) == 2


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (b"", "", "Choose a picture file"),
        (b"no picture", "a.png", "not a picture"),
        (picture()[:50], "a.png", "damaged"),
    ],
    ids=["no file", "no picture", "half a picture"],
)
def test_a_refused_upload_says_why_at_the_field_and_keeps_what_was_typed(
    client: FlaskClient,
    images: Flask,
    content: bytes,
    name: str,
    words: str,
) -> None:
    page = send(client, fields(client.get("/upload")), content, name, title="Typed before")
    assert page.status_code == 422
    assert page.text.count(words) == 2, "in the summary on top and at the field"
    assert "<title>Error:" in page.text
    assert 'value="Typed before"' in page.text
    file = next(field for field in Elements(page.text).named("input") if field.get("name") == "file")
    assert file["aria-invalid"] == "true"
    assert file["aria-describedby"] == "file-problem file-hint"
    assert total(images) == 0


def test_the_limits_are_told_before_and_after(client: FlaskClient, wire: Wire) -> None:
    page = client.get("/upload")
    assert "Up to 1 MB, of these kinds: GIF (up to 1 megapixels), JPEG (up to 2 megapixels), PNG" in " ".join(
        page.text.split()
    )
    before = len(wire.calls)
    answer = send(client, fields(page), b"\0" * (1024 * 1024 + 100_000))
    assert answer.status_code == 413
    assert "up to 1 MB" in answer.text
    assert len(wire.calls) == before, "a file that is too large is not sent on"


def test_texts_that_are_too_long_are_refused(client: FlaskClient) -> None:
    page = send(client, fields(client.get("/upload")), picture(), title="t" * 201)
    assert page.status_code == 422
    assert "200 characters" in page.text


def test_pages_lead_through_all_pictures(client: FlaskClient, stored: Stored) -> None:
    for number in range(25):
        stored(f"number {number}")
    first = client.get("/")
    assert "25 pictures" in first.text
    assert "Page 1 of 2" in first.text
    assert 'rel="next" href="/?page=2"' in first.text
    assert 'rel="prev"' not in first.text
    last = client.get("/?page=2")
    assert "number 0<" in last.text
    assert 'rel="prev" href="/?page=1"' in last.text
    assert client.get("/?page=9").location == "/?page=2"


@pytest.mark.parametrize(
    "path",
    [
        "/nowhere",
        f"/pictures/{uuid.UUID(int=1)}",
        f"/pictures/{uuid.UUID(int=1)}/delete",
        f"/pictures/{uuid.UUID(int=1)}/file",
        "/?page=0",
        "/?page=99999999999",
        "/pictures/1",
    ],
)
def test_what_is_not_there_is_a_friendly_404(client: FlaskClient, path: str) -> None:
    page = client.get(path)
    assert page.status_code == 404
    assert "Page not found" in page.text
    assert 'href="/"' in page.text


def test_files_pass_through_with_what_browsers_need(client: FlaskClient, stored: Stored) -> None:
    path = f"/pictures/{stored()}/file"
    answer = client.get(path)
    assert (answer.mimetype, answer.content_length) == ("image/png", len(picture()))
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert client.get(path, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
    assert client.get(path, headers={"If-None-Match": '"é"', "Range": "bytes=ü"}).status_code == 200
    part = client.get(path, headers={"Range": "bytes=0-3"})
    assert (part.status_code, part.data) == (206, b"\x89PNG")
    assert client.get(f"{path}?download=1").headers["Content-Disposition"].startswith("attachment")
    assert client.get(f"/pictures/{stored()}/thumbnail").mimetype == "image/webp"


def test_every_page_can_be_used_without_seeing_it(client: FlaskClient, stored: Stored) -> None:
    one = stored("One", "A blue field")
    for path in ("/", "/upload", f"/pictures/{one}", f"/pictures/{one}/delete", "/nowhere"):
        page = Elements(client.get(path).text)
        for landmark in ("html", "header", "main", "h1", "title", "nav"):
            assert len(page.named(landmark)) >= 1, f"{path} has a {landmark}"
        assert page.named("html")[0]["lang"] == "en"
        assert len(page.named("h1")) == 1
        assert all("alt" in image for image in page.named("img")), path
        assert not page.named("script"), "no page needs JavaScript"
        assert page.named("a")[0]["href"] == "#content", "the first link skips to the content"
        labels = {label["for"] for label in page.named("label")}
        controls = [field for field in page.named("input", "textarea", "select") if field.get("type") != "hidden"]
        assert {field["id"] for field in controls} == labels, path
        identities = [attributes["id"] for _, attributes in page.all if "id" in attributes]
        assert len(identities) == len(set(identities)), path
        described = " ".join(str(field.get("aria-describedby", "")) for field in controls).split()
        assert set(described) <= set(identities), path
