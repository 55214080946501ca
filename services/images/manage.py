"""WSGI entry (`manage:app`) and command line (`python manage.py create_db`, `flask --app manage db upgrade`)."""

from __future__ import annotations

from flask.cli import FlaskGroup

from app import create_app

app = create_app()

if __name__ == "__main__":
    FlaskGroup(create_app=lambda: app)()
