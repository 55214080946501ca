"""Gives every test the environment that `make setup` chose, however pytest was started."""

from __future__ import annotations

import functools
import http.server
import os
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from slipway.setup import paths
from slipway.setup.choices import Choices

WAITING = ("tests/providers/", "tests/servers/")
"""Tests of these folders mostly wait for containers; the first of the others build images and run Pulumi."""


BYTECODE = "PYTHONPYCACHEPREFIX"


def pytest_configure(config: pytest.Config) -> None:
    """Variables that are set already win: `make test-e2e ENGINE=28` names another engine that way.

    Whatever the tests start in Python compiles each module once: to a folder of its own, not into a site that is built
    as it lies there.
    """
    if BYTECODE not in os.environ:
        folder = tempfile.TemporaryDirectory(prefix="slipway-bytecode-")
        config.add_cleanup(folder.cleanup)
        os.environ[BYTECODE] = folder.name
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    choices = Choices.load()
    chosen = choices.exported()
    for name in choices.environment:
        os.environ.setdefault(name, chosen[name])
    os.environ["PATH"] = chosen["PATH"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that mostly wait are spread among the first of those that mostly compute, so that several at once use the
    machine evenly. A file's own order stays."""
    files: dict[str, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.nodeid.partition("::")[0], []).append(item)
    waiting = [file for file in files if file.startswith(WAITING)]
    others = [file for file in files if not file.startswith(WAITING)]
    for place, file in enumerate(waiting):
        others.insert(2 * place + 1, file)
    items[:] = [item for file in others for item in files[file]]


@pytest.fixture(scope="session")
def virtualenv() -> Path:
    """The virtual environment in which test programs run: the project's own, with the pinned Pulumi SDKs."""
    return paths.VIRTUALENV


@pytest.fixture
def web(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A web server on the loopback interface: its address and the folder it serves."""
    folder = tmp_path / "web"
    folder.mkdir()
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}", folder
        server.shutdown()
