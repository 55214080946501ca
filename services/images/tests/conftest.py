"""The application on a database in memory and a folder of the test's own."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade
from PIL import Image
from werkzeug.test import TestResponse

from services.images.app import create_app
from services.images.app.models import db

Upload = Callable[..., TestResponse]


def picture(kind: str = "PNG", size: tuple[int, int] = (80, 40), mode: str = "RGB", **options: Any) -> bytes:
    """A picture file of one colour."""
    target = io.BytesIO()
    Image.new(mode, size, "navy" if mode in {"RGB", "RGBA"} else 1).save(target, kind, **options)
    return target.getvalue()


BLUE = picture()


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, Any]:
    return {
        "SQLALCHEMY_DATABASE_URI": "sqlite://",
        "MEDIA_FOLDER": str(tmp_path / "media"),
        "MAX_UPLOAD_BYTES": 1024 * 1024,
        "MAX_CONTENT_LENGTH": 1024 * 1024 + 4096,
        "MAX_DECODE_BYTES": 17 * 1024 * 1024,
        "UPLOADS_AT_ONCE": 3,
    }


@pytest.fixture
def app(settings: dict[str, Any]) -> Iterator[Flask]:
    """With the tables that the migrations make, and an application context around the test."""
    made = create_app(settings)
    Path(settings["MEDIA_FOLDER"]).mkdir()
    with made.app_context():
        upgrade()
        yield made
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def media(settings: dict[str, Any]) -> Path:
    return Path(settings["MEDIA_FOLDER"])


@pytest.fixture
def upload(client: FlaskClient) -> Upload:
    """Sends a picture as a browser's form does."""

    def send(content: bytes = BLUE, name: str = "blue_sky.png", *, key: str = "", **fields: str) -> TestResponse:
        headers = {"Idempotency-Key": key} if key else {}
        file = (io.BytesIO(content), name)
        return client.post("/pictures", data={"file": file, **fields}, headers=headers)

    return send


def files(folder: Path) -> list[str]:
    """Paths of all files below the folder."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
