"""Runs the migrations over the application's own connection settings, one process at a time."""

from __future__ import annotations

from alembic import context
from flask import current_app
from sqlalchemy import text

LOCK = 2_604_118_735  # any constant of our own: who migrates holds this advisory lock


def run() -> None:
    """In one transaction, so that a failed migration leaves nothing. A second process waits, then has nothing to do."""
    database = current_app.extensions["migrate"].db
    arguments = current_app.extensions["migrate"].configure_args
    with database.engine.connect() as connection:
        context.configure(connection=connection, target_metadata=database.Model.metadata, **arguments)
        with context.begin_transaction():
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
            context.run_migrations()
        connection.commit()


if context.is_offline_mode():
    raise SystemExit("these migrations run against a database only: leave out --sql")
run()
