"""Signals during a run of Pulumi: what is interrupted ends in order."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PATIENCE = 10
"""Seconds from an interruption until Pulumi is told not to wait for what is under way."""


@contextmanager
def deaf_to_hangup() -> Iterator[None]:
    """What is started meanwhile does not die of a terminal that is closed: it is told by `passed_on`."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)


@contextmanager
def passed_on(process: subprocess.Popen[Any], mark: Path) -> Iterator[list[int]]:
    """Has the run end in order: Slipway's providers see the `mark` and leave off, and Pulumi is interrupted, by the
    keyboard itself or by what is passed on of another signal. Where something still works after PATIENCE (the build of
    an image), Pulumi is interrupted once more: it then waits for nothing, and notes what was under way. Yields the
    signals that came."""
    received: list[int] = []

    def again() -> None:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGINT)

    def handle(number: int, _frame: object) -> None:
        if not received:
            impatient.start()
        received.append(number)
        mark.touch()
        if number != signal.SIGINT:
            process.send_signal(signal.SIGINT)

    impatient = threading.Timer(PATIENCE, again)
    impatient.daemon = True
    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield received
    finally:
        impatient.cancel()
        for number, handler in before.items():
            signal.signal(number, handler)
