"""One SSH connection to the engine of another machine, for everything that a command and what it starts say to it.

OpenSSH's client makes it, by the user's own configuration (names, ports, jumps, agent, known hosts), and brings the
engine's socket here: docker-py and the docker plugin would start a client for each request, and a server drops those
that come many at a time (sshd_config, MaxStartups). The socket's place follows from the address alone, because the
plugin's is in the state: two operators must not see each other's as a change.

Commands that run at the same time share the connection. The last of them ends it; what a killed one left is found by
the next. A connection that breaks is made again, as long as a command is at work.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shlex import quote
from typing import IO
from urllib.parse import SplitResult, urlsplit

ENGINES_SOCKET = "/var/run/docker.sock"
"""Where the engine listens on its own machine, unless the address names another path."""
OPTIONS = {
    "ExitOnForwardFailure": "yes",
    "StreamLocalBindUnlink": "yes",
    "StreamLocalBindMask": "0177",
    "ControlMaster": "yes",
    "ControlPersist": "no",
    "ServerAliveInterval": "5",
    "ServerAliveCountMax": "3",
    "ConnectTimeout": "15",
}
"""Ours whatever the user's configuration says. A line that is dead is given up after 15 s."""
MADE = 60
"""Seconds until a connection must stand."""
UNANSWERED = 255
"""The exit code for a command on the server that does not end; ssh's own where it has no connection."""
LOOK = 1.0
"""Seconds between two looks at whether it still does."""


class LinkError(Exception):
    """There is no connection; the message says why, and `steps` what to type."""

    def __init__(self, problem: str, *steps: str) -> None:
        super().__init__(problem)
        self.steps = steps


def by_ssh(address: str) -> bool:
    return address.startswith("ssh://")


def local(address: str) -> str:
    """The address by which the engine is reached from here: that of the brought socket, else the same."""
    return f"unix://{Link(address).socket}" if by_ssh(address) else address


