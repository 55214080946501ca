"""The connections to Postgres, and the command that brings the schema up to date."""

from __future__ import annotations

from pathlib import Path

import click
import psycopg
from flask import current_app
from flask.cli import with_appcontext
from psycopg_pool import ConnectionPool

SCHEMA = Path(__file__).with_name("schema.sql")
LOCK = 5_310_022_771
"""Any number of our own: who changes the schema holds this advisory lock."""


def pool(url: str) -> ConnectionPool:
    """Up to four connections, made when the first one is asked for. One that the server has closed is never handed
    out; where none can be had within fifteen seconds, `PoolTimeout` is raised."""
    return ConnectionPool(url, min_size=0, max_size=4, timeout=15, check=ConnectionPool.check_connection, open=True)


@click.command("init-db")
@with_appcontext
def init_db() -> None:
    """Make what is missing in the database."""
    with psycopg.connect(current_app.config["DATABASE_URL"]) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        connection.execute(SCHEMA.read_bytes())
    click.echo("the database is up to date")
