"""How many processes and threads a container may have: more than it ever needs, fewer than would hurt its neighbours.

The engine counts both alike. A limit that is too low shows as "can't start new thread" at the busiest moment, so it is
at least twice what the known servers start; the rest is room for an app's own threads and for `exec`.
"""

from __future__ import annotations

from slipway.core import gunicorn
from slipway.site.database import PostgresSettings
from slipway.site.site import Service

LEAST = 256
"""Twice what gunicorn starts on four cores with room for an app's own pools; Podman's own limit of 2048 is meant for
anything at all, the 100 of the CIS benchmark's example for a single small process."""
SERVER_PROCESSES = 64
"""Postgres beside its connections: the checkpointer and its like, autovacuum, parallel workers, health checks."""


def of_service(service: Service) -> int:
    """What was declared, else enough for gunicorn's processes with their threads and one more for each."""
    if service.pids is not None:
        return service.pids
    threads = gunicorn.workers(service.cpus, service.memory) * (service.threads + 2)
    return max(LEAST, 2 * threads)


def of_postgres(settings: PostgresSettings) -> int:
    """Each connection is a process."""
    return max(LEAST, settings.max_connections + SERVER_PROCESSES)
