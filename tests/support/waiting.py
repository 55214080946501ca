"""Waiting for a condition instead of for an amount of time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(what: str, condition: Callable[[], T], seconds: float, *, pause: float = 0.1) -> T:
    """Asks `condition` every `pause` seconds and returns its first true answer.

    Fails the test when none came within `seconds`, naming `what` was awaited and the last answer. Exceptions of
    `condition` are not swallowed: only it knows which of them mean "not yet".
    """
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {what} (last answer: {answer!r})"
        time.sleep(pause)
    return answer
