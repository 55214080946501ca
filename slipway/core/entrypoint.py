"""Whether an image's ENTRYPOINT runs the command that it is given, or a program of its own whatever the command."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from slipway.core.dockerignore import HEAVY, files

SHELLS = {"sh", "ash", "bash", "dash", "zsh"}
PROGRAMS = re.compile(
    r"(celery|daphne|flask|gunicorn|hypercorn|java|nginx|node|npm|php|pypy3?|python[\d.]*|rq|sleep|supervisord|tail"
    r"|uvicorn|uwsgi|waitress-serve|yarn)"
)
"""What takes its arguments for something else than a command."""
GOES_ON = re.compile(r"""\$\{?[@*]|\$\{?1\b|\bsys\.argv\b|\bargv\b""")
"""How a script gets hold of the command."""


def passes_on(entrypoint: Sequence[str], folder: Path | None) -> bool:
    """Judged by the script, where it is in the folder that the image is built from, else by the names of programs."""
    if _name(entrypoint[0]) in SHELLS and "-c" in entrypoint[1:2]:
        return bool(GOES_ON.search(entrypoint[2])) if len(entrypoint) > 2 else False
    texts = list(_scripts({_name(word) for word in entrypoint}, folder))
    if texts:
        return any(GOES_ON.search(text) for text in texts)
    return not any(PROGRAMS.fullmatch(_name(word)) for word in entrypoint)


def _name(word: str) -> str:
    return word.rpartition("/")[2]


def _scripts(names: Iterable[str], folder: Path | None) -> Iterable[str]:
    if folder is None:
        return
    for path in files(folder, lambda above: _name(above) not in HEAVY):
        if _name(path) in names:
            yield (folder / path).read_text("latin-1")
