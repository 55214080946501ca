"""A portfolio: projects, and galleries in galleries."""

from __future__ import annotations

import os

from flask import Flask

from . import content, pages
from .models import database


def create_app() -> Flask:
    """The application, set up by DATABASE_URL and CONTACT_EMAIL."""
    app = Flask(__name__)
    app.config["SQLALCHEMY_DATABASE_URI"] = os.environ["DATABASE_URL"]
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {"pool_pre_ping": True}
    app.config["CONTACT_EMAIL"] = os.environ.get("CONTACT_EMAIL", "")
    database.init_app(app)
    app.register_blueprint(pages.blueprint)
    app.cli.add_command(content.init_db)
    return app
