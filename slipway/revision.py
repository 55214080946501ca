"""Which revision of the source a folder is at."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

DESCRIBE = ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
SECONDS = 5
"""For looking at every file of a large folder: a release does not wait longer for what is only told."""


def of(folder: Path) -> str:
    """git's abbreviated commit, with `-dirty` behind it where files differ; "" where git does not know the folder."""
    try:
        done = subprocess.run(
            DESCRIBE,
            cwd=folder,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
            text=True,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
