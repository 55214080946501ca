"""Reads Dockerfiles: as much of them as decides how they are built."""

from __future__ import annotations

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
