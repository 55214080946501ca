"""Rooms in Postgres."""

from __future__ import annotations

import operator
from collections.abc import Sequence

from sqlalchemy import URL, Column, Float, Integer, MetaData, Table, Uuid, create_engine, select
from sqlalchemy.exc import SQLAlchemyError

from .domain import Room
from .filters import Filter
from .use_cases import RepositoryError

CONNECTIONS = 4
"""As many as a worker has threads. The stack's `database.connections` says the same."""
COMPARISONS = {"eq": operator.eq, "lt": operator.lt, "gt": operator.gt}

metadata = MetaData()
room = Table(
    "room",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("code", Uuid, nullable=False, unique=True),
    Column("size", Integer, nullable=False),
    Column("price", Integer, nullable=False, index=True),
    Column("longitude", Float, nullable=False),
    Column("latitude", Float, nullable=False),
)
FIELDS = (room.c.code, room.c.size, room.c.price, room.c.longitude, room.c.latitude)


class PostgresRooms:
    """The rooms of one database. Nothing is asked of the server before the first question."""

    def __init__(self, url: URL) -> None:
        # A server that was restarted is no fault: a connection is tried before it is used.
        self.engine = create_engine(url, pool_size=CONNECTIONS, max_overflow=0, pool_pre_ping=True)

    def create_tables(self) -> None:
        """Makes what is missing. Raises RepositoryError."""
        try:
            metadata.create_all(self.engine)
        except SQLAlchemyError as error:
            raise RepositoryError from error

    def matching(self, wanted: Sequence[Filter]) -> list[Room]:
        """The rooms that pass all of the filters, the cheapest first. Raises RepositoryError."""
        query = select(*FIELDS).order_by(room.c.price, room.c.code)
        for each in wanted:
            query = query.where(COMPARISONS[each.comparison](room.c[each.field], each.value))
        try:
            with self.engine.connect() as connection:
                return [Room(**row._mapping) for row in connection.execute(query)]  # noqa: SLF001 - its public name
        except SQLAlchemyError as error:
            raise RepositoryError from error
