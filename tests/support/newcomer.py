"""Who has just cloned the project: an empty home, nothing of what set-up chose here in the environment. Only the cache
of what was built once is the user's, or each test would build a CLI."""

from __future__ import annotations

import os
from pathlib import Path

from slipway.setup import paths
from slipway.setup.choices import Choices


def environment(home: Path) -> dict[str, str]:
    choices = Choices.load()
    ours = {*(choices.environment.keys() - {"DOCKER_HOST"}), "XDG_DATA_HOME"}
    own = {key: value for key, value in os.environ.items() if key not in ours}
    own["PATH"] = os.pathsep.join(
        folder for folder in os.environ["PATH"].split(os.pathsep) if folder not in choices.path
    )
    return own | {"HOME": str(home), "XDG_CACHE_HOME": str(paths.cache().parent)}
