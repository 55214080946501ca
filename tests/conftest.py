"""Gives every test the environment that `make setup` chose, however pytest was started."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from slipway.setup import paths
from slipway.setup.choices import Choices


def pytest_configure() -> None:
    """Variables that are set already win: `make test-e2e ENGINE=28` names another engine that way."""
    choices = Choices.load()
    chosen = choices.exported()
    for name in choices.environment:
        os.environ.setdefault(name, chosen[name])
    os.environ["PATH"] = chosen["PATH"]


@pytest.fixture(scope="session")
def virtualenv() -> Path:
    """The virtual environment in which test programs run: the project's own, with the pinned Pulumi SDKs."""
    return paths.VIRTUALENV
