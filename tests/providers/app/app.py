"""A service whose answers tell which release gave them, and that is as well or unwell as its environment says."""

import os
import signal
import threading
import time
from collections.abc import Iterable, Iterator
from typing import Any

RELEASE = os.environ["RELEASE"]
STATUS = {"/health": os.environ.get("HEALTH", "200 OK"), "/ready": os.environ.get("READY", "200 OK")}


def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    path = environ["PATH_INFO"]
    if path == "/ready" and os.environ.get("DIES"):  # asked for the first time when the engine found it healthy
        threading.Timer(0.3, os.kill, (1, signal.SIGQUIT)).start()  # at once, and not gracefully
    if path == "/health" and os.environ.get("CRASHES"):  # a worker's exit code 3 ends gunicorn, at once
        threading.Timer(float(os.environ["CRASHES"]), os._exit, (3,)).start()
    if path == "/slow":
        time.sleep(float(environ["QUERY_STRING"]))
    if path == "/socket":
        from sockets import websockets  # type: ignore[import-not-found]  # noqa: PLC0415 - starting is slow enough for the other tests

        answered: Iterable[bytes] = websockets(environ, start_response)
        return answered
    if path == "/events":  # the query says how many seconds lie between two
        start_response("200 OK", [("Content-Type", "text/event-stream")])
        return events(float(environ["QUERY_STRING"] or 1))
    if path == "/health-becomes":
        STATUS["/health"] = environ["QUERY_STRING"] + " so"
    body = environ["wsgi.input"].read() if environ["REQUEST_METHOD"] == "POST" else b""
    start_response(STATUS.get(path, "200 OK"), [("Content-Type", "text/plain")])
    return [RELEASE.encode() + body]


def events(pause: float) -> Iterator[bytes]:
    while True:
        yield f"data: {RELEASE} {time.time()}\n\n".encode()
        time.sleep(pause)
