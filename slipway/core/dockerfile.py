"""Reads Dockerfiles: as much of them as decides how they are built."""

from __future__ import annotations

import fnmatch
import json
import posixpath
import re
from collections.abc import Iterator


def instructions(text: str) -> Iterator[tuple[str, str]]:
    """(INSTRUCTION, the rest) of a Dockerfile, continued lines joined and comments left out."""
    lines = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    for line in re.sub(r"\\\s*\n", " ", lines).splitlines():
        word, _, rest = line.strip().partition(" ")
        if word:
            yield word.upper(), rest.strip()


def stages(text: str) -> tuple[str, ...]:
    """The names of the stages that have one, in small letters: Docker tells them apart no further."""
    found = (re.search(r"\sAS\s+(\S+)", rest, re.IGNORECASE) for word, rest in instructions(text) if word == "FROM")
    return tuple(match[1].lower() for match in found if match)


def target(text: str, wanted: str) -> str | None:
    """The stage to build: the one that is named so; None, where there is none, for the last."""
    return wanted if wanted in stages(text) else None


def words(rest: str) -> list[str]:
    """What an ENTRYPOINT or CMD consists of on the engine: a list as it is, a text as the argument of a shell."""
    try:
        listed = json.loads(rest)
    except ValueError:
        listed = None
    return [str(word) for word in listed] if isinstance(listed, list) else ["/bin/sh", "-c", rest]


def copies(text: str, path: str) -> bool:
    """Whether some stage copies this file of the build context, or a folder above it."""
    return any(
        _covers(source, path)
        for word, rest in instructions(text)
        if word in ("COPY", "ADD")
        for source in _sources(rest)
    )


def _sources(rest: str) -> list[str]:
    """What one COPY or ADD takes from the build context."""
    words = rest.split()
    flags = [word for word in words if word.startswith("--")]
    if any(flag.startswith("--from=") for flag in flags):
        return []
    listed = rest[rest.find("[") :] if rest.removeprefix(" ".join(flags)).lstrip().startswith("[") else ""
    try:
        paths = [str(each) for each in json.loads(listed)] if listed else [word for word in words if word not in flags]
    except ValueError:
        paths = []
    return [posixpath.normpath(path).lstrip("/") for path in paths[:-1]]


def _covers(source: str, path: str) -> bool:
    parts = path.split("/")
    above = ["/".join(parts[:end]) for end in range(1, len(parts) + 1)]
    return source in ("", ".") or any(fnmatch.fnmatchcase(each, source) for each in above)
