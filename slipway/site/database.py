"""What was declared about databases. Memory is in MiB, times are in seconds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, kw_only=True)
class Database:
    """A service's database. `url` names a managed server, with its password as {secrets.NAME}; None is the stack's own.

    `service` names the service whose database it is, if not its own: it then logs in as that one does.

    `connections` is what one worker process may open (SQLAlchemy's pool of 5 with its overflow of 10).
    """

    url: str | None = None
    service: str | None = None
    connections: int = 15


class Preload(StrEnum):
    """Libraries that are in every image of Postgres: without one of them the server would not start."""

    PG_STAT_STATEMENTS = "pg_stat_statements"


@dataclass(frozen=True, kw_only=True)
class PostgresSettings:
    """The stack's own server. `shared_memory` is the container's /dev/shm (Docker's 64 MiB break parallel queries);
    `preload` are libraries that it loads when it starts."""

    memory: int = 512
    cpus: float = 1.0
    max_connections: int = 200
    shared_memory: int = 256
    preload: tuple[Preload, ...] = ()


@dataclass(frozen=True, kw_only=True)
class MigrationSettings:
    """Seconds: how long a statement of a migration waits for a lock (others queue up behind it meanwhile), how long
    one may take (0: as long as it likes), and how long the whole command may."""

    lock_timeout: int = 10
    statement_timeout: int = 0
    timeout: int = 600
