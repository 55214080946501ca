"""Settings, read from environment variables.

| variable | meaning | default |
|---|---|---|
| DATABASE_URL | where the database is; or its parts: | |
| DB_HOST, DB_PORT, DB_NAME, DB_USER, DB_PASSWORD | parts of the address, for a PostgreSQL server | 5432 is the port |
| DB_POOL_SIZE, DB_POOL_OVERFLOW | connections that one process keeps, and may add under load | 2, 2 |
| MEDIA_FOLDER | where the pictures are kept | media beside manage.py |
| MAX_UPLOAD_MB | the largest picture file, in MiB | 10 |
| MAX_DECODE_MB | memory for decoding a picture, in MiB: limits its pixels (JPEG 14, PNG 9, WebP 5 megapixels) | 80 |
| UPLOADS_AT_ONCE | uploads of one process at a time; others get 503. Fewer than its threads: one answers the rest | 3 |

Memory of a container: 60 MiB for each worker process, 64 for files on their way, 32 for the process that decodes, and
MAX_DECODE_MB. So 320 MiB suffice for the defaults and two workers; 400 with MAX_DECODE_MB=160 takes JPEG pictures of 28
megapixels.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import URL, make_url

MIB = 1024 * 1024
# What a multipart request needs besides the file: its other fields and the lines between the parts.
FORM_OVERHEAD = 64 * 1024


def from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    """What `create_app` takes. Raises ValueError, naming the variable, for one that is missing or is not a number."""
    largest = _number(environment, "MAX_UPLOAD_MB", 10) * MIB
    return {
        "SQLALCHEMY_DATABASE_URI": database_url(environment),
        "SQLALCHEMY_ENGINE_OPTIONS": {
            "pool_size": _number(environment, "DB_POOL_SIZE", 2),
            "max_overflow": _number(environment, "DB_POOL_OVERFLOW", 2),
            "pool_timeout": 10,
            "pool_pre_ping": True,
            # A server that vanished without a word is noticed in seconds, not after the kernel's quarter of an hour.
            "connect_args": {"connect_timeout": 5, "tcp_user_timeout": 10_000, "application_name": "images"},
        },
        "MEDIA_FOLDER": environment.get("MEDIA_FOLDER") or str(Path(__file__).resolve().parent.parent / "media"),
        "MAX_UPLOAD_BYTES": largest,
        "MAX_CONTENT_LENGTH": largest + FORM_OVERHEAD,
        "MAX_DECODE_BYTES": _number(environment, "MAX_DECODE_MB", 80) * MIB,
        "UPLOADS_AT_ONCE": _number(environment, "UPLOADS_AT_ONCE", 3),
    }


def database_url(environment: Mapping[str, str]) -> URL:
    """From DATABASE_URL, or else from the DB_… parts, in which a password may hold any character."""
    if given := environment.get("DATABASE_URL"):
        url = make_url(given)
        # "postgres" is what many providers write; and the driver is named because SQLAlchemy's own choice changes.
        return url.set(drivername="postgresql+psycopg2") if url.drivername in {"postgres", "postgresql"} else url
    missing = [name for name in ("DB_HOST", "DB_NAME", "DB_USER") if not environment.get(name)]
    if missing:
        raise ValueError(f"no database: set DATABASE_URL, or DB_HOST, DB_NAME and DB_USER (missing: {missing})")
    return URL.create(
        "postgresql+psycopg2",
        username=environment["DB_USER"],
        password=environment.get("DB_PASSWORD"),
        host=environment["DB_HOST"],
        port=_number(environment, "DB_PORT", 5432),
        database=environment["DB_NAME"],
    )


def _number(environment: Mapping[str, str], name: str, default: int) -> int:
    text = environment.get(name) or str(default)
    if not text.isdecimal():
        raise ValueError(f"{name} is {text!r}: write a whole number")
    return int(text)
