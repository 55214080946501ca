"""The use cases alone: over a list, without Flask and without Postgres."""

from __future__ import annotations

import operator
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import pytest

from examples.rooms.services.rooms.app.domain import Room
from examples.rooms.services.rooms.app.filters import Filter
from examples.rooms.services.rooms.app.results import Failure, Reason, Success
from examples.rooms.services.rooms.app.use_cases import RepositoryError, list_rooms, show_room

ATTIC, CELLAR, LOFT = (
    Room(code=UUID(int=number), size=20, price=price, longitude=13.4, latitude=52.5)
    for number, price in ((1, 300), (2, 200), (3, 900))
)


class ListedRooms:
    """A repository as the use cases see one."""

    def __init__(self, *rooms: Room) -> None:
        self.rooms = rooms

    def matching(self, wanted: Sequence[Filter]) -> list[Room]:
        passing = (each for each in self.rooms if all(passes(each, one) for one in wanted))
        return sorted(passing, key=operator.attrgetter("price"))


class BrokenRooms:
    def matching(self, wanted: Sequence[Filter]) -> list[Room]:
        raise RepositoryError from ConnectionError("password=secret")


def passes(room: Room, wanted: Filter) -> bool:
    return bool(getattr(operator, wanted.comparison)(getattr(room, wanted.field), wanted.value))


@pytest.fixture
def rooms() -> ListedRooms:
    return ListedRooms(ATTIC, CELLAR, LOFT)


@pytest.mark.parametrize(
    ("parameters", "found"),
    [
        ({}, [CELLAR, ATTIC, LOFT]),
        ({"page": "2"}, [CELLAR, ATTIC, LOFT]),
        ({"filter_code__eq": str(LOFT.code)}, [LOFT]),
        ({"filter_price__eq": "300"}, [ATTIC]),
        ({"filter_price__lt": "300"}, [CELLAR]),
        ({"filter_price__gt": "300"}, [LOFT]),
        ({"filter_price__gt": "200", "filter_price__lt": "900"}, [ATTIC]),
    ],
)
def test_the_rooms_that_pass_every_filter_are_listed(
    rooms: ListedRooms, parameters: dict[str, str], found: list[Room]
) -> None:
    assert list_rooms(rooms, parameters) == Success(found)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("filter_size__eq", "20"),
        ("filter_price__le", "300"),
        ("filter_code__lt", str(LOFT.code)),
        ("filter_price", "300"),
        ("filter_", "300"),
        ("filter_price__lt", "cheap"),
        ("filter_price__lt", "1.5"),
        ("filter_price__lt", "9" * 30),
        ("filter_code__eq", "loft"),
    ],
)
def test_any_other_filter_or_value_is_a_mistake_that_is_named(rooms: ListedRooms, name: str, value: str) -> None:
    answer = list_rooms(rooms, {name: value})
    assert isinstance(answer, Failure)
    assert answer.reason is Reason.PARAMETERS
    assert [message.split(":")[0] for message in answer.messages] == [name]


def test_all_mistakes_are_named_at_once(rooms: ListedRooms) -> None:
    answer = list_rooms(rooms, {"filter_price__lt": "cheap", "filter_size__eq": "20"})
    assert isinstance(answer, Failure)
    assert len(answer.messages) == 2


def test_one_room_is_found_by_its_code(rooms: ListedRooms) -> None:
    assert show_room(rooms, str(ATTIC.code)) == Success(ATTIC)
    for code, reason in ((str(UUID(int=9)), Reason.MISSING), ("attic", Reason.PARAMETERS)):
        answer = show_room(rooms, code)
        assert isinstance(answer, Failure)
        assert answer.reason is reason


def test_a_repository_that_cannot_answer_is_a_fault_of_ours_and_says_nothing_of_its_cause() -> None:
    for answer in (list_rooms(BrokenRooms(), {}), show_room(BrokenRooms(), str(ATTIC.code))):
        assert isinstance(answer, Failure)
        assert answer.reason is Reason.SYSTEM
        assert "secret" not in str(answer.messages)


def test_the_use_cases_know_neither_flask_nor_sqlalchemy() -> None:
    check = "import sys, app.use_cases; print([name for name in ('flask', 'sqlalchemy') if name in sys.modules])"
    folder = Path(__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", check], cwd=folder, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
