"""Two questions an operator asks: does the process answer, and could it serve a request now?"""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, abort, current_app
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from .models import Account, db

blueprint = Blueprint("health", __name__)


@blueprint.get("/health")
def health() -> dict[str, str]:
    """Asks nothing but this process: a database that is down is no reason to restart it."""
    return {"status": "ok"}


@blueprint.get("/ready")
def ready() -> dict[str, str]:
    """Reads a table, so that a database without the schema is not ready."""
    try:
        db.session.execute(select(Account.id).limit(1))
    except SQLAlchemyError:
        current_app.logger.exception("not ready")
        abort(HTTPStatus.SERVICE_UNAVAILABLE)
    return {"status": "ready"}
