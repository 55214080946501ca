"""Commands for the database, besides Flask-Migrate's own `flask db …`."""

from __future__ import annotations

import click
from flask import Flask
from flask.cli import with_appcontext
from flask_migrate import upgrade
from sqlalchemy import text

from . import gallery
from .models import Base, db
from .seeds import seed

HOUR = 3600


def register(app: Flask) -> None:
    """Adds the commands to `flask` and to `python manage.py`."""
    for command in (create_db, seed_db, remove_strays):
        app.cli.add_command(command)


@click.command("create_db")
@click.option("--drop", is_flag=True, help="Drop the tables first, and with them every picture's row.")
@with_appcontext
def create_db(*, drop: bool) -> None:
    """Make the tables that are missing. Keeps what is there, unless --drop is given."""
    if drop:
        Base.metadata.drop_all(db.engine)
        with db.engine.begin() as connection:
            connection.execute(text("DROP TABLE IF EXISTS alembic_version"))
        click.echo("dropped the tables")
    upgrade()
    click.echo("the database is up to date")


@click.command("seed_db")
@with_appcontext
def seed_db() -> None:
    """Add a few pictures of our own drawing. Those that are there already stay as they are."""
    click.echo(f"added {seed()} pictures")


@click.command("remove_strays")
@click.option("--hours", default=1.0, show_default=True, help="Leave files alone that are younger than this.")
@with_appcontext
def remove_strays(*, hours: float) -> None:
    """Remove files that uploads left behind that were cut off before they were acknowledged."""
    click.echo(f"removed {gallery.remove_strays(seconds=hours * HOUR)} files")
