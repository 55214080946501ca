"""A bench that is terminated ends as it does from the keyboard: what it brought up is taken away."""

from __future__ import annotations

import signal
from types import FrameType


def on_sigterm() -> None:
    """From now on a SIGTERM raises KeyboardInterrupt."""
    signal.signal(signal.SIGTERM, _interrupt)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
