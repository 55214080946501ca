"""A set-up that touches nothing of the user's: its own folders, its own PATH, commands that are scripts of the test."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from slipway.setup import paths
from slipway.setup.console import Console


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project's tools folder, the user's home and the XDG folders, all below the test's own."""
    folder = tmp_path / "project" / ".slipway"
    folder.mkdir(parents=True)
    monkeypatch.setattr(paths, "TOOLS", folder)
    monkeypatch.setattr(paths, "VIRTUALENV", folder.parent / ".venv")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for variable in (
        "XDG_DATA_HOME",
        "XDG_CACHE_HOME",
        "PULUMI_HOME",
        "PULUMI_CREDENTIALS_PATH",
        "PULUMI_BACKEND_URL",
        "PULUMI_ACCESS_TOKEN",
        "PULUMI_CONFIG_PASSPHRASE",
        "PULUMI_CONFIG_PASSPHRASE_FILE",
        "DOCKER_HOST",
    ):
        monkeypatch.delenv(variable, raising=False)
    return folder


@pytest.fixture
def console() -> Console:
    return Console()


@pytest.fixture
def commands(tmp_path: Path) -> Callable[[str, str], dict[str, str]]:
    """`commands(name, script)` puts a shell script on an otherwise almost empty PATH and returns the environment."""
    folder = tmp_path / "bin"
    folder.mkdir()

    def add(name: str, script: str) -> dict[str, str]:
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
        return {"PATH": f"{folder}:/usr/bin:/bin", "HOME": os.environ["HOME"]}

    return add
