"""What a site needs at its busiest moment: during a release, when old and new containers run side by side."""

from __future__ import annotations

from slipway.core import gunicorn
from slipway.site.site import Service, Site, Strategy

RESERVED_CONNECTIONS = 3
"""Postgres keeps these of max_connections for superusers (superuser_reserved_connections)."""
OWN_CONNECTIONS = 7
"""For provisioning, health checks, adminer and somebody with psql."""
JOB_CONNECTIONS = 2
"""For the service's migration or seed, and for each of its scheduled commands, beside its running containers."""


def generations(service: Service) -> int:
    """How many releases of it run at the same time during an `up`."""
    return 2 if service.strategy is Strategy.ROLLING else 1


def worker_processes(service: Service) -> int:
    """Processes of one container that may each open `database.connections`."""
    return gunicorn.workers(service.cpus, service.memory) if service.app else 1


def connection_limit(service: Service) -> int:
    """The most connections that the service may have at once; 0 without a database."""
    if service.database is None:
        return 0
    running = generations(service) * service.replicas * worker_processes(service) * service.database.connections
    return running + JOB_CONNECTIONS * (1 + len(service.schedule))


def login_limit(site: Site, owner: Service) -> int:
    """The most connections that a login role of the owner's database may have at once: for all that log in by it."""
    return sum(connection_limit(each) for each in site.services.values() if site.database_owner(each) is owner)


def connections(site: Site) -> int:
    """What `max_connections` of the stack's own server must be at least."""
    own = (service for service in site.services.values() if service.database and service.database.url is None)
    return sum(connection_limit(service) for service in own) + RESERVED_CONNECTIONS + OWN_CONNECTIONS


def running_memory(service: Service) -> int:
    """MiB of its containers that answer, during a release."""
    return generations(service) * service.replicas * service.memory


def service_memory(service: Service) -> int:
    """MiB of all its containers during a release, the one for its scheduled commands included."""
    return running_memory(service) + bool(service.schedule) * service.memory
