"""A container that runs to its end: waiting for it, and its output."""

from __future__ import annotations

import threading
import time

from docker.errors import APIError, DockerException, NotFound
from requests import RequestException

from slipway_offline.resource import Call, OperationError

from .engine import Engine

DEFAULT_SECONDS = 20 * 60  # the time that the genuine plugin gives to a create
PAUSE = 0.1
UNDER_WAY = ("created", "running", "restarting", "paused")


class Logs:
    """Follows the output of a container that is about to start, had even if it removes itself."""

    def __init__(self, engine: Engine, container_id: str) -> None:
        self.engine, self.container_id, self.parts = engine, container_id, list[bytes]()
        self.stream = engine.attach(container_id, stdout=True, stderr=True, stream=True)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        try:
            self.parts.extend(self.stream)
        except (DockerException, RequestException, OSError):  # the engine went away; there is no more
            return

    def text(self) -> str:
        """All of it: call this after the container's end."""
        self.reader.join()
        return b"".join(self.parts).decode(errors="replace")


def wait_for_end(engine: Engine, call: Call, container_id: str) -> None:
    """Until the container has ended or removed itself. Whatever its exit code is."""
    deadline = time.monotonic() + (call.timeout or DEFAULT_SECONDS)
    try:
        while engine.inspect_container(container_id)["State"]["Status"] in UNDER_WAY:
            if call.cancelled.wait(PAUSE):
                raise OperationError("interrupted while waiting for the end of the run")
            if time.monotonic() > deadline:
                raise OperationError(f"the run did not end within {call.timeout or DEFAULT_SECONDS:g} s")
    except NotFound:
        return
    except APIError as error:
        if error.status_code != 409:  # it is being removed at this moment
            raise
