"""The timeout ladder: each step must outlast the one before it, or a request is cut off half-way during a release."""

from __future__ import annotations

from dataclasses import dataclass

UPSTREAM_KEEPALIVE = 60
"""Seconds that nginx keeps an idle connection to a service."""
GUNICORN_KEEPALIVE = 75
"""Must be longer than nginx's, or gunicorn closes a connection that nginx is just writing a POST into."""
CLIENT_KEEPALIVE_MIN = 5
"""Seconds that nginx goes on serving an idle client connection after a reload; without it requests are reset."""

WORKER_SHUTDOWN = 3600
"""Seconds after a reload in which an nginx worker of before it carries on the WebSockets and streams that it has. Those
to containers that a release ends are ended by these, the others go on as if there had been no release. Not for ever,
because each such worker takes some memory."""


@dataclass(frozen=True, kw_only=True)
class Ladder:
    """Seconds. request <= drain <= graceful < stop, and last_request > request + CLIENT_KEEPALIVE_MIN: an nginx worker
    that only finishes still takes requests on kept connections for that long, and they need their time too.
    """

    request: int
    drain: int
    graceful: int
    last_request: int
    stop: int


def ladder(drain: int) -> Ladder:
    """The ladder over the longest request that a release waits for. The steps were measured with 30."""
    return Ladder(
        request=drain,
        drain=drain,
        graceful=drain,
        last_request=drain + CLIENT_KEEPALIVE_MIN + 1,
        stop=drain + 10,
    )
