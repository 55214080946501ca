"""The use cases over HTTP, in JSON."""

from __future__ import annotations

from dataclasses import asdict

from flask import Blueprint, Flask, Response, current_app, jsonify, request
from werkzeug.exceptions import HTTPException

from .filters import Filter
from .repository import PostgresRooms
from .results import Failure, Reason, Success
from .use_cases import RepositoryError, Rooms, list_rooms, show_room

STATUS = {Reason.PARAMETERS: 400, Reason.MISSING: 404, Reason.SYSTEM: 500}
NO_ROOM = Filter("price", "lt", 0)
pages = Blueprint("rooms", __name__)


def create_app(rooms: PostgresRooms, *, log_level: str = "INFO") -> Flask:
    """The application over this repository."""
    app = Flask(__name__)
    app.logger.setLevel(log_level)
    app.extensions["rooms"] = rooms
    app.register_blueprint(pages)
    app.register_error_handler(HTTPException, refused)
    app.cli.command("create-tables")(rooms.create_tables)
    return app


def repository() -> Rooms:
    found: Rooms = current_app.extensions["rooms"]
    return found


@pages.get("/rooms")
def all_rooms() -> Response:
    match list_rooms(repository(), request.args):
        case Success(rooms):
            return jsonify([asdict(room) for room in rooms])
        case Failure() as failure:
            return failed(failure)


@pages.get("/rooms/<code>")
def one_room(code: str) -> Response:
    match show_room(repository(), code):
        case Success(room):
            return jsonify(asdict(room))
        case Failure() as failure:
            return failed(failure)


@pages.get("/health")
def health() -> Response:
    """Whether the process is well."""
    return jsonify(status="ok")


@pages.get("/ready")
def ready() -> tuple[Response, int]:
    """Whether rooms can be looked up."""
    try:
        repository().matching([NO_ROOM])
    except RepositoryError:
        return jsonify(status="no database"), 503
    return jsonify(status="ok"), 200


def failed(failure: Failure) -> Response:
    return error(STATUS[failure.reason], *failure.messages)


def refused(problem: HTTPException) -> Response:
    """What Flask itself refuses, in the same form."""
    return error(problem.code or 500, problem.name)


def error(status: int, *messages: str) -> Response:
    answer = jsonify(errors=messages)
    answer.status_code = status
    return answer
