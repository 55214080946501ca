"""The rooms site in production, as its README has it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from examples.rooms.services.rooms.app.config import database_url
from examples.rooms.services.rooms.app.domain import Room
from examples.rooms.services.rooms.app.filters import Filter
from examples.rooms.services.rooms.app.repository import PostgresRooms
from slipway.setup import paths
from tests.support import engine
from tests.support.example import Example

FIRST = {"420": UUID(int=0x4000_8000_000000000001), "510": UUID(int=0x4000_8000_000000000004)}

TOLD = """

@app.get("/told")
def told():
    from flask import request

    return dict(request.headers)
"""


@pytest.fixture(scope="module")
def site(site: Example) -> Example:
    """With its first rooms."""
    site.edit("manage.py", "HERE.parents[1]", f'Path("{paths.PROJECT}")')
    manage(site, "init-postgres")
    return site


@pytest.fixture
def client(site: Example) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=site.url, timeout=30) as client:
        yield client


def manage(site: Example, *arguments: str) -> str:
    """What the site's own commands write, from its folder."""
    done = subprocess.run(
        [sys.executable, site.directory / "manage.py", *arguments],
        env=site.environment,
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def prices(client: httpx.Client, **filters: str) -> list[int]:
    answer = client.get("rooms", params={f"filter_{name}": value for name, value in filters.items()})
    assert answer.status_code == 200, answer.text
    return [room["price"] for room in answer.json()]


def test_all_rooms_are_listed_with_every_field(client: httpx.Client) -> None:
    assert prices(client) == [420, 510, 690, 980]
    assert client.get("rooms").json()[0] == {
        "code": str(FIRST["420"]), "size": 18, "price": 420, "longitude": 13.405, "latitude": 52.52
    }  # fmt: skip


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"code__eq": str(FIRST["510"])}, [510]),
        ({"price__eq": "690"}, [690]),
        ({"price__lt": "510"}, [420]),
        ({"price__gt": "510"}, [690, 980]),
        ({"price__gt": "420", "price__lt": "980"}, [510, 690]),
    ],
)
def test_filters_choose_among_them(client: httpx.Client, filters: dict[str, str], found: list[int]) -> None:
    assert prices(client, **filters) == found


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("rooms?filter_size__gt=20", 400),
        ("rooms?filter_price__lt=cheap", 400),
        ("rooms/attic", 400),
        (f"rooms/{UUID(int=9)}", 404),
        ("halls", 404),
        (f"rooms/{FIRST['420']}", 200),
    ],
)
def test_an_answer_has_the_status_of_its_use_case_and_errors_are_json(
    client: httpx.Client, path: str, status: int
) -> None:
    answer = client.get(path)
    assert answer.status_code == status
    assert ("errors" in answer.json()) == (status != 200)


def test_a_database_without_its_table_is_a_500_that_says_nothing_of_the_cause(
    site: Example, client: httpx.Client
) -> None:
    site.psql("ALTER TABLE room RENAME TO gone")
    try:
        answer = client.get("rooms")
    finally:
        site.psql("ALTER TABLE gone RENAME TO room")
    assert (answer.status_code, answer.json()) == (500, {"errors": ["the rooms cannot be looked up at the moment"]})
    assert prices(client) == [420, 510, 690, 980]


def test_a_row_inserted_by_psql_shows_up_at_once(site: Example, client: httpx.Client) -> None:
    code = uuid4()
    site.psql(f"INSERT INTO room (code, size, price, longitude, latitude) VALUES ('{code}', 9, 250, 0, 0)")
    assert prices(client, code__eq=str(code)) == [250]
    site.psql(f"DELETE FROM room WHERE code = '{code}'")
    assert prices(client, code__eq=str(code)) == []


def test_the_application_has_a_database_and_a_role_of_its_own(site: Example) -> None:
    listed = site.slipway("psql", "--superuser", "--", "-XqtAc", "SELECT datname FROM pg_database").split()
    assert {"postgres", "rooms"} <= set(listed)
    assert site.psql("SELECT count(*) FROM pg_tables WHERE tablename = 'room'") == "1"
    environment = site.variables("rooms")
    assert environment["APPLICATION_DB"] == "rooms"
    assert environment["POSTGRES_USER"] != "postgres"


def test_the_stacks_settings_come_from_its_list_of_names_and_values(site: Example) -> None:
    pairs = json.loads((site.directory / "config" / "production.json").read_text())
    environment = site.variables("rooms")
    assert {each["name"] for each in pairs} <= environment.keys()
    assert environment["LOG_LEVEL"] == "WARNING"
    assert environment["POSTGRES_PASSWORD"] not in json.dumps(site.container("rooms").attrs)


def test_the_first_rooms_are_put_in_once(site: Example, client: httpx.Client) -> None:
    manage(site, "init-postgres")
    assert prices(client) == [420, 510, 690, 980]


def test_the_repository_finds_the_same_on_the_real_server(site: Example) -> None:
    environment = site.variables("rooms") | {"POSTGRES_HOST": engine.address(site.container("postgres"))}
    rooms = PostgresRooms(database_url(environment))
    try:
        found = rooms.matching([Filter("price", "gt", 420), Filter("price", "lt", 690)])
        assert found == [Room(code=FIRST["510"], size=22, price=510, longitude=6.9603, latitude=50.9375)]
        assert rooms.matching([Filter("code", "eq", uuid4())]) == []
    finally:
        rooms.engine.dispose()


def test_gunicorn_serves_with_four_workers(site: Example) -> None:
    processes: Any = site.container("rooms").top()
    gunicorns = [line for line in processes["Processes"] if any("wsgi:app" in column for column in line)]
    assert len(gunicorns) == 1 + 4, "the master and its workers"


def test_the_sites_own_commands_show_its_containers_and_its_log(site: Example, client: httpx.Client) -> None:
    client.get("rooms/in-the-log")
    assert {line.split()[0] for line in manage(site, "ps").splitlines()[1:]} == {"rooms", "postgres", "edge"}
    assert '"path":"/rooms/in-the-log"' in manage(site, "logs", "rooms")


def test_a_second_up_changes_nothing(site: Example) -> None:
    site.assert_settled()


def test_a_change_of_code_loses_no_request_and_the_new_code_is_told_who_asked_for_which_name(
    site: Example, client: httpx.Client
) -> None:
    with site.under_load("rooms", "rooms?filter_price__lt=600", f"rooms/{FIRST['420']}"):
        with (site.directory / "services/rooms/wsgi.py").open("a") as file:
            file.write(TOLD)
        manage(site, "up")
    answer = client.get("told", headers={"Host": "rooms.example.org", "X-Real-IP": "1.2.3.4"})
    told = {name.lower(): value for name, value in answer.json().items()}
    assert told["host"] == told["x-forwarded-host"] == "rooms.example.org"
    assert told["x-real-ip"] == told["x-forwarded-for"] != "1.2.3.4"


def test_down_with_its_data_leaves_nothing(site: Example) -> None:
    manage(site, "down", "--delete-data", "--yes")
    site.assert_destroyed_whole()
