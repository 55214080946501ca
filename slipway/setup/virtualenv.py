"""The project's virtual environment in `.venv`, with exactly what requirements.lock names, hashes checked."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from slipway.setup import paths
from slipway.setup.choices import Choice, Choices, replace
from slipway.setup.console import Console

LOCK = paths.PROJECT / "requirements.lock"
STAMP = "slipway-lock"


def fingerprint(lock: Path = LOCK) -> str:
    """Changes with the locked versions and with the Python that runs them."""
    return hashlib.sha256(lock.read_bytes() + sys.version.encode()).hexdigest()


def current(folder: Path = paths.VIRTUALENV) -> bool:
    stamp = folder / STAMP
    return stamp.is_file() and stamp.read_text() == fingerprint() and (folder / "bin" / "python").exists()


def settle(choices: Choices, console: Console, environment: Mapping[str, str]) -> Choice:
    """Makes the environment, or makes it anew when the lock or the machine's Python has changed."""
    why = "up to date with requirements.lock"
    if not current():
        why = "installed from requirements.lock"
        shutil.rmtree(paths.VIRTUALENV, ignore_errors=True)
        log = paths.TOOLS / "setup.log"
        subprocess.run([sys.executable, "-m", "venv", paths.VIRTUALENV], env=dict(environment), check=True)
        console.run(
            "install the pinned Python packages",
            [
                paths.VIRTUALENV / "bin" / "python",
                "-m",
                "pip",
                "install",
                "--disable-pip-version-check",
                "--require-hashes",
                "-r",
                LOCK,
            ],
            environment=environment,
            log=log,
        )
        replace(paths.VIRTUALENV / STAMP, fingerprint())
    # Sites whose folder is not this one name no `virtualenv`: Pulumi looks for a relative one in two places.
    choices.environment["PULUMI_PYTHON_CMD"] = str(paths.VIRTUALENV / "bin" / "python")
    number = ".".join(map(str, sys.version_info[:3]))
    return choices.chose("Python", f"{number} in .venv", why, origin="venv")


def check(_choices: Choices) -> str | None:
    """What is missing, or None."""
    return None if current() else "the virtual environment .venv is missing or out of date"
