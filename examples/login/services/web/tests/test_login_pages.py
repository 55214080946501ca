"""The pages alone: over accounts in memory, without Postgres and without nginx."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from psycopg_pool import PoolTimeout
from werkzeug.test import TestResponse

from examples.login.services.web.login import create_app
from examples.login.services.web.login.accounts import Account, NameTakenError

PASSWORD = "correct horse battery"
Start = Callable[..., Flask]


class AccountsInMemory:
    """Accounts as the pages see them."""

    def __init__(self) -> None:
        self.passwords: dict[str, str] = {}
        self.problem: Exception | None = None

    def create(self, name: str, password: str) -> Account:
        if name in self.passwords:
            raise NameTakenError(name)
        self.passwords[name] = password
        return Account(len(self.passwords), name)

    def verified(self, name: str, password: str) -> Account | None:
        if "\0" in name:
            raise psycopg.DataError("PostgreSQL text fields cannot contain NUL (0x00) bytes")
        found = {each.name: each for each in self.all()}
        return found[name] if self.passwords.get(name) == password else None

    def find(self, identity: int) -> Account | None:
        return next((each for each in self.all() if each.id == identity), None)

    def ready(self) -> None:
        if self.problem:
            raise self.problem

    def all(self) -> list[Account]:
        return [Account(number, name) for number, name in enumerate(self.passwords, 1)]


@pytest.fixture
def accounts() -> AccountsInMemory:
    return AccountsInMemory()


@pytest.fixture
def start(accounts: AccountsInMemory, monkeypatch: pytest.MonkeyPatch) -> Start:
    """Makes the application with these settings besides its own, as a new process would."""

    def make(**settings: str) -> Flask:
        own = {"SECRET_KEY": "for tests", "DATABASE_URL": "postgresql://"}
        for name, value in (own | settings).items():
            monkeypatch.setenv(f"FLASK_{name}", value)
        app = create_app()
        app.extensions["accounts"].pool.close()
        app.extensions["accounts"] = accounts
        return app

    return make


@pytest.fixture
def client(start: Start) -> FlaskClient:
    return start().test_client()


def submit(client: FlaskClient, page: str, **fields: str) -> TestResponse:
    """Sends the form of a page with the token that came with it."""
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get(page).text)
    assert token, f"there is no form at {page}"
    return client.post(page, data={"csrf_token": token[1]} | fields)


def register(client: FlaskClient, name: str = "Ada", password: str = PASSWORD) -> TestResponse:
    return submit(client, "/register", name=name, password=password)


@pytest.mark.parametrize(("length", "status"), [(0, 422), (11, 422), (12, 303), (128, 303), (129, 422)])
def test_a_password_has_12_to_128_characters(
    client: FlaskClient, accounts: AccountsInMemory, length: int, status: int
) -> None:
    answer = register(client, password="ä" * length)
    assert answer.status_code == status
    assert len(accounts.passwords) == (status == 303)
    assert "ä" not in answer.text


@pytest.mark.parametrize(("name", "status"), [("", 422), ("  ", 422), ("a\nb", 422), ("a" * 41, 422), ("a" * 40, 303)])
def test_a_name_has_1_to_40_characters_that_can_be_seen(client: FlaskClient, name: str, status: int) -> None:
    assert register(client, name).status_code == status


@pytest.mark.parametrize("name", ["", "Nobody", "Ada\0", "\0", "Ada\n", "a" * 100_000])
def test_a_name_that_nobody_has_is_refused_whatever_is_in_it(client: FlaskClient, name: str) -> None:
    register(client)
    assert submit(client, "/login", name=name, password=PASSWORD).status_code == 401


def test_a_name_belongs_to_whoever_had_it_first(client: FlaskClient, accounts: AccountsInMemory) -> None:
    register(client)
    answer = register(client, "  Ada ", "another password")
    assert (answer.status_code, accounts.passwords) == (409, {"Ada": PASSWORD})
    assert "This name is taken." in answer.text


def test_a_refused_form_comes_back_with_the_name_as_text_and_without_the_password(client: FlaskClient) -> None:
    answer = submit(client, "/login", name='"><b>Ada', password=PASSWORD)
    assert answer.status_code == 401
    assert 'value="&#34;&gt;&lt;b&gt;Ada"' in answer.text
    assert PASSWORD not in answer.text


@pytest.mark.parametrize("path", ["/register", "/login", "/logout"])
def test_a_form_without_its_token_does_nothing(client: FlaskClient, accounts: AccountsInMemory, path: str) -> None:
    register(client)
    answer = client.post(path, data={"name": "Bob", "password": PASSWORD})
    assert (answer.status_code, list(accounts.passwords)) == (400, ["Ada"])
    assert "Hello, Ada" in client.get("/").text


def test_logging_out_takes_a_form_and_not_a_link(client: FlaskClient) -> None:
    assert client.get("/logout").status_code == 405


def test_what_a_visitor_had_in_the_cookie_does_not_become_part_of_an_accounts_session(client: FlaskClient) -> None:
    with client.session_transaction() as session:
        session["planted"] = "by somebody else"
    assert register(client).status_code == 303
    with client.session_transaction() as session:
        assert dict(session) == {"account": 1}


def test_the_session_of_an_account_that_is_gone_leads_to_the_form(
    client: FlaskClient, accounts: AccountsInMemory
) -> None:
    register(client)
    accounts.passwords.clear()
    assert client.get("/").location == "/login"


@pytest.mark.parametrize(("settings", "known"), [({}, False), ({"SECRET_KEY_FALLBACKS": '["for tests"]'}, True)])
def test_another_key_ends_all_sessions_unless_the_old_one_still_counts(
    client: FlaskClient, start: Start, settings: dict[str, str], known: bool
) -> None:
    register(client)
    cookie = client.get_cookie("session")
    assert cookie
    other = start(SECRET_KEY="another", **settings).test_client()
    other.set_cookie("session", cookie.value)
    assert ("Hello, Ada" in other.get("/").text) == known


@pytest.mark.parametrize("problem", [psycopg.OperationalError("no route to host"), PoolTimeout("none within 15 s")])
def test_without_its_database_it_is_well_and_not_ready(
    client: FlaskClient, accounts: AccountsInMemory, problem: Exception
) -> None:
    assert client.get("/ready").json == {"status": "ready"}
    accounts.problem = problem
    answer: Any = client.get("/ready")
    assert (answer.status_code, client.get("/health").status_code) == (503, 200)
    assert str(problem) not in answer.text
