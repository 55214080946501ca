"""Where the state is, and who holds its lock. Knows file backends; other backends are asked through Pulumi only."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from slipway.cli.errors import CliError, Code
from slipway.cli.project import Project
from slipway.setup.state import users_backend

SCHEME = "file://"


def state_folder(project: Project, environment: Mapping[str, str]) -> Path | None:
    """The folder of a file backend, None for any other."""
    url = environment.get("PULUMI_BACKEND_URL") or (project.described.get("backend") or {}).get("url")
    if not url:
        found = users_backend(environment)
        url = found[0] if found else ""
    if not url.startswith(SCHEME):
        return None
    path = unquote(url.removeprefix(SCHEME).partition("?")[0])
    return (project.root / Path(path).expanduser()).resolve()


@dataclass(frozen=True)
class Lock:
    """A run's mark in the backend: nobody else may change the stack. Pulumi removes it when it ends by itself."""

    file: Path
    pid: int
    user: str
    host: str
    since: str

    @property
    def holder_is_gone(self) -> bool:
        """Whether the process that made it has certainly ended: one of another machine cannot be known to have."""
        return self.host == socket.gethostname() and not runs_pulumi(self.pid)

    @property
    def told(self) -> str:
        """For `status`."""
        return f"left by a killed run, cleared by the next one: {self}" if self.holder_is_gone else f"locked by {self}"

    def __str__(self) -> str:
        return f"process {self.pid} of {self.user} on {self.host}, since {self.since}"


def locks(project: Project, folder: Path | None) -> list[Lock]:
    """The locks on the stack."""
    found = []
    where = (folder or Path("/nonexistent")) / ".pulumi" / "locks" / "organization" / project.name / project.stack
    for file in sorted(where.glob("*.json")):
        try:
            content = json.loads(file.read_text())
        except FileNotFoundError:
            continue  # its run has just ended
        except ValueError:
            content = {}
        known = (str(content.get(key, "unknown")) for key in ("username", "hostname", "timestamp"))
        found.append(Lock(file, int(content.get("pid", 0)), *known))
    return found


def refuse_if_held(project: Project, found: list[Lock]) -> None:
    """Raises CliError when a lock's holder may still be at work."""
    for lock in found:
        if not lock.holder_is_gone:
            raise CliError(
                f"another run is working on {project}: {lock}",
                "wait until it has ended",
                f"or, when you know that it is dead:  pulumi cancel --stack {project.stack}",
                code=Code.LOCKED,
            )


def runs_pulumi(pid: int) -> bool:
    """Whether there is such a process and it is Pulumi: the number of a dead one may have been given to another."""
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # somebody else's
    try:
        return b"pulumi" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:
        return not Path("/proc/self").exists()  # without /proc, it may be
