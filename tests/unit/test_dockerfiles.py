"""hadolint on every Dockerfile of the project."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HADOLINT = Path(sys.executable).with_name("hadolint")
SKIPPED = {".venv", ".slipway", ".git"}
DOCKERFILES = sorted(
    path.relative_to(ROOT) for path in ROOT.rglob("Dockerfile") if not SKIPPED & set(path.relative_to(ROOT).parts)
)
TOLERATED = {
    "offline": (
        "DL3008",  # the versions are the suite's
        "DL3015",  # its base image installs no recommended packages
        "DL3066",  # the names are those of the official images
    )
}
"""{first folder: rules that do not hold there}."""


def complaints(path: Path, *ignored: str) -> str:
    options = [f"--ignore={rule}" for rule in ignored]
    done = subprocess.run([HADOLINT, "--no-color", *options, path], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize("path", DOCKERFILES, ids=str)
def test_hadolint_finds_nothing(path: Path) -> None:
    assert complaints(ROOT / path, *TOLERATED.get(path.parts[0], ())) == ""


def test_every_image_of_the_site_is_looked_at() -> None:
    looked_at = {str(path.parent) for path in DOCKERFILES}
    assert {str(path.relative_to(ROOT)) for path in (ROOT / "services").iterdir()} <= looked_at
    assert {str(path.relative_to(ROOT)) for path in (ROOT / "slipway" / "images").iterdir()} <= looked_at


def test_a_mistake_would_be_found(tmp_path: Path) -> None:
    file = tmp_path / "Dockerfile"
    file.write_text("FROM python:latest\nRUN cd /srv && sudo ls\nRUN pip install flask\n")
    said = complaints(file)
    assert {"DL3007", "DL3004", "DL3042"} <= set(said.split())
