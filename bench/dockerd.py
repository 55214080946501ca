"""dockerd ended, as `systemctl restart docker`, a crash or a machine without power does it, and started again.

For benches, and only where nobody else uses the engine: all that runs on it is restarted.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from functools import partial
from pathlib import Path

from slipway.setup.engine import DEFAULT, PIDFILES, start_in_background, version
from tests.support import engine
from tests.support.waiting import wait_until

PIDFILE, CONTAINERD = PIDFILES
SYSTEMD = Path("/run/systemd/system")
ENDS = 150
"""Seconds in which dockerd must have ended. Told to, it first stops every container, and Postgres has 90 s for that."""
ANSWERS = 150
"""Seconds in which the next one must answer. After a crash it first stops the containers that went on without it."""


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


def end(how: signal.Signals) -> float:
    """Sends it SIGTERM or SIGKILL; returns when (time.time) it had ended. Where systemd runs, that starts it again."""
    pids = [int(file.read_text()) for file in (PIDFILE, CONTAINERD) if file.exists()]
    os.kill(int(PIDFILE.read_text()), how)
    for pid in pids:  # its containerd ends with it; a new one is not started while the old one seems to be there
        wait_until(f"process {pid} of dockerd has ended", partial(gone, pid), ENDS, pause=0.05)
    return time.time()


def cut_power() -> float:
    """Ends it and all containers as a machine does that loses its power; returns when nothing was left."""
    mains = [int(each.attrs["State"]["Pid"]) for each in engine.client().containers.list()]
    shims = {parent(pid) for pid in mains}
    end(signal.SIGKILL)  # first: it would start them again, or note how they ended
    for pid in (*shims, *mains):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    for pid in mains:
        wait_until(f"the container of process {pid} has ended", partial(gone, pid), ENDS, pause=0.05)
    return time.time()


def parent(pid: int) -> int:
    """Of a container's main process: the engine's process that looks after it."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def start() -> float:
    """Starts it again, or leaves that to systemd; returns when it answered."""
    if not SYSTEMD.is_dir():
        start_in_background()
    wait_until("the engine answers again", answers, ANSWERS)
    return time.time()


def gone(pid: int) -> bool:
    """Whether this process has ended. One that was started here stays in the table of processes, and dockerd takes it
    for running, until somebody asks how it ended."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    return not Path(f"/proc/{pid}").exists()


def answers() -> bool:
    return bool(version(os.environ.get("DOCKER_HOST", DEFAULT), os.environ))
