"""Ends a provider's process when Pulumi has gone.

A `pulumi` that is killed takes nothing with it, and what it had started would work on, unseen, on what no state knows.
Pulumi reads what a plugin writes to its standard output, so that has nobody to read it any more when Pulumi is gone,
whatever stands between the two.
"""

from __future__ import annotations

import os
import select
import stat
import sys
import threading

ORPHANED = 3
"""The exit status; nobody is left to read it."""


def end_with_pulumi() -> None:
    """Watches from now on. What is under way when Pulumi is gone is left as it is, half-made or not."""
    output = sys.__stdout__.fileno() if sys.__stdout__ else -1
    if output < 0 or not stat.S_ISFIFO(os.fstat(output).st_mode):
        return  # not started by Pulumi
    threading.Thread(target=_watch, args=(output,), name="lifeline", daemon=True).start()


def _watch(output: int) -> None:
    poll = select.poll()
    poll.register(output, 0)  # errors are told without asking for them
    poll.poll()
    os._exit(ORPHANED)
