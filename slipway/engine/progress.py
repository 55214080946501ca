"""Telling the operator how far it is, and waiting."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from slipway.core import interruption
from slipway.engine.errors import Failure, Interrupted

T = TypeVar("T")

PAUSE = 0.2


def say(text: str) -> None:
    """One line to the operator: Pulumi shows what a provider writes as it comes."""
    print(text, file=sys.stderr, flush=True)


def wait(condition: Callable[[], T], seconds: float, problem: Callable[[], str]) -> T:
    """Asks until the answer is true and returns it. Raises Failure with `problem()` after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        if time.monotonic() > deadline:
            raise Failure(problem())
        pause()
    return answer


def pause(seconds: float = PAUSE) -> None:
    """The time between two questions to the engine. Raises Interrupted when the run was, by the command or because
    Pulumi ends this process: it only ends when the work in hand has, and nothing must happen after the operator was
    told that it failed.
    """
    if interruption.came() or not threading.main_thread().is_alive():
        raise Interrupted("interrupted, and left as it is until the next run")
    time.sleep(seconds)
