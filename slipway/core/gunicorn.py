"""How gunicorn is started: sized by the container's limits (not the host's cores), on the timeout ladder."""

from __future__ import annotations

import math

from slipway.core.container_paths import GUNICORN, TMP
from slipway.core.timeouts import GUNICORN_KEEPALIVE, ladder
from slipway.site.protocol import Protocol
from slipway.site.site import Service

WORKER_MEMORY = 96
"""MiB that a worker of an ordinary Flask app with SQLAlchemy and Pillow needs."""
"""Where workers keep their heartbeat files: on a slow disk these block, so the container mounts a tmpfs there."""

WORKER = "slipway_worker"
"""The module of the worker in GUNICORN: gthread, which also ends what never ends by itself."""

NGINX_BUFFERS = 4
"""Of large_client_header_buffers."""
UWSGI = ("--protocol=uwsgi", "--uwsgi-allow-from=*")
"""It knows single addresses here and no networks (27.0.1), and the edge's changes when it is replaced. So whatever can
connect is believed: besides the edge only what the service itself connects to, its database for one."""


def workers(cpus: float, memory: int) -> int:
    """Two worker processes per core, as many as fit into the memory (MiB), at least one."""
    return max(1, min(math.ceil(2 * cpus), memory // WORKER_MEMORY))


def limits(max_header: int) -> list[str]:
    """That nginx's limits are the only ones: whatever it has let in, gunicorn takes.

    No limit of the request line, because no number above 8190 counts (27.0.1). A header line may be as long as all of
    nginx's buffers: by HTTP/2 browsers send each cookie by itself, and nginx makes one line of them. nginx takes 1,000
    headers (`max_headers`) and adds its own.
    """
    longest = (NGINX_BUFFERS * max_header + 1) * 1024
    return ["--limit-request-line=0", f"--limit-request-field_size={longest}", "--limit-request-fields=1100"]


def command(service: Service, *, trusted: str, drain: int, max_header: int = 8, deploy_timeout: int = 120) -> list[str]:
    """The argument list. `trusted`: networks whose X-Forwarded-* headers count, comma-separated (the edge's, no other).
    `max_header`: KiB of the longest header line that nginx takes. `deploy_timeout`: seconds that it may take to start:
    a worker that says nothing for `--timeout` is killed, also while it imports its app.

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
        f"--timeout={max(2 * steps.request, deploy_timeout)}",
        f"--graceful-timeout={steps.graceful}",
        f"--forwarded-allow-ips={trusted}",
        *limits(max_header),
        *(UWSGI if by_uwsgi else ()),
        "--error-logfile=-",  # and no log of requests: nginx writes the one that there is, without queries
        service.app,
    ]
