"""The folder that holds the pictures. A file there is complete or absent, also after a power loss."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from .pictures import EXTENSIONS, THUMBNAIL_EXTENSION

ORIGINALS, THUMBNAILS = "originals", "thumbnails"


class MediaStore:
    """Files by picture id. Knows nothing of the database: who calls decides what is kept."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def original(self, picture: uuid.UUID, content_type: str) -> Path:
        return self.root / ORIGINALS / f"{picture}{EXTENSIONS[content_type]}"

    def thumbnail(self, picture: uuid.UUID) -> Path:
        return self.root / THUMBNAILS / f"{picture}{THUMBNAIL_EXTENSION}"

    def write(self, target: Path, source: IO[bytes]) -> None:
        """All of `source` under the name `target`, on the disk when this returns. Raises OSError, leaving nothing."""
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".", suffix=".part", delete=False) as part:
            try:
                shutil.copyfileobj(source, part)
                part.flush()
                os.fsync(part.fileno())
                Path(part.name).rename(target)
            except BaseException:
                Path(part.name).unlink(missing_ok=True)
                raise
        for folder in (target.parent, self.root):  # the new name, and the folder itself where it is new
            _sync(folder)

    def remove(self, picture: uuid.UUID, content_type: str) -> None:
        """The picture's files; what is gone already is fine."""
        for path in (self.original(picture, content_type), self.thumbnail(picture)):
            path.unlink(missing_ok=True)

    def strays(self, known: Callable[[uuid.UUID], bool], *, seconds: float) -> Iterator[Path]:
        """Files older than `seconds` that belong to no known picture: left by an upload that was cut off."""
        oldest_wanted = time.time() - seconds
        for folder in (self.root / ORIGINALS, self.root / THUMBNAILS):
            for path in folder.iterdir() if folder.is_dir() else ():
                # A delete at the same moment may be faster.
                with contextlib.suppress(FileNotFoundError):
                    if path.stat().st_mtime < oldest_wanted and not _belongs(path, known):
                        yield path


def _belongs(path: Path, known: Callable[[uuid.UUID], bool]) -> bool:
    try:
        return known(uuid.UUID(path.stem))
    except ValueError:
        return False


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
