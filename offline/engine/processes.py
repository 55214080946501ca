# ruff: noqa: INP001 (beside the script that imports it, not a package)
"""The processes of an engine that has a root of its own."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path


def rooted_in(root: Path) -> list[int]:
    """Every process whose root is that folder (the daemon and what it started), and all their descendants: the
    containers. So nothing that was not started there can be among them."""
    try:
        wanted = root.stat()
    except FileNotFoundError:
        return []
    parents, own = {}, set()
    for process in (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()):
        with contextlib.suppress(OSError, ValueError):
            parents[process] = int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
            if os.path.samestat(Path(f"/proc/{process}/root/").stat(), wanted):
                own.add(process)
    while found := {process for process, parent in parents.items() if parent in own} - own:
        own |= found
    return sorted(own)


def end(numbers: list[int], kind: signal.Signals) -> None:
    """Sends the signal to those that are still there."""
    for process in numbers:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, kind)
