"""What a container writes, shown to the operator as it comes."""

from __future__ import annotations

import threading

from docker.errors import NotFound
from docker.models.containers import Container

from slipway.engine.progress import say


class Log(threading.Thread):
    """Shows a container's log line by line until the container ends."""

    def __init__(self, container: Container) -> None:
        super().__init__(daemon=True)
        self.container, self.shown, self.rest = container, 0, b""

    def run(self) -> None:
        try:
            for chunk in self.container.logs(stream=True, follow=True):
                self.show(chunk)
        except (OSError, NotFound):
            return  # the container was removed, or the engine is gone: who waits for the end reports that

    def finish(self) -> None:
        """Shows what is left: the engine may close a log that is followed before the last of it is written."""
        self.join(timeout=2)
        self.show(self.container.logs()[self.shown :] + b"\n")

    def show(self, chunk: bytes) -> None:
        self.shown += len(chunk)
        *lines, self.rest = (self.rest + chunk).split(b"\n")
        for line in lines:
            if line:
                say(f"{self.container.name}: {line.decode(errors='replace')}")
