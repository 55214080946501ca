"""The files of an image below some paths, read as a stream from a container of it that never runs.

Links are followed as far as they stay below a folder: what leads out of it (to /etc, to a secret's path), to nothing or
round in a circle is named and left out.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import IO, Any

from docker.errors import APIError
from docker.models.containers import Container
from docker.utils import decode_json_header

from slipway.engine.errors import Failure
from slipway.engine.progress import say

GO_SYMLINK = 1 << 27
"""In the mode that the engine tells of a path (Go's fs.ModeSymlink)."""

TOLD = 5
"""Of what is left out, how many are named."""


@dataclass(frozen=True, kw_only=True)
class File:
    """`content` must be read before the next file is asked for. A hard link has none: it is what `same_as` was."""

    path: str
    size: int
    content: IO[bytes] | None
    same_as: str = ""


@dataclass
class ImageFiles:
    """`container` is one of the image, `boundary` the folder that links may not lead out of."""

    container: Container
    boundary: str
    _real: dict[str, str] = field(default_factory=dict)
    _left: list[str] = field(default_factory=list)

    def below(self, path: str) -> Iterator[File]:
        """Each regular file below the path, named from there on; "" where it is a file itself. Raises Failure where
        there is nothing, or it is outside the boundary."""
        try:
            real = self._resolved(path)
        except APIError:
            raise Failure(f"the image has no {path} for its static files") from None
        if not self._inside(real):
            raise Failure(
                f"{path} leads to {real}, outside {self.boundary}: have the image hold a copy of the static files there"
            )
        yield from self._walk(real, "", frozenset({real}))
        for told in self._left[:TOLD]:
            say(f"static files: nginx leaves {told}")
        if more := len(self._left[TOLD:]):
            say(f"static files: nginx leaves {more} more to the service, for such reasons")
        self._left.clear()

    def _walk(self, real: str, prefix: str, above: frozenset[str]) -> Iterator[File]:
        chunks, _ = self.container.get_archive(real)
        links: list[tuple[str, str]] = []
        with tarfile.open(fileobj=_Chunks(chunks), mode="r|") as archive:  # type: ignore[call-overload]
            for entry in archive:
                below = entry.name.rstrip("/").partition("/")[2]
                name = "/".join(part for part in (prefix, below) if part)
                if entry.issym():
                    links.append((name, str(PurePosixPath(real, below))))
                elif not (entry.isreg() or entry.islnk()):
                    continue
                elif not name.isprintable():
                    self._left.append(f"{name!r} to the service: its name cannot be written in a path")
                elif entry.islnk():
                    same = "/".join(part for part in (prefix, entry.linkname.partition("/")[2]) if part)
                    yield File(path=name, size=0, content=None, same_as=same)
                else:
                    yield File(path=name, size=entry.size, content=archive.extractfile(entry))
        for name, link in links:
            yield from self._followed(name, link, above)

    def _followed(self, name: str, link: str, above: frozenset[str]) -> Iterator[File]:
        try:
            real = self._resolved(link)
        except APIError:
            return self._left.append(f"{name} to the service: {link} leads to nothing")
        if not self._inside(real):
            return self._left.append(f"{name} to the service: it leads to {real}, outside {self.boundary}")
        if any(each == real or each.startswith(f"{real}/") for each in above):
            return self._left.append(f"{name} to the service: it leads round in a circle, to {real}")
        yield from self._walk(real, name, above | {str(PurePosixPath(link).parent), real})

    def _inside(self, real: str) -> bool:
        return real == self.boundary or real.startswith(f"{self.boundary}/")

    def _resolved(self, path: str) -> str:
        """The path without links. Raises APIError where it leads to nothing, or round in a circle."""
        done = "/"
        for part in PurePosixPath(path).parts[1:]:
            step = str(PurePosixPath(done, part))
            if step not in self._real:
                status = self._status(step)
                self._real[step] = str(status["linkTarget"]) if int(status["mode"]) & GO_SYMLINK else step
            done = self._real[step]
        if done != path:
            self._status(done)
        return done

    def _status(self, path: str) -> dict[str, Any]:
        """What the engine says of a path; docker-py has no call for it."""
        assert self.container.client is not None
        api: Any = self.container.client.api
        response = api.head(api._url("/containers/{0}/archive", self.container.id), params={"path": path})  # noqa: SLF001
        api._raise_for_status(response)  # noqa: SLF001
        found: dict[str, Any] = decode_json_header(response.headers["x-docker-container-path-stat"])
        return found


class _Chunks:
    """A stream for tarfile, which takes reads of any length."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = iter(chunks)

    def read(self, _size: int) -> bytes:
        return next(self._chunks, b"")
