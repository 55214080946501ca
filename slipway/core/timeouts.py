"""The timeout ladder: each step must outlast the one before it, or a request is cut off half-way during a release."""

from __future__ import annotations

from dataclasses import dataclass

UPSTREAM_KEEPALIVE = 60
"""Seconds that nginx keeps an idle connection to a service."""
GUNICORN_KEEPALIVE = 75
"""Must be longer than nginx's, or gunicorn closes a connection that nginx is just writing a POST into."""
CLIENT_KEEPALIVE_MIN = 5
"""Seconds that nginx goes on serving an idle client connection after a reload; without it requests are reset."""


@dataclass(frozen=True, kw_only=True)
class Ladder:
    """Seconds. request <= drain <= graceful < stop, and worker_shutdown > request + CLIENT_KEEPALIVE_MIN: an nginx
    worker that only finishes still takes requests on kept connections for that long, and they need their time too.
    last_request > worker_shutdown: until then such a worker may send a request to an old container.
    """

    request: int
    drain: int
    graceful: int
    worker_shutdown: int
    last_request: int
    stop: int


def ladder(drain: int) -> Ladder:
    """The ladder over the longest request that a release waits for. The steps were measured with 30."""
    worker_shutdown = drain + CLIENT_KEEPALIVE_MIN + 5
    return Ladder(
        request=drain,
        drain=drain,
        graceful=drain,
        worker_shutdown=worker_shutdown,
        last_request=worker_shutdown + 1,
        stop=drain + 10,
    )
