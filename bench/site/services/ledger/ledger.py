"""A ledger: short reads and writes, uploads, slow answers and streamed ones. Every answer tells its version."""

import contextlib
import hashlib
import os
import queue
import time
from collections.abc import Iterator
from typing import Any

import faults
import psycopg2
import psycopg2.extensions
from flask import Flask, Response, abort, request
from version import VERSION

CONNECTIONS = 4
CHUNK = 256 * 1024
BEAT = 0.25

faults.at_start()
app = Flask(__name__)
free: queue.LifoQueue[psycopg2.extensions.connection | None] = (
    queue.LifoQueue()
)  # the one used last is used next, so that few are opened
for _ in range(CONNECTIONS):
    free.put(None)


@contextlib.contextmanager
def database() -> Iterator[psycopg2.extensions.cursor]:
    """A cursor on one of the worker's connections, which are opened when they are first needed."""
    connection = free.get()
    try:
        if connection is None or connection.closed:
            connection = psycopg2.connect(os.environ["DATABASE_URL"])
            connection.autocommit = True
        with connection.cursor() as cursor:
            yield cursor
    finally:
        free.put(connection)


def write_down(entry: str, size: int, sha256: str) -> None:
    with database() as cursor:
        cursor.execute(
            "INSERT INTO entries (id, size, sha256, version) VALUES (%s, %s, %s, %s)", (entry, size, sha256, VERSION)
        )


@app.after_request
def tell_version(answer: Response) -> Response:
    answer.headers["X-Version"] = VERSION
    return answer


@app.get("/entries/<entry>")
def read(entry: str) -> Any:
    with database() as cursor:
        cursor.execute("SELECT size FROM entries WHERE id = %s", (entry,))
        found = cursor.fetchone()
    return {"id": entry, "size": found[0]} if found else abort(404)


@app.post("/entries/<entry>")
def add(entry: str) -> Any:
    body = request.get_data()
    write_down(entry, len(body), hashlib.sha256(body).hexdigest())
    return {"id": entry}, 201


@app.post("/uploads/<entry>")
def upload(entry: str) -> Any:
    digest, size = hashlib.sha256(), 0
    while chunk := request.stream.read(CHUNK):
        digest.update(chunk)
        size += len(chunk)
    write_down(entry, size, digest.hexdigest())
    return {"id": entry, "size": size}, 201


@app.get("/slow/<float:seconds>")
def slow(seconds: float) -> dict[str, float]:
    time.sleep(seconds)
    return {"seconds": seconds}


@app.get("/stream/<float:seconds>")
def stream(seconds: float) -> Response:
    """One line a beat; the last one says that it is the last."""

    def lines() -> Iterator[str]:
        for number in range(round(seconds / BEAT)):
            yield f"{VERSION} {number}\n"
            time.sleep(BEAT)
        yield "end\n"

    return Response(lines(), mimetype="text/plain")


@app.get("/health")
def health() -> tuple[dict[str, str], int]:
    return {}, faults.health()


@app.get("/ready")
def ready() -> tuple[dict[str, str], int]:
    with database() as cursor:
        cursor.execute("SELECT 1")
    return {}, faults.ready()
