"""A microblog: accounts that post, follow each other, and take their posts along as a file.

Settings are environment variables that begin with FLASK_: FLASK_SQLALCHEMY_DATABASE_URI, FLASK_SECRET_KEY with its
FLASK_SECRET_KEY_FALLBACKS, and whatever else Flask and its extensions know. The worker (`flask work`) is the same
application with another command; it needs no secret key.
"""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

from flask import Flask, url_for
from sqlalchemy.exc import DataError
from werkzeug.exceptions import BadRequest
from werkzeug.wrappers import Response

from . import accounts, exports, health, pages
from .models import db, migrate

HERE = Path(__file__).resolve().parent
DEFAULTS = {
    "SESSION_COOKIE_SAMESITE": "Lax",
    "SQLALCHEMY_ENGINE_OPTIONS": {
        "pool_size": 2,
        "max_overflow": 2,
        "pool_pre_ping": True,
        # A server that vanished without a word is noticed in seconds, not after the kernel's quarter of an hour.
        "connect_args": {"connect_timeout": 5, "tcp_user_timeout": 10_000},
    },
}


def create_app() -> Flask:
    """The application, as gunicorn and `flask` start it."""
    app = Flask(__name__)
    app.config.from_mapping(DEFAULTS)
    app.config.from_prefixed_env()
    app.logger.setLevel(logging.INFO)
    db.init_app(app)
    migrate.init_app(app, db, directory=str(HERE.parent / "migrations"))
    accounts.register(app)
    app.register_error_handler(DataError, lambda _: refused())
    for module in (accounts, pages, exports, health):
        app.register_blueprint(module.blueprint)
    app.cli.add_command(exports.work)
    app.jinja_env.globals["asset"] = asset
    return app


def refused() -> Response:
    """What the database cannot hold (a null character in a text, a page of 30 digits) is the visitor's mistake."""
    db.session.rollback()
    return BadRequest().get_response()


def asset(name: str) -> str:
    """The URL of a static file, another one for each version of it: so browsers may keep it."""
    version = hashlib.sha256((HERE / "static" / name).read_bytes()).hexdigest()[:12]
    return url_for("static", filename=name, v=version)
