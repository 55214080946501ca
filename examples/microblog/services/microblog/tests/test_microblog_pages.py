"""The microblog on a database in memory, without Postgres and without nginx."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.exc import DataError
from werkzeug.test import TestResponse

from examples.microblog.services.microblog.microblog import create_app, exports
from examples.microblog.services.microblog.microblog.models import Account, Post, db

PASSWORD = "correct horse battery"
Join = Callable[[str], FlaskClient]


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    monkeypatch.setenv("FLASK_SQLALCHEMY_DATABASE_URI", "sqlite://")
    monkeypatch.setenv("FLASK_SQLALCHEMY_ENGINE_OPTIONS", "{}")  # the application's own are Postgres's
    monkeypatch.setenv("FLASK_SECRET_KEY", "for tests")
    made = create_app()
    with made.app_context():
        db.create_all()
    yield made
    with made.app_context():
        db.engine.dispose()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def join(app: Flask) -> Join:
    """Registers somebody, and gives the browser in which they are logged in then."""

    def register(name: str) -> FlaskClient:
        browser = app.test_client()
        assert submit(browser, "/register", name=name, password=PASSWORD).location == "/"
        return browser

    return register


def submit(client: FlaskClient, page: str, form: str = "", **fields: str) -> TestResponse:
    """Sends a form of a page with what is hidden in it."""
    hidden = dict(re.findall(r'<input[^>]* name="(\w+)" type="hidden" value="([^"]*)"', client.get(page).text))
    assert "csrf_token" in hidden, f"there is no form at {page}"
    return client.post(form or page, data=hidden | fields)


def count(app: Flask, table: type[Account | Post]) -> int:
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(table)) or 0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "a" * 41),
        ("name", "ada lovelace"),
        ("name", "ada\n"),
        ("name", "ädä"),
        ("password", "a" * 11),
        ("password", "a" * 129),
        ("csrf_token", "made up"),
    ],
)
def test_what_is_no_name_or_password_makes_no_account(app: Flask, client: FlaskClient, field: str, value: str) -> None:
    answer = submit(client, "/register", **({"name": "ada", "password": PASSWORD} | {field: value}))
    assert (answer.status_code, count(app, Account)) == (422, 0)


def test_a_name_belongs_to_whoever_had_it_first(app: Flask, client: FlaskClient, join: Join) -> None:
    join("ada")
    answer = submit(client, "/register", name="ada", password="another password")
    assert (answer.status_code, count(app, Account)) == (422, 1)
    assert "This name is taken." in answer.text


def test_a_page_for_members_is_shown_after_logging_in(client: FlaskClient, join: Join) -> None:
    join("ada")
    asked = client.get("/exports").location
    assert asked == "/login?next=%2Fexports"
    assert submit(client, asked, name="ada", password=PASSWORD).location == "/exports"


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://elsewhere.example.org/",
        "//elsewhere.example.org/",
        "/\\elsewhere.example.org/",
        "/\t/elsewhere.example.org/",
        "\t//elsewhere.example.org/",
        "javascript:alert(1)",
        "elsewhere",
    ],
)
def test_logging_in_never_leads_to_another_site(client: FlaskClient, join: Join, elsewhere: str) -> None:
    join("ada")
    hidden = dict(re.findall(r'name="(csrf_token)" type="hidden" value="([^"]*)"', client.get("/login").text))
    data = hidden | {"name": "ada", "password": PASSWORD}
    assert client.post("/login", query_string={"next": elsewhere}, data=data).location == "/"


def test_a_login_that_fails_does_not_tell_which_names_exist(client: FlaskClient, join: Join) -> None:
    join("ada")
    answers = [submit(client, "/login", name=name, password="another password") for name in ("ada", "bob")]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert all("Name or password is wrong." in answer.text for answer in answers)


@pytest.mark.parametrize(
    ("field", "value"), [("body", ""), ("body", "  \n"), ("body", "a" * 281), ("key", "1"), ("csrf_token", "made up")]
)
def test_what_is_no_post_is_not_posted(app: Flask, join: Join, field: str, value: str) -> None:
    answer = submit(join("ada"), "/", **({"body": "Hello", "key": str(uuid.uuid4())} | {field: value}))
    assert (answer.status_code, count(app, Post)) == (422, 0)


def test_what_somebody_wrote_is_text_to_a_browser(join: Join, client: FlaskClient) -> None:
    submit(join("ada"), "/", body="<script>alert(1)</script>")
    assert "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>" in client.get("/explore").text


@pytest.mark.parametrize(("posts", "last"), [(25, "Nothing here yet."), (26, "<p>post 1</p>")])
def test_a_page_has_25_posts_the_newest_first_and_leads_to_the_older_ones(
    app: Flask, client: FlaskClient, join: Join, posts: int, last: str
) -> None:
    join("ada")
    with app.app_context():
        db.session.add_all([Post(account_id=1, body=f"post {number}") for number in range(1, posts + 1)])
        db.session.commit()
    first = client.get("/explore").text
    newest = [f"post {number}" for number in range(posts, posts - 25, -1)]
    assert re.findall(r"<p>(post \d+)</p>", first) == newest
    [older] = re.findall(r'<a rel="next" href="([^"]+)"', first)
    page = client.get(f"/explore{older}")
    assert (page.status_code, 'rel="next"' in page.text) == (200, False)
    assert last in page.text


@pytest.mark.parametrize("path", ["/accounts/bob/followers", "/accounts/bob/followers/delete", "/exports", "/logout"])
def test_a_button_pressed_on_another_site_does_nothing(join: Join, path: str) -> None:
    ada, _ = join("ada"), join("bob")
    submit(ada, "/accounts/bob", "/accounts/bob/followers")
    ada.post(path)
    assert "Unfollow" in ada.get("/accounts/bob").text
    assert "<li>" not in ada.get("/exports").text


def test_a_file_of_posts_is_for_whoever_ordered_it_and_there_when_it_is_written(app: Flask, join: Join) -> None:
    ada, bob = join("ada"), join("bob")
    submit(ada, "/", body="Hello")
    submit(bob, "/", body="Not Ada's")
    submit(ada, "/exports")
    assert ada.get("/exports/1.json").status_code == 404
    with app.app_context():
        assert [exports.write_next(), exports.write_next()] == [True, False]
    assert [post["body"] for post in ada.get("/exports/1.json").json or []] == ["Hello"]
    assert bob.get("/exports/1.json").status_code == 404


@pytest.mark.parametrize("path", ["/explore?page=" + "9" * 30, "/accounts/a%00"])
def test_what_the_database_cannot_hold_is_the_visitors_mistake(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """As Postgres says it; SQLite minds neither."""

    def refuse(*_: object, **__: object) -> None:
        raise DataError("SELECT", {}, Exception("bigint out of range"))

    for name in ("paginate", "first_or_404"):
        monkeypatch.setattr(db, name, refuse)
    assert client.get(path).status_code == 400
