"""A picture store over HTTP: JSON about pictures in a database, the pictures themselves as files in a folder."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flask import Flask

from . import api, commands, errors, health
from .config import from_environment
from .models import db, migrate
from .pictures import Inspector
from .store import MediaStore

HERE = Path(__file__).resolve().parent


def create_app(settings: Mapping[str, Any] | None = None) -> Flask:
    """The application, set up from the environment (see `config`); `settings` win over it."""
    app = Flask(__name__, static_folder=None)
    app.config.from_mapping(from_environment(os.environ) if settings is None else settings)
    app.logger.setLevel(logging.INFO)
    app.extensions["media"] = MediaStore(Path(app.config["MEDIA_FOLDER"]))
    app.extensions["inspector"] = Inspector(
        memory=app.config["MAX_DECODE_BYTES"], at_once=app.config["UPLOADS_AT_ONCE"]
    )
    db.init_app(app)
    migrate.init_app(app, db, directory=str(HERE.parent / "migrations"))
    app.register_blueprint(api.blueprint)
    app.register_blueprint(health.blueprint)
    errors.register(app)
    commands.register(app)
    return app
