"""The lock of a stack on its engine: whoever holds it is the only one of Slipway's commands that changes the stack.

Pulumi locks a stack's state, but only while one of its own commands runs: not while a command looks at the engine
before that, nor while it clears up after it. Nor does that lock keep two operators apart whose states lie in different
places. So each changing command also holds this one, from its beginning to its end.

It is a volume with a name that nobody else gives and labels that tell of the holder: a volume takes no image, no
address and no time. Who wants the lock makes its volume and then looks for those of others, so of two at once at most
one gets it. A holder gives a sign of life every RENEWAL seconds, a new volume in place of the last one. It has ended
for certain when its process has, where that can be seen from here, and when no sign came for LEASE seconds by the
engine's own clock: who cannot give one cannot change the engine either.
"""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import random
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path

from docker import DockerClient
from docker.errors import DockerException, NotFound
from docker.models.volumes import Volume

from slipway.core import naming

LABEL = "slipway.lock"
"""Which stack a volume locks. None of the stack's own labels: the lock is not part of it."""
HOLDER_LABEL = "slipway.lock.holder"
VARIABLE = "SLIPWAY_LOCK"
"""In the environment of what a holder runs: its token."""
RENEWAL = 30
LEASE = 180
ATTEMPTS = 5
APART = (0.1, 0.6)
"""Seconds until somebody who met another one at the same moment tries again."""


class LockedError(Exception):
    """Another one holds the lock; the message says who."""


@dataclass(frozen=True)
class Holder:
    """A process that holds a lock. `machine` is where `pid` means the same, `born` when that process started, by the
    machine's clock: the number of a dead one may be given to another."""

    token: str
    pid: int
    born: str
    machine: str
    user: str
    host: str
    since: str

    @classmethod
    def me(cls) -> Holder:
        pid, now = os.getpid(), datetime.now(UTC).isoformat(timespec="seconds")
        return cls(secrets.token_hex(6), pid, born(pid), machine(), user(), socket.gethostname(), now)

    @classmethod
    def of(cls, volume: Volume) -> Holder:
        told = json.loads(volume.attrs["Labels"][HOLDER_LABEL])
        return cls(**{each.name: told[each.name] for each in fields(cls)})

    @property
    def ended(self) -> bool:
        """Whether that is certain: of a process elsewhere it cannot be known."""
        return self.machine == machine() and born(self.pid) != self.born

    def __str__(self) -> str:
        return f"process {self.pid} of {self.user} on {self.host}, since {self.since}"


def user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())  # one without an account


def machine() -> str:
    """This machine since it was started, as far as process numbers mean the same: a container has its own."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return socket.gethostname()


def born(pid: int) -> str:
    """When this process started; "" where there is none, or only its exit code is left."""
    if Path("/proc/self").exists():
        try:
            state, *told = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            return ""
        return "" if state == "Z" else told[18]
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return ""
    except PermissionError:
        pass  # somebody else's
    return "running"


class EngineLock:
    """The lock of one stack. What `token` names is our own."""

    def __init__(self, client: DockerClient, project: str, stack: str, token: str = "") -> None:
        self.client, self.token = client, token
        self.prefix, self.stack = f"{naming.prefix(project, stack)}lock-", f"{project}/{stack}"

    @contextmanager
    def held(self) -> Iterator[str]:
        """Holds the lock until the block ends; yields its token. Raises LockedError."""
        me, ended = Holder.me(), threading.Event()
        self.token = me.token
        keeper = threading.Thread(target=self._keep, args=(me, self._take(me), ended), daemon=True)
        keeper.start()
        try:
            yield me.token
        finally:
            ended.set()
            keeper.join()

    def refuse_others(self) -> None:
        """Raises LockedError when somebody else holds the lock. Takes away what is left of holders that have ended."""
        signs: dict[Holder, list[Volume]] = {}
        for volume in self._volumes():
            signs.setdefault(Holder.of(volume), []).append(volume)
        for holder, left in signs.items():
            if holder.token == self.token:
                continue
            if not (holder.ended or self._silence(left) > LEASE):
                raise LockedError(str(holder))
            for volume in left:
                _remove(volume)

    def _take(self, me: Holder) -> Volume:
        for _ in range(ATTEMPTS):
            self.refuse_others()
            sign = self._sign(me)
            try:
                self.refuse_others()
            except LockedError:
                _remove(sign)
                time.sleep(random.uniform(*APART))  # noqa: S311 - no secret
            except BaseException:
                _remove(sign)
                raise
            else:
                return sign
        raise LockedError("several that begin at the same moment")

    def _keep(self, me: Holder, sign: Volume, ended: threading.Event) -> None:
        """Gives signs of life until it has `ended`, then gives the lock back. What the engine does not take now it
        takes the next time; a lock that cannot be given back is over when its signs are too old."""
        while not ended.wait(RENEWAL):
            with contextlib.suppress(DockerException, OSError):
                last, sign = sign, self._sign(me)
                _remove(last)
        with contextlib.suppress(DockerException, OSError):
            _remove(sign)

    def _sign(self, me: Holder) -> Volume:
        labels = {LABEL: self.stack, HOLDER_LABEL: json.dumps(asdict(me))}
        return self.client.volumes.create(f"{self.prefix}{secrets.token_hex(6)}", labels=labels)

    def _volumes(self) -> list[Volume]:
        found: list[Volume] = self.client.volumes.list(filters={"label": f"{LABEL}={self.stack}"})
        return found

    def _silence(self, signs: list[Volume]) -> float:
        """Seconds since the last of them, by the engine's clock."""
        now = datetime.fromisoformat(self.client.info()["SystemTime"])
        return (now - max(datetime.fromisoformat(each.attrs["CreatedAt"]) for each in signs)).total_seconds()


def _remove(volume: Volume) -> None:
    with contextlib.suppress(NotFound):
        volume.remove()
