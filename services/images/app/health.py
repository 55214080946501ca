"""Two questions an operator asks: does the process answer, and could it serve a request now?"""

from __future__ import annotations

import os

from flask import Blueprint, abort
from sqlalchemy import select

from . import gallery
from .models import Picture, db

blueprint = Blueprint("health", __name__)


@blueprint.get("/health")
def health() -> dict[str, str]:
    """Asks nothing but this process: a database that is down is no reason to restart it."""
    return {"status": "ok"}


@blueprint.get("/ready")
def ready() -> dict[str, str]:
    """Reads the table, so that a database without the schema is not ready; and the folder must take files."""
    db.session.execute(select(Picture.id).limit(1))
    root = gallery.media().root
    if not os.access(root, os.W_OK):
        abort(503, f"The folder {root} is missing, or this process may not write to it.")
    return {"status": "ready"}
