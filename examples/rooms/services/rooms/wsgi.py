"""WSGI entry (`wsgi:app`) and, for `flask`, the command line."""

from __future__ import annotations

import os

from app.config import database_url
from app.repository import PostgresRooms
from app.web import create_app

app = create_app(PostgresRooms(database_url(os.environ)), log_level=os.environ.get("LOG_LEVEL", "INFO"))
