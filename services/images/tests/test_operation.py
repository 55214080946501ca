"""Settings, health, and the commands of manage.py."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import inspect
from sqlalchemy.exc import TimeoutError as PoolTimeout

from services.images.app import create_app, gallery
from services.images.app.config import database_url, from_environment
from services.images.app.models import db
from services.images.app.seeds import SCENES, draw

from .conftest import Upload, files

PARTS = {"DB_HOST": "postgres", "DB_NAME": "images", "DB_USER": "images_runtime"}


@pytest.mark.parametrize("given", ["postgres", "postgresql", "postgresql+psycopg2"])
def test_a_database_address_may_be_written_as_providers_do(given: str) -> None:
    url = database_url({"DATABASE_URL": f"{given}://u:p%40ss@db:6543/pictures?sslmode=require"})
    assert (
        url.render_as_string(hide_password=False) == "postgresql+psycopg2://u:p%40ss@db:6543/pictures?sslmode=require"
    )


def test_a_database_address_in_parts_takes_any_password() -> None:
    url = database_url({**PARTS, "DB_PASSWORD": "a/b@c:d%e"})
    assert (url.password, url.host, url.port, url.database) == ("a/b@c:d%e", "postgres", 5432, "images")


@pytest.mark.parametrize(
    ("environment", "word"),
    [
        ({}, "DB_HOST"),
        ({"DB_HOST": "postgres"}, "DB_USER"),
        ({**PARTS, "DB_PORT": "x"}, "DB_PORT"),
        ({**PARTS, "MAX_UPLOAD_MB": "-1"}, "MAX_UPLOAD_MB"),
    ],
)
def test_a_wrong_setting_is_named(environment: dict[str, str], word: str) -> None:
    with pytest.raises(ValueError, match=word):
        from_environment(environment)


def test_a_process_takes_four_connections_at_most_and_tests_them_before_use() -> None:
    options = from_environment(PARTS)["SQLALCHEMY_ENGINE_OPTIONS"]
    assert (options["pool_size"], options["max_overflow"], options["pool_pre_ping"]) == (2, 2, True)


def test_health_needs_no_database_and_ready_needs_its_schema(client: FlaskClient, app: Flask) -> None:
    assert client.get("/health").status_code == 200
    assert client.get("/ready").get_json() == {"status": "ready"}
    app.test_cli_runner().invoke(args=["db", "downgrade", "base"])
    assert client.get("/health").status_code == 200
    answer = client.get("/ready")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert "SQL" not in answer.text


def test_not_ready_without_a_folder_to_write_to(client: FlaskClient, media: Path) -> None:
    media.rmdir()
    assert client.get("/ready").status_code == 503
    assert client.get("/health").status_code == 200


def test_an_exhausted_pool_is_a_503(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def exhausted(*_: object) -> None:
        raise PoolTimeout

    monkeypatch.setattr(gallery, "page", exhausted)
    assert client.get("/pictures").status_code == 503


def test_create_db_keeps_what_is_there_unless_told_to_drop(app: Flask, upload: Upload, client: FlaskClient) -> None:
    upload()
    run = app.test_cli_runner().invoke
    assert run(args=["create_db"]).exit_code == 0
    assert client.get("/pictures").get_json()["total"] == 1
    assert run(args=["create_db", "--drop"]).exit_code == 0
    assert client.get("/pictures").get_json()["total"] == 0


def test_create_db_makes_the_tables_that_migrations_know(settings: dict[str, object]) -> None:
    app = create_app(settings)
    assert app.test_cli_runner().invoke(args=["create_db"]).exit_code == 0
    with app.app_context():
        assert set(inspect(db.engine).get_table_names()) == {"picture", "alembic_version"}
    assert app.test_cli_runner().invoke(args=["db", "check"]).exit_code == 0, "models and migrations agree"


def test_seeding_twice_adds_the_pictures_once(app: Flask, client: FlaskClient) -> None:
    run = app.test_cli_runner().invoke
    assert f"added {len(SCENES)}" in run(args=["seed_db"]).output
    assert "added 0" in run(args=["seed_db"]).output
    assert {item["title"] for item in client.get("/pictures").get_json()["items"]} == {scene.title for scene in SCENES}


def test_the_seeds_are_drawn_the_same_every_time() -> None:
    assert draw(SCENES[0]) == draw(SCENES[0])


def test_strays_are_cleared_away_and_pictures_are_not(
    app: Flask,
    upload: Upload,
    client: FlaskClient,
    media: Path,
) -> None:
    link = upload().get_json()["links"]["file"]
    kept = files(media)
    fresh = media / "originals" / ".fresh.part"
    old = media / "originals" / ".old.part"
    lost = media / "thumbnails" / "4d2f3c1e-0000-4000-8000-000000000000.webp"
    for path in (fresh, old, lost):
        path.write_bytes(b"x")
    long_ago = time.time() - 7200
    for path in media.rglob("*.*"):
        if path != fresh:
            os.utime(path, (long_ago, long_ago))
    assert "removed 2 files" in app.test_cli_runner().invoke(args=["remove_strays"]).output
    assert files(media) == sorted([*kept, "originals/.fresh.part"])
    assert client.get(link).status_code == 200
