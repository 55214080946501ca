"""What comes out of a run: files in their place, and why it failed in one line."""

from __future__ import annotations

import os
from pathlib import Path

LONGEST = 500
SILENCE = "certbot failed and said nothing"


def place(path: Path, content: bytes, mode: int) -> None:
    """Puts a file in its place in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    staged = path.with_name(f".{path.name}")
    staged.unlink(missing_ok=True)
    with os.fdopen(os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    staged.replace(path)


def reason(output: str) -> str:
    """What went wrong, in one line: what the authority said of each name, else certbot's last words."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    said = [line.partition(":")[2].strip() for line in lines if line.startswith(("Identifier:", "Domain:", "Detail:"))]
    usual = ("Saving debug log", "Ask for help", "Some challenges have failed", "See the logfile", "Hint:")
    return (": ".join(said) or " ".join([line for line in lines if not line.startswith(usual)][-2:]))[
        :LONGEST
    ] or SILENCE
