"""What is worth a warning about a folder that is built by a Dockerfile of its own: it is used as it is."""

from __future__ import annotations

import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from slipway.core import dockerfile, dockerignore

MOST = 5
"""Files that one warning names."""


def warnings(service: str, folder: Path, text: str) -> Iterator[str]:
    """For a Dockerfile with this text."""
    ignore = dockerignore.of_dockerfile(folder / "Dockerfile")
    copied = sorted(path for path in dockerignore.visible(folder, ignore) if dockerfile.copies(text, path))
    if secret := [path for path in copied if dockerignore.is_secret(path)]:
        lines = "\n".join(secret[:MOST])
        yield (
            f"the image of {service} would hold {_named(secret)}, which its Dockerfile copies. To leave it out, write "
            f"into {folder.name}/.dockerignore:\n{lines}"
        )
    private = [path for path in copied if path.endswith(".py") and not _readable(folder, path)]
    if private and "chmod" not in text and "chown" not in text:
        yield (
            f"only their owner may read {_named(private)}, and the image of {service} is run by another user. Type: "
            f"chmod -R a+rX {folder.name}, or write below COPY in its Dockerfile: RUN chmod -R a+rX ."
        )


def _named(paths: Iterable[str]) -> str:
    first = list(paths)
    return ", ".join(first[:MOST]) + (" …" if first[MOST:] else "")


def _readable(folder: Path, path: str) -> bool:
    """By everybody: the file, and the folders on the way that are copied with it. A link that leads nowhere counts."""
    if not (folder / path).is_file():
        return True
    above = [folder / each for each in Path(path).parents if each != Path()]
    others = [(folder / path).stat().st_mode & stat.S_IROTH, *(each.stat().st_mode & stat.S_IXOTH for each in above)]
    return all(others)