class Link:
    """The connection to one address such as ssh://user@server:2222."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.folder = _folder(hashlib.sha256(address.encode()).hexdigest()[:12])
        self.socket, self.control = self.folder / "docker.sock", self.folder / "control"

    @property
    def place(self) -> SplitResult:
        return urlsplit(self.address)

    @property
    def host(self) -> str:
        """What ssh is given: a name of the user's configuration, or of the world."""
        return f"{self.place.username}@{self.place.hostname}" if self.place.username else str(self.place.hostname)

    @property
    def stands(self) -> bool:
        """Whether the client that made it is there."""
        with socket.socket(socket.AF_UNIX) as asked:
            try:
                asked.connect(os.fspath(self.control))
            except OSError:
                return False
        return self.socket.exists()

    def command(self, *arguments: str) -> list[str]:
        program = shutil.which("ssh")
        if not program:
            raise LinkError("there is no ssh command", "apt-get install openssh-client")
        port = ["-p", str(self.place.port)] if self.place.port else []
        return [program, *port, "-S", str(self.control), *arguments]

    @contextmanager
    def held(self) -> Iterator[None]:
        """Connected until the block ends. Raises LinkError."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        if not _own(self.folder):
            raise LinkError(f"{self.folder} is somebody else's", f"sudo rm -r {self.folder}")
        with (self.folder / "users").open("w") as users:
            fcntl.flock(users, fcntl.LOCK_SH)
            self.connect()
            ended = threading.Event()
            keeper = threading.Thread(target=self._keep, args=(ended,), name="link", daemon=True)
            keeper.start()
            try:
                yield
            finally:
                ended.set()
                keeper.join(MADE)
                self._leave(users)

    def connect(self) -> None:
        """Makes it, where it does not stand. Two that come at once make one."""
        with (self.folder / "making").open("w") as making:
            fcntl.flock(making, fcntl.LOCK_EX)
            if not self.stands:
                self._make()

    def _make(self) -> None:
        for left in (self.socket, self.control):
            left.unlink(missing_ok=True)
        # Without a terminal nobody can answer, and ssh would wait for it.
        options = OPTIONS | ({} if sys.stdin and sys.stdin.isatty() else {"BatchMode": "yes"})
        spelled = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
        forward = f"{self.socket}:{self.place.path or ENGINES_SOCKET}"
        with tempfile.TemporaryFile("w+") as said:
            try:
                done = subprocess.run(
                    self.command("-f", "-N", "-T", *spelled, "-L", forward, "--", self.host),
                    stdin=None if sys.stdin and sys.stdin.isatty() else subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=said,
                    timeout=MADE,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                raise LinkError(f"{self.address}: ssh did not connect within {MADE} s", f"ssh {self.host}") from None
            if done.returncode:
                said.seek(0)
                raise explained(self, said.read())

    def run(self, command: str) -> tuple[int, str]:
        """Exit code and output of a shell's command on the server, through the connection that stands."""
        try:
            done = subprocess.run(
                self.command("-T", "-o", "RemoteCommand=none", "--", self.host, command),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=MADE,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return UNANSWERED, f"no answer within {MADE} s"
        return done.returncode, done.stdout

    def _keep(self, ended: threading.Event) -> None:
        while not ended.wait(LOOK):
            if not self.stands:
                with contextlib.suppress(LinkError, OSError):  # whoever asks the engine next is told
                    self.connect()

    def _leave(self, users: IO[str]) -> None:
        """Ends it, where nobody else uses it."""
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        with contextlib.suppress(OSError, LinkError):
            subprocess.run(self.command("-O", "exit", "--", self.host), capture_output=True, timeout=MADE, check=False)
            deadline = time.monotonic() + MADE
            while self.stands and time.monotonic() < deadline:
                time.sleep(0.05)


def explained(link: Link, said: str) -> LinkError:
    """What ssh wrote, and what helps."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    last = next((line for line in reversed(lines) if not line.startswith("@")), "ssh said nothing")
    problem = f"{link.address}: {last}"
    port = f" -p {link.place.port}" if link.place.port else ""
    try_it = f"ssh{port} {link.host}"
    name = f"[{link.place.hostname}]:{link.place.port}" if link.place.port else link.place.hostname
    if "IDENTIFICATION HAS CHANGED" in said:
        return LinkError(
            f"{link.address}: the server has another host key than it had: it was made anew, or it is another machine",
            "make sure which, by its provider's console",
            f"if it was made anew:  ssh-keygen -R '{name}'  and then  {try_it}",
        )
    if "Host key verification failed" in said:
        return LinkError(
            f"{link.address}: its host key is not known here",
            f"connect once by hand and compare the fingerprint:  {try_it}",
        )
    if "Permission denied" in said:
        return LinkError(
            problem, f"this must work without a question:  {try_it} true", "a key with a passphrase:  ssh-add"
        )
    return LinkError(problem, f"this must work:  {try_it} true")


def without_engine(link: Link) -> LinkError:
    """Why the engine does not answer though the connection stands: asked by ssh itself."""
    path = link.place.path or ENGINES_SOCKET
    asked = f"test -S {quote(path)} || exit 3; test -w {quote(path)} || exit 4"
    code, _ = link.run(asked)
    user = link.place.username or "$USER"
    if code == 3:
        return LinkError(
            f"{link.address}: no Docker engine runs there: there is no {path}",
            f"on a Debian or Ubuntu server:  ssh {link.host} sudo apt-get install docker.io",
        )
    if code == 4:
        return LinkError(
            f"{link.address}: the user may not use the Docker engine there",
            f"as root on the server:  usermod -aG docker {user}  (whoever may use Docker is as good as root)",
        )
    return LinkError(f"{link.address}: the Docker engine there does not answer", f"ssh {link.host} docker info")


def _folder(name: str) -> Path:
    """A place of the user's own, with a short path: a socket's has 104 characters at most on some systems."""
    folder = Path("/tmp") / f"slipway-{name}"  # noqa: S108 - its owner is asked
    return folder if _own(folder) or not os.path.lexists(folder) else folder.with_name(f"{folder.name}-{os.getuid()}")


def _own(folder: Path) -> bool:
    """Whether nobody else can put anything there."""
    try:
        found = folder.lstat()
    except FileNotFoundError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077
