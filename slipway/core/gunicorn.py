"""How gunicorn is started: sized by the container's limits (not the host's cores), on the timeout ladder."""

from __future__ import annotations

import math

from slipway.core.container_paths import GUNICORN, TMP
from slipway.core.timeouts import GUNICORN_KEEPALIVE, ladder
from slipway.settings.protocol import Protocol
from slipway.settings.site import Service

WORKER_MEMORY = 96
"""MiB that a worker of an ordinary Flask app with SQLAlchemy and Pillow needs."""
"""Where workers keep their heartbeat files: on a slow disk these block, so the container mounts a tmpfs there."""

WORKER = "slipway_worker"
"""The module of the worker in GUNICORN: gthread, which also ends what never ends by itself."""

UWSGI = ("--protocol=uwsgi", "--uwsgi-allow-from=*")
"""It knows single addresses here and no networks (27.0.1), and the edge's changes when it is replaced. So whatever can
connect is believed: besides the edge only what the service itself connects to, its database for one."""


def workers(cpus: float, memory: int) -> int:
    """Two worker processes per core, as many as fit into the memory (MiB), at least one."""
    return max(1, min(math.ceil(2 * cpus), memory // WORKER_MEMORY))


def command(service: Service, *, trusted: str, drain: int) -> list[str]:
    """The argument list. `trusted`: networks whose X-Forwarded-* headers count, comma-separated (the edge's, no other).

    A gthread, because sync workers close each connection and nginx keeps them (by uwsgi none: the end of the connection
    is the end of the answer); no control socket, because it wants a writable home and lets code of the same user stop
    the server. Raises ValueError where there is no entry point.
    """
    if service.app is None:
        raise ValueError(f"service {service.name} has no WSGI entry point")
    steps = ladder(drain)
    by_uwsgi = service.protocol is Protocol.UWSGI
    return [
        "gunicorn",
        f"--bind=0.0.0.0:{service.port}",
        f"--pythonpath={GUNICORN}",
        f"--worker-class={WORKER}.Worker",
        f"--workers={workers(service.cpus, service.memory)}",
        f"--threads={service.threads}",
        f"--worker-tmp-dir={TMP}",
        "--no-control-socket",
        f"--keep-alive={0 if by_uwsgi else GUNICORN_KEEPALIVE}",
        f"--timeout={2 * steps.request}",
        f"--graceful-timeout={steps.graceful}",
        f"--forwarded-allow-ips={trusted}",
        *(UWSGI if by_uwsgi else ()),
        "--error-logfile=-",  # and no log of requests: nginx writes the one that there is, without queries
        service.app,
    ]
