"""Content hashes. Anything over a secret is keyed: a plain hash in a name could be guessed from a list of passwords."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

SHORT = 12
NEVER = ("__pycache__", "*.pyc", ".git", ".venv", ".pytest_cache", ".mypy_cache", ".ruff_cache")


def of_value(value: Any, length: int = SHORT) -> str:
    """Hash of JSON-like values; the order of keys does not count. Raises TypeError for anything else."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:length]


def of_folder(folder: Path, ignored: Iterable[str] = NEVER, length: int = SHORT) -> str:
    """Hash of the names, contents and execute bits of all files; times, owners and other modes do not count.

    `ignored` are shell patterns for single names. Links count by their target's text. Raises FileNotFoundError.
    """
    patterns = tuple(ignored)
    if not folder.is_dir():
        raise FileNotFoundError(folder)
    digest = hashlib.sha256()
    for file in sorted(folder.rglob("*"), key=lambda path: path.relative_to(folder).as_posix()):
        name = file.relative_to(folder)
        if any(fnmatch(part, pattern) for part in name.parts for pattern in patterns):
            continue
        if file.is_symlink():
            kind, content = "link", file.readlink().as_posix().encode()
        elif file.is_file():
            kind, content = ("program" if file.stat().st_mode & 0o100 else "file"), file.read_bytes()
        else:
            continue
        for part in (kind.encode(), name.as_posix().encode(), content):
            digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()[:length]


def keyed(key: str, files: Mapping[str, str], length: int = SHORT) -> str:
    """HMAC over secret files, for the name of the volume that holds them: other content, other volume."""
    text = json.dumps(files, sort_keys=True, separators=(",", ":"))
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()[:length]
