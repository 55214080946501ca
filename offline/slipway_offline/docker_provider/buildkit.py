"""Building through the engine's own BuildKit: POST /build?version=2 with the context as the body.

That needs neither the docker command nor buildx nor a session with the engine, as long as no step asks for build
secrets or ssh. Progress comes as protobuf messages of BuildKit's control API (`StatusResponse`), of which the few
fields shown here are decoded by hand: there are no Python stubs for it.
"""

from __future__ import annotations

import base64
import threading
import uuid
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from slipway_offline.resource import Call, OperationError

from .build_context import BuildContext
from .engine import Engine

SHOWN_LINES = 30  # of the output that precedes a failure
BUILD_SECONDS = 3600
VERTEX, LOG = 1, 3                # fields of StatusResponse
NAME, STARTED, COMPLETED = 3, 5, 6  # of Vertex
MESSAGE = 4                       # of VertexLog


def build(engine: Engine, call: Call, context: BuildContext, options: Mapping[str, Any]) -> str:
    """The id of the image built. `options` are query parameters of the engine's /build.

    Raises OperationError with the last lines of the output when the build fails or the run is interrupted.
    """
    build_id, last, image = uuid.uuid4().hex, deque[str](maxlen=SHOWN_LINES), ""
    params = {key: value for key, value in options.items() if value} | {
        "dockerfile": context.dockerfile, "version": "2", "buildid": build_id, "rm": "1", "forcerm": "1"}
    with context.archive() as archive, cancelling(engine, call, build_id):
        for event in engine.build_events(archive, params, BUILD_SECONDS):
            if "error" in event:
                raise OperationError("\n".join([f"build: {event['error']}", *last]))
            if event.get("id") == "moby.image.id":
                image = event["aux"]["ID"]
            for line in lines(event):
                last.append(line)
                call.status(line)
    if not image:
        raise OperationError("\n".join(["build: the engine ended it without an image", *last]))
    return image


@contextmanager
def cancelling(engine: Engine, call: Call, build_id: str) -> Iterator[None]:
    """Tells the engine to give the build up when the user interrupts the run."""
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.2):
            if call.cancelled.is_set():
                engine.cancel_build(build_id)
                return

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()


def lines(event: Mapping[str, Any]) -> list[str]:
    """What to show for one event: the names of steps that begin, and their output."""
    if event.get("id") != "moby.buildkit.trace":
        return []
    shown: list[str] = []
    for number, part in fields(base64.b64decode(event["aux"])):
        if number == VERTEX:
            step = dict(fields(part))
            shown += [step[NAME].decode()] if STARTED in step and COMPLETED not in step else []
        elif number == LOG:
            shown += dict(fields(part)).get(MESSAGE, b"").decode(errors="replace").splitlines()
    return [line for line in shown if line.strip()]


def fields(message: bytes) -> Iterator[tuple[int, Any]]:
    """The (number, value) pairs of a protobuf message; nested messages and strings are bytes."""
    position = 0
    while position < len(message):
        key, position = varint(message, position)
        kind = key & 7
        if kind == 0:
            value, position = varint(message, position)
            yield key >> 3, value
            continue
        if kind == 2:
            size, position = varint(message, position)
        else:
            size = {1: 8, 5: 4}[kind]
        yield key >> 3, message[position:position + size]
        position += size


def varint(message: bytes, position: int) -> tuple[int, int]:
    """A number of seven bits per byte, the lowest first; and where it ends."""
    value = shift = 0
    while True:
        byte = message[position]
        position, value, shift = position + 1, value | (byte & 0x7F) << shift, shift + 7
        if byte < 0x80:
            return value, position
