"""What can be done with rooms. Each use case takes the repository that it works on and never raises: it answers with a
Success or with a Failure and its reason."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Protocol
from uuid import UUID

from . import filters
from .domain import Room
from .filters import Filter, FilterError
from .results import Failure, Reason, Result, Success

log = logging.getLogger(__name__)
FAULT = Failure(Reason.SYSTEM, ("the rooms cannot be looked up at the moment",))


class RepositoryError(Exception):
    """The repository could not answer; its cause says why."""


class Rooms(Protocol):
    """A repository of rooms. Its methods raise RepositoryError."""

    def matching(self, wanted: Sequence[Filter]) -> list[Room]:
        """The rooms that pass all of the filters, the cheapest first."""
        ...


def list_rooms(rooms: Rooms, parameters: Mapping[str, str]) -> Result[list[Room]]:
    """The rooms that somebody asks for, by the parameters of a query."""
    try:
        return Success(rooms.matching(filters.parse(parameters)))
    except FilterError as error:
        return Failure(Reason.PARAMETERS, tuple(error.problems))
    except RepositoryError:
        log.exception("no rooms")
        return FAULT


def show_room(rooms: Rooms, code: str) -> Result[Room]:
    """The one room with this code."""
    try:
        found = rooms.matching([Filter("code", "eq", UUID(code))])
    except ValueError:
        return Failure(Reason.PARAMETERS, (f"{code!r} is no code",))
    except RepositoryError:
        log.exception("no room")
        return FAULT
    return Success(found[0]) if found else Failure(Reason.MISSING, (f"there is no room {code}",))
