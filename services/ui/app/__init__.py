"""The site: server-rendered pages over the images API. Keeps nothing itself and works without JavaScript."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from typing import Any

import httpx
from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from . import assets, errors, files, pages, security
from .config import from_environment
from .images_api import ImagesApi


def create_app(settings: Mapping[str, Any] | None = None, *, transport: httpx.BaseTransport | None = None) -> Flask:
    """The application, set up from the environment (see `config`); `settings` win over it.

    `transport` carries the calls of the images API; tests give their own.
    """
    app = Flask(__name__, static_folder=None)
    app.config.from_mapping(from_environment(os.environ) if settings is None else settings)
    app.logger.setLevel(logging.INFO)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.extensions["images"] = ImagesApi(app.config["IMAGES_URL"], transport=transport)
    assets.register(app)
    # Before the protection of forms, which reads the whole body.
    app.before_request(pages.limit_upload)
    security.register(app)
    app.register_blueprint(pages.blueprint)
    app.register_blueprint(files.blueprint)
    errors.register(app)
    if hops := app.config["PROXY_HOPS"]:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    return app
