"""Where things are: inside the project, in the user's cache, and in the user's data folder (XDG base directories)."""

from __future__ import annotations

import os
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
TOOLS = PROJECT / ".slipway"
VIRTUALENV = PROJECT / ".venv"
OFFLINE = PROJECT / "offline"


def cache() -> Path:
    """What can be deleted at any time and is made again: the CLI that we built, the set-up's lock."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "slipway"


def data() -> Path:
    """What must be backed up: the state of the stacks and the passphrase of their secrets."""
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "slipway"
