"""What nginx speaks with a service."""

from __future__ import annotations

from enum import StrEnum


class Protocol(StrEnum):
    """uwsgi is gunicorn's second one (slipway.nginx.uwsgi)."""

    HTTP = "http"
    UWSGI = "uwsgi"
