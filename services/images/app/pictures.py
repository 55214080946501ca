"""Looks into a file that claims to be a picture: what it really is, how large, and a small version of it.

That is the one costly thing here, so it is bounded twice: by what one file may cost (decoding.py), and by how many
uploads of a process may be at it, so that a thread is always left for everything else.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

from . import decoding
from .decoding import KINDS, THUMBNAIL_EXTENSION, THUMBNAIL_TYPE, RefusedError, most_pixels

__all__ = ["EXTENSIONS", "KINDS", "THUMBNAIL_EXTENSION", "THUMBNAIL_TYPE", "BusyError", "Inspected", "Inspector",
           "RefusedError", "most_pixels"]  # fmt: skip

EXTENSIONS = {kind.content_type: kind.extension for kind in KINDS.values()}
PATIENCE = 20
"""Seconds that an upload waits for its picture, those before it included; nginx waits for 30."""
KILLED = {-signal.SIGXCPU, -signal.SIGKILL}
"""How a process ends that used up its time, or the container's memory."""


class BusyError(Exception):
    """More pictures are being looked at than may be at one time."""


@dataclass(frozen=True, kw_only=True)
class Inspected:
    """What a picture is. Width and height are as it is shown, after turning."""

    content_type: str
    width: int
    height: int
    thumbnail: bytes


class Inspector:
    """Decodes within about `memory` bytes; `at_once` of this process's threads may be at it, or wait for their turn."""

    def __init__(self, *, memory: int, at_once: int) -> None:
        self.memory = memory
        self._places = threading.BoundedSemaphore(at_once)

    def inspect(self, stream: IO[bytes]) -> Inspected:
        """The (first) picture in `stream`. Raises RefusedError for what is none that we keep, BusyError where the file
        may be sent again."""
        if not self._places.acquire(blocking=False):
            raise BusyError
        try:
            with _descriptor(stream) as file:
                return self._decoded(file)
        finally:
            self._places.release()

    def _decoded(self, file: int) -> Inspected:
        command = [sys.executable, "-I", "-B", str(decoding.__file__), str(self.memory)]
        environment = {name: os.environ[name] for name in ("TMPDIR", "MALLOC_ARENA_MAX") if name in os.environ}
        try:
            done = subprocess.run(
                command, stdin=file, capture_output=True, env=environment, timeout=PATIENCE, check=False
            )
        except subprocess.TimeoutExpired:
            raise BusyError from None
        if done.returncode in KILLED:
            raise RefusedError(decoding.TOO_MUCH)
        if done.returncode:
            raise RuntimeError(f"decoding ended with {done.returncode}: {done.stderr.decode(errors='replace')}")
        line, _, thumbnail = done.stdout.partition(b"\n")
        told = json.loads(line)
        if "refused" in told:
            raise RefusedError(told["refused"])
        return Inspected(**told, thumbnail=thumbnail)


@contextmanager
def _descriptor(stream: IO[bytes]) -> Iterator[int]:
    """The stream as an open file, from its beginning; a small one is in memory only, and is written to one."""
    stream.seek(0)
    try:
        file = stream.fileno()
    except (AttributeError, io.UnsupportedOperation):
        with tempfile.TemporaryFile() as copy:
            shutil.copyfileobj(stream, copy)
            copy.flush()
            os.lseek(copy.fileno(), 0, os.SEEK_SET)
            yield copy.fileno()
    else:
        stream.flush()
        os.lseek(file, 0, os.SEEK_SET)
        yield file
