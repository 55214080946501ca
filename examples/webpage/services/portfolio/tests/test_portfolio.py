"""The portfolio on SQLite, as in development."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from examples.webpage.services.portfolio.src.portfolio import create_app

CONTENT = Path(__file__).parents[1] / "content.json"


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Flask:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/portfolio.db")
    monkeypatch.setenv("CONTACT_EMAIL", "me@example.org")
    return create_app()


@pytest.fixture
def client(app: Flask) -> Iterator[FlaskClient]:
    load(app, CONTENT)
    with app.test_client() as client:
        yield client


def load(app: Flask, file: Path) -> str:
    done = app.test_cli_runner().invoke(args=["init_db", str(file)])
    assert done.exit_code == 0, done.output
    return done.output


def test_the_front_page_has_the_projects_the_outermost_galleries_and_whom_to_write_to(client: FlaskClient) -> None:
    page = client.get("/").text
    assert page.index("A clock for the tide") < page.index("Field notes")
    assert "/galleries/coast" in page
    assert "Boats" not in page
    assert 'href="mailto:me@example.org"' in page


def test_a_gallery_shows_its_pictures_where_it_is_and_what_is_below_it(client: FlaskClient) -> None:
    page = client.get("/galleries/harbour").text
    assert page.index("/galleries/coast") < page.index("<h1>The harbour</h1>") < page.index("/galleries/boats")
    assert 'src="/static/pictures/harbour.svg" alt="Ebb"' in page
    above = client.get("/galleries/boats").text.partition("<h1>")[0]
    assert above.index("The coast") < above.index("The harbour")


def test_every_picture_of_the_content_is_there(client: FlaskClient) -> None:
    def files(galleries: list[dict[str, Any]]) -> Iterator[str]:
        for each in galleries:
            yield from (picture["file"] for picture in each.get("pictures", ()))
            yield from files(each.get("galleries", []))

    for file in files(json.loads(CONTENT.read_text())["galleries"]):
        assert client.get(f"/static/pictures/{file}").status_code == 200, file


def test_loading_again_takes_the_place_of_what_was_there(app: Flask, client: FlaskClient, tmp_path: Path) -> None:
    assert load(app, CONTENT) == "projects: 2, galleries: 4\n"
    file = tmp_path / "content.json"
    file.write_text(json.dumps({"projects": [], "galleries": [{"slug": "coast", "title": "Only this"}]}))
    assert load(app, file) == "projects: 0, galleries: 1\n"
    assert "Only this" in client.get("/").text
    assert client.get("/galleries/boats").status_code == 404


def test_content_that_is_wrong_changes_nothing(app: Flask, client: FlaskClient, tmp_path: Path) -> None:
    file = tmp_path / "content.json"
    twice = [{"slug": "coast", "title": "One"}, {"slug": "coast", "title": "Two"}]
    file.write_text(json.dumps({"projects": [], "galleries": twice}))
    assert app.test_cli_runner().invoke(args=["init_db", str(file)]).exit_code != 0
    assert "A clock for the tide" in client.get("/").text


def test_it_is_well_without_its_tables_and_not_ready(app: Flask) -> None:
    client = app.test_client()
    assert client.get("/health").status_code == 200
    assert client.get("/ready").status_code == 500
    load(app, CONTENT)
    assert client.get("/ready").text == "2 projects"
