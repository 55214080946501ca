"""nginx in its container, as a release handles it: its generated files, its check, its reloads, its workers.

What the container must offer:
- a volume at `directory` that belongs to root, empty at first, and a main configuration that includes
  `<directory>/*.conf` and mentions the folder nowhere else; /tmp is writable. The volume also holds pages (`*.html`)
  and what an operator put there under other names, which releases never touch;
- a listener on its own loopback interface (`gate_port`, out of everyone's reach) with a server for each upstream,
  of the upstream's name;
- `sh`, `sed`, `tr`, `mv` and `curl`, which the official image has.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import NamedTuple

from docker.models.containers import Container

from slipway.engine import execution
from slipway.engine.containers import TAIL
from slipway.engine.errors import Failure
from slipway.engine.progress import wait
from slipway.nginx.routes import ADDRESS_HEADER

RELOAD = 15
"""Seconds that nginx may take to start workers with a new configuration: it reads no more than a few files."""
ANSWER = 5
"""Seconds for one answer. A service's first request may be slow, but it is asked again."""
NEXT = ".next"
"""A folder in `directory` for files that are not in force yet."""
CHECK = f"""
sed 's#{{directory}}/#{{directory}}/{NEXT}/#g' '{{main}}' > /tmp/slipway-check.conf
nginx -t -q -c /tmp/slipway-check.conf
"""
COMMIT = f"cd '{{directory}}' && mv -f {NEXT}/* . && rmdir {NEXT}"
GENERATED = {".conf", ".html"}
PLACE = "cd '{directory}' && printf %s '{text}' > '.{name}' && mv -f '.{name}' '{name}'"
WORKERS = """
{
    for process in /proc/[0-9]*; do
        sed -n "s|^nginx: worker process|${process#/proc/} &|p" "$process/cmdline"
    done
    echo complete
} 2> /dev/null | tr '\\0' '\\n'
"""
"""One line for each: its id and its title, and a last line by which it is known that none is missing: a busy engine
may lose what a command writes. From inside, because the engine's own list of a container's processes comes from the
host's `ps`, which a minimal host has not got."""


class Answer(NamedTuple):
    """`status` 0 when nothing answered; `address` (address:port) is the container's that did, or was to."""

    status: int
    address: str


@dataclass(frozen=True)
class Edge:
    """`directory` and `main` are paths in the container."""

    container: Container
    directory: str
    main: str
    gate_port: int

    def files(self) -> dict[str, str]:
        """The generated files: {name: text}."""
        chunks, _ = self.container.get_archive(f"{self.directory}/.")
        found: dict[str, str] = {}
        with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as archive:
            for entry in archive:
                path = PurePosixPath(entry.name)
                if entry.isfile() and len(path.parts) == 1 and path.suffix in GENERATED:
                    content = archive.extractfile(entry)
                    assert content is not None
                    found[path.name] = content.read().decode()
        return found

    def write(self, files: Mapping[str, str]) -> None:
        """Checks the configuration as it will be with these files, then puts each in its place in one step.

        Raises Failure with nginx's words, having changed nothing that nginx would read.
        """
        self.run("rm", "-rf", f"{self.directory}/{NEXT}", user="0")
        self.container.put_archive(self.directory, pack({**self.files(), **files}, NEXT))
        self.shell(CHECK)
        self.shell(COMMIT, user="0")

    def lay(self, files: Mapping[str, str]) -> None:
        """Puts these files in their places unchecked: for an nginx that does not run."""
        self.container.put_archive(self.directory, pack(files, ""))

    def place(self, name: str, text: str) -> None:
        """Puts one small file of the operator's in its place in one step; nginx notices at its next reload."""
        self.run("sh", "-ec", PLACE.format(directory=self.directory, name=name, text=text), user="0")

    def remove(self, names: Iterable[str]) -> None:
        """Removes files. nginx notices at its next reload only."""
        if paths := [f"{self.directory}/{name}" for name in names]:
            self.run("rm", "-f", *paths, user="0")

    def reload(self) -> set[int]:
        """Has nginx take up its files; returns the process ids of the workers that still work by the ones before.

        Raises Failure when it does not: nginx then goes on as it was.
        """
        before = set(wait(self.workers, RELOAD, lambda: f"nginx has no workers. Its last lines:\n{self.log()}"))
        self.run("nginx", "-s", "reload", "-c", self.main)

        def replaced() -> bool:
            now = self.workers()
            return bool(now.keys() - before) and all(ending for pid, ending in now.items() if pid in before)

        wait(replaced, RELOAD, lambda: f"nginx did not take its new configuration. Its last lines:\n{self.log()}")
        return before

    def workers(self) -> dict[int, bool]:
        """{process id of a worker: whether it only finishes what it has}; empty where that could not be found out, as
        while nginx is being started again."""
        *lines, last = self.execute(["sh", "-c", WORKERS])[1].splitlines() or [""]
        if last != "complete":
            return {}
        named = (line.partition(" ") for line in lines)
        return {int(pid): "shutting down" in title for pid, _, title in named if pid.isdecimal()}

    def end(self, workers: Iterable[int]) -> None:
        """Ends workers of before a reload, and with them what they have; some may have ended already."""
        if ids := " ".join(map(str, sorted(workers))):
            self.execute(["sh", "-c", f"kill -TERM {ids}"])

    def ask(self, upstream: str, path: str, seconds: float = ANSWER) -> Answer:
        """The answer to one GET through this upstream."""
        url = f"http://127.0.0.1:{self.gate_port}{path}"
        options = ["--output", "/dev/null", "--dump-header", "-", "--max-time", f"{seconds:.1f}", "--noproxy", "*"]
        command = ["curl", "--silent", *options, "--write-out", "%{http_code}", "--header", f"Host: {upstream}", url]
        *headers, status = self.execute(command)[1].strip().splitlines() or [""]
        named = (line.partition(":") for line in headers)
        addresses = [value.strip() for name, _, value in named if name.lower() == ADDRESS_HEADER.lower()]
        return Answer(int(status) if status.isdecimal() else 0, addresses[-1] if addresses else "")

    def shell(self, script: str, *, user: str = "") -> None:
        self.run("sh", "-ec", script.format(directory=self.directory, main=self.main), user=user)

    def run(self, *command: str, user: str = "") -> None:
        """Runs a command in the container, as its own user if none is given. Raises Failure with what it wrote."""
        code, output = self.execute(command, user)
        if code:
            raise Failure(f"nginx: {output.strip()} (exit code {code})")

    def execute(self, command: Sequence[str], user: str = "") -> tuple[int, str]:
        return execution.execute(self.container, command, user)

    def log(self) -> str:
        return self.container.logs(tail=TAIL).decode(errors="replace").strip()


def pack(files: Mapping[str, str], folder: str) -> bytes:
    """A tar archive of the files in this folder."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        if folder:
            made = tarfile.TarInfo(folder)
            made.type, made.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(made)
        for name, text in files.items():
            content = text.encode()
            entry = tarfile.TarInfo(str(PurePosixPath(folder, name)))
            entry.size, entry.mode = len(content), 0o644
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()
