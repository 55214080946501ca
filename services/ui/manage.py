"""WSGI entry (`manage:app`) and command line (`flask --app manage …`)."""

from __future__ import annotations

from flask.cli import FlaskGroup

from app import create_app

app = create_app()

if __name__ == "__main__":
    FlaskGroup(create_app=lambda: app)()
