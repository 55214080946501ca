"""nginx's workers of before a reload, which finish the requests that they have."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from docker.errors import APIError, NotFound

from slipway.engine.edge import Edge

LEFT = """
while for worker in {workers}; do [ ! -d /proc/$worker ] || break; done && [ -d /proc/$worker ]; do
    sleep 0.5
done
"""
"""Ends when the last of them has, which may take long where one has a WebSocket (worker_shutdown_timeout)."""


class Finishing:
    """Waits for `workers` (process ids in nginx's container) with one process beside them: one for each look would
    take as much of a small machine as the site does, and a busy engine may lose what it writes."""

    def __init__(self, edge: Edge, workers: Collection[int]) -> None:
        assert edge.container.client is not None
        self._api: Any = edge.container.client.api
        self._container = edge.container
        self._workers = " ".join(map(str, sorted(workers)))
        self._nginx = self._started()
        self._waiting = self._wait() if workers else ""

    def over(self) -> bool:
        """Whether the last worker has ended, by itself or with nginx. Asked again where the engine cannot tell."""
        if not self._workers:
            return True
        try:
            seen = self._api.exec_inspect(self._waiting) if self._waiting else {"ExitCode": None, "Running": False}
            if seen["Running"]:
                return False
            if seen["ExitCode"] == 0 or self._started() != self._nginx:
                return True
            self._waiting = self._wait()
        except (APIError, NotFound):
            self._waiting = ""
        return False

    def _wait(self) -> str:
        """Starts to wait in the container; the command's id, "" where nginx does not run."""
        try:
            command = ["sh", "-c", LEFT.format(workers=self._workers)]
            made = str(self._api.exec_create(self._container.id, command)["Id"])
            self._api.exec_start(made, detach=True)
        except APIError:
            return ""
        return made

    def _started(self) -> str:
        """When nginx was started; a new one has other workers."""
        self._container.reload()
        return str(self._container.attrs["State"]["StartedAt"])
