"""dockerd ended and started again: as `systemctl restart docker` does it, and as a crash and systemd do.

For benches, and only where nobody else uses the engine: all that runs on it is restarted.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from functools import partial
from pathlib import Path
from typing import NamedTuple

from slipway.setup.engine import DEFAULT, PIDFILES, start_in_background, version
from tests.support.waiting import wait_until

PIDFILE, CONTAINERD = PIDFILES
SYSTEMD = Path("/run/systemd/system")
ENDS = 150
"""Seconds in which dockerd must have ended. Told to, it first stops every container, and Postgres has 90 s for that."""
ANSWERS = 150
"""Seconds in which the next one must answer. After a crash it first stops the containers that went on without it."""


class Restarted(NamedTuple):
    """When (time.time) the old dockerd had ended, and when the new one answered."""

    ended: float
    answered: float


def refusal() -> str:
    """Why dockerd cannot be restarted from here; "" when it can."""
    host = os.environ.get("DOCKER_HOST", DEFAULT)
    if host != DEFAULT:
        return f"only the engine at {DEFAULT} can be restarted, and DOCKER_HOST is {host}"
    if os.geteuid() != 0:
        return "only root can restart the engine"
    if not PIDFILE.exists():
        return f"{PIDFILE}, by which dockerd is found, does not exist"
    return ""


def restart(how: signal.Signals) -> Restarted:
    """Sends SIGTERM or SIGKILL and starts dockerd again, or leaves that to systemd; returns when it answers."""
    pids = [int(file.read_text()) for file in (PIDFILE, CONTAINERD) if file.exists()]
    os.kill(int(PIDFILE.read_text()), how)
    for pid in pids:  # its containerd ends with it; one that only seems to be there is not started again
        wait_until(f"process {pid} of dockerd has ended", partial(gone, pid), ENDS, pause=0.05)
    ended = time.time()
    if not SYSTEMD.is_dir():
        start_in_background()
    wait_until("the engine answers again", answers, ANSWERS)
    return Restarted(ended, time.time())


def gone(pid: int) -> bool:
    """Whether this process has ended. One that was started here stays in the table of processes, and dockerd takes it
    for running, until somebody asks how it ended."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    return not Path(f"/proc/{pid}").exists()


def answers() -> bool:
    return bool(version(os.environ.get("DOCKER_HOST", DEFAULT), os.environ))
