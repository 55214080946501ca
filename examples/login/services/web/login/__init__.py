"""Accounts, and a form to log in to them.

Settings are environment variables that begin with FLASK_: FLASK_DATABASE_URL, FLASK_SECRET_KEY with its
FLASK_SECRET_KEY_FALLBACKS, and whatever else Flask knows (FLASK_SESSION_COOKIE_SECURE). Nothing is kept in the process:
who is logged in stands in the signed cookie, so any replica can answer any request.
"""

from __future__ import annotations

from flask import Flask
from flask_wtf.csrf import CSRFProtect

from . import database, pages
from .accounts import Accounts


def create_app() -> Flask:
    """The application, as gunicorn and `flask` start it."""
    app = Flask(__name__)
    app.config.from_mapping(SESSION_COOKIE_SAMESITE="Lax")
    app.config.from_prefixed_env()
    app.extensions["accounts"] = Accounts(database.pool(app.config["DATABASE_URL"]))
    CSRFProtect(app)
    app.register_blueprint(pages.blueprint)
    app.cli.add_command(database.init_db)
    return app
