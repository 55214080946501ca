"""Static files under names that hold a hash of their content, so that browsers may keep them for ever.

`url_for("static", filename="app.css")` gives /static/app.<hash>.css. `python -m app.assets`, run when the image is
built, writes copies under these names, for a web server that serves the folder itself. Without them (in development)
this application answers for both names.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Flask, Response, abort, send_from_directory

FOLDER = Path(__file__).resolve().parent / "static"
HASHED = re.compile(r"(?P<stem>.+)\.(?P<hash>[0-9a-f]{12})(?P<extension>\.\w+)")
YEAR = 365 * 24 * 3600


def register(app: Flask) -> None:
    """The endpoint `static`."""
    app.add_url_rule("/static/<path:filename>", "static", static)
    app.url_defaults(_with_hash)


def hashed_name(filename: str) -> str:
    """The name with the hash of the file as it is now. A file that does not exist keeps its name."""
    path = FOLDER / filename
    try:
        return str(Path(filename).with_name(_hashed(path, path.stat().st_mtime_ns)))
    except FileNotFoundError:
        return filename


def static(filename: str) -> Response:
    """The file, under its own name or the hashed one of its present content."""
    found = HASHED.fullmatch(filename)
    plain = f"{found['stem']}{found['extension']}" if found else filename
    if found and hashed_name(plain) != filename:
        abort(404)
    response = send_from_directory(FOLDER, plain, max_age=YEAR if found else None)
    if found:
        response.cache_control.public = True
        response.cache_control.immutable = True
    return response


def write_hashed_copies() -> list[str]:
    """Beside the files themselves; says which. Copies of earlier contents are left alone."""
    names = []
    for path in sorted(FOLDER.rglob("*")):
        if path.is_file() and not HASHED.fullmatch(path.name):
            copy = path.with_name(_hashed(path, path.stat().st_mtime_ns))
            shutil.copyfile(path, copy)
            names.append(str(copy.relative_to(FOLDER)))
    return names


@lru_cache(maxsize=256)
def _hashed(path: Path, _changed: int) -> str:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    return f"{path.stem}.{digest}{path.suffix}"


def _with_hash(endpoint: str, values: dict[str, Any]) -> None:
    if endpoint == "static":
        values["filename"] = hashed_name(values["filename"])


if __name__ == "__main__":
    print(*write_hashed_copies(), sep="\n")
