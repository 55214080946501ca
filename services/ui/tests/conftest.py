"""The site over the real images application, in one process: its calls go through WSGI instead of the network."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from werkzeug.test import TestResponse

from services.images.app import create_app as create_images
from services.images.app.models import Base, db
from services.ui.app import create_app
from services.ui.app.config import settings

SECRET = "only for tests"


class Wire(httpx.BaseTransport):
    """Carries calls to the images application, counts them, and can be made to break."""

    def __init__(self, app: Flask) -> None:
        self.inner = httpx.WSGITransport(app=app)
        self.calls: list[str] = []
        self.broken: list[Callable[[httpx.Request], httpx.Response]] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.calls.append(f"{request.method} {request.url.path}")
        if self.broken:
            return self.broken.pop(0)(request)
        return self.inner.handle_request(request)


@pytest.fixture
def images(tmp_path: Path) -> Iterator[Flask]:
    app = create_images(
        {
            "SQLALCHEMY_DATABASE_URI": "sqlite://",
            "MEDIA_FOLDER": str(tmp_path),
            "MAX_UPLOAD_BYTES": 1024 * 1024,
            "MAX_CONTENT_LENGTH": 1024 * 1024 + 65536,
            "MAX_DECODE_BYTES": 17 * 1024 * 1024,
            "UPLOADS_AT_ONCE": 3,
        }
    )
    with app.app_context():
        Base.metadata.create_all(db.engine)
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def wire(images: Flask, monkeypatch: pytest.MonkeyPatch) -> Wire:
    monkeypatch.setattr("services.ui.app.images_api.PAUSES", (0, 0, 0))
    return Wire(images)


@pytest.fixture
def app(wire: Wire) -> Flask:
    return create_app(settings(secret=SECRET, images_url="http://images"), transport=wire)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def stored(images: Flask) -> Callable[..., str]:
    """Puts a picture into the store and gives its id."""

    def store(title: str = "Blue", description: str = "") -> str:
        data = {"file": (io.BytesIO(picture()), "blue.png"), "title": title, "description": description}
        return str(images.test_client().post("/pictures", data=data).get_json()["id"])

    return store


def picture(size: tuple[int, int] = (80, 40)) -> bytes:
    target = io.BytesIO()
    Image.new("RGB", size, "navy").save(target, "PNG")
    return target.getvalue()


def fields(page: TestResponse) -> dict[str, str]:
    """The hidden fields of the page's form."""
    found = re.findall(r'<input[^>]*type="hidden"[^>]*>', page.text)
    values = [(re.search(r'name="([^"]*)"', field), re.search(r'value="([^"]*)"', field)) for field in found]
    return {name[1]: value[1] for name, value in values if name and value}


class Elements(HTMLParser):
    """All elements of a page: (name, attributes)."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.all: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.all.append((tag, dict(attrs)))

    def named(self, *tags: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.all if tag in tags]
