"""A build context: the files that a build gets to see, their digest, and the archive that is sent."""

from __future__ import annotations

import hashlib
import stat
from pathlib import Path
from typing import IO, cast

from docker.utils import exclude_paths
from docker.utils.build import create_archive

from slipway_offline.resource import OperationError

OUTSIDE = ".dockerfile-from-outside"  # the name in the archive of a Dockerfile that is not in the context


class BuildContext:
    """What `docker build CONTEXT -f DOCKERFILE` sends, less what the ignore file names.

    The ignore file is `<Dockerfile>.dockerignore` if there is one, else `.dockerignore` in the context. Raises
    OperationError when the folder or the Dockerfile is not there.
    """

    def __init__(self, directory: str, dockerfile: str | None) -> None:
        self.root = Path(directory).resolve()
        self.file = Path(dockerfile).resolve() if dockerfile else self.root / "Dockerfile"
        if not self.root.is_dir():
            raise OperationError(f"build.context: there is no folder {self.root}")
        if not self.file.is_file():
            raise OperationError(f"build.dockerfile: there is no file {self.file}")
        inside = self.file.is_relative_to(self.root)
        self.dockerfile = str(self.file.relative_to(self.root)) if inside else OUTSIDE
        self.extra = [] if inside else [(OUTSIDE, self.file.read_text())]
        kept = self.dockerfile if inside else None
        self.files = sorted(exclude_paths(str(self.root), self.ignored(), dockerfile=kept))

    def ignored(self) -> list[str]:
        """The patterns of the ignore file."""
        candidates = (self.file.with_name(self.file.name + ".dockerignore"), self.root / ".dockerignore")
        lines = next((path.read_text().splitlines() for path in candidates if path.is_file()), [])
        return [line.strip() for line in lines if line.strip() and not line.startswith("#")]

    def digest(self) -> str:
        """Changes with the path, mode, content or link target of any file, and with nothing else: not with times."""
        total = hashlib.sha256(self.file.read_bytes())
        for name in self.files:
            path = self.root / name
            mode = path.lstat().st_mode
            if stat.S_ISLNK(mode):
                content = str(path.readlink()).encode()
            elif stat.S_ISREG(mode):
                content = hashlib.sha256(path.read_bytes()).digest()
            else:
                continue
            total.update(f"{name}\0{mode:o}\0".encode() + hashlib.sha256(content).digest())
        return total.hexdigest()

    def archive(self) -> IO[bytes]:
        """A compressed tar. Compressed because BuildKit tells an archive from a bare Dockerfile by the first kilobyte,
        and a plain tar may begin with more header than that."""
        return cast("IO[bytes]", create_archive(str(self.root), files=self.files, extra_files=self.extra, gzip=True))
