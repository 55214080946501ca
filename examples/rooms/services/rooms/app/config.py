"""What the environment says. Its variables come from the stack's file in `config/`."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import URL


def database_url(environment: Mapping[str, str]) -> URL:
    """The application's own database, not the server's default one. Raises KeyError for a variable that is missing."""
    return URL.create(
        "postgresql+psycopg2",
        username=environment["POSTGRES_USER"],
        password=environment["POSTGRES_PASSWORD"],
        host=environment["POSTGRES_HOST"],
        port=int(environment["POSTGRES_PORT"]),
        database=environment["APPLICATION_DB"],
    )
