"""Gives every test the environment that `make setup` chose, however pytest was started."""

from __future__ import annotations

import functools
import http.server
import os
import threading
from collections.abc import Iterator
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
