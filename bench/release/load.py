"""The load as the bench sees it: a process that sends and writes its log."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.release.client import LIMIT
from bench.release.records import Record, read
from slipway.setup import paths

ENDING = LIMIT + 15
"""Seconds in which the client must have ended: its last answer is given up before."""


class Load:
    """A running client. `records` are there when it has ended."""

    def __init__(self, port: int, log: Path, rate: int) -> None:
        command = ["-m", "bench.release.client", "127.0.0.1", str(port), str(log), "--rate", str(rate)]
        self.log, self.start = log, time.time()
        self.process = subprocess.Popen([sys.executable, *command], cwd=paths.PROJECT)
        self.records: list[Record] = []

    def goes_on(self, seconds: float) -> None:
        """Lets it work for so long. Raises RuntimeError when it ended by itself."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return
        raise RuntimeError(f"the client ended with exit code {code}")

    @property
    def failing(self) -> bool:
        """Whether a request has failed so far."""
        return any(each.failed for each in read(self.log))

    def end(self) -> None:
        self.process.terminate()
        self.process.wait(ENDING)
        self.seconds = time.time() - self.start
        self.records = read(self.log)


@contextmanager
def load(port: int, log: Path, rate: int) -> Iterator[Load]:
    """Sends requests to 127.0.0.1 until the block ends."""
    running = Load(port, log, rate)
    try:
        yield running
    except BaseException:
        running.process.kill()
        running.process.wait()
        raise
    running.end()
