"""The files that docker.Container puts into a container before it starts."""

from __future__ import annotations

import base64
import io
import tarfile
import time
from pathlib import Path
from typing import Any

from slipway_offline.properties import Problem
from slipway_offline.resource import OperationError, Values

CONTENTS = ("content", "contentBase64", "source")


def problems(uploads: list[Values] | None) -> list[Problem]:
    """Each file has its content from one place. An empty `content` says nothing, to the genuine plugin too."""
    found = []
    for index, item in enumerate(uploads or ()):
        given = [key for key in CONTENTS if item.get(key)]
        if len(given) != 1:
            what = f"{' and '.join(given)} are set" if given else "none is set"
            found.append(Problem(f"uploads[{index}]", f"uploads[{index}] needs exactly one of {', '.join(CONTENTS)}, "
                                                      f"and not an empty one; here {what}"))
    return found


def archive(uploads: list[Values]) -> bytes:
    """A tar of the files, with paths from the container's root. Raises OperationError for a source that cannot be read.

    Owners and groups that are names are left to the engine, which knows only those of its own host: programs should
    use numbers.
    """
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for index, item in enumerate(uploads):
            content = content_of(item, index)
            entry = tarfile.TarInfo(item["file"].lstrip("/"))
            entry.size, entry.mtime, entry.mode = len(content), time.time(), mode(item)
            _own(entry, "uid", "uname", item.get("owner"))
            _own(entry, "gid", "gname", item.get("group"))
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def content_of(item: Values, index: int) -> bytes:
    if item.get("contentBase64"):
        return base64.b64decode(item["contentBase64"])
    if not item.get("source"):
        return str(item.get("content") or "").encode()
    try:
        return Path(item["source"]).read_bytes()
    except OSError as error:
        raise OperationError(f"uploads[{index}].source: {error.filename}: {error.strerror}") from error


def mode(item: Values) -> int:
    return int(item["permissions"], 8) if item.get("permissions") else 0o744 if item.get("executable") else 0o644


def _own(entry: tarfile.TarInfo, number: str, name: str, owner: Any) -> None:
    if owner:
        setattr(entry, *((number, int(owner)) if owner.isdigit() else (name, owner)))
