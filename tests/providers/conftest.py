"""What the tests of the providers need: the engine's address, names under which nothing is left behind, a site."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from slipway.core import gunicorn
from slipway.setup import paths
from tests.providers.place import Place
from tests.providers.site import Site
from tests.support import engine
from tests.support.base_images import base_image


@pytest.fixture
def place() -> Iterator[Place]:
    name = f"providers-{secrets.token_hex(4)}"
    address = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    yield Place(name, address, base_image("python"))
    engine.remove_all(name)


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The image of a service that does as its environment says, with gunicorn's worker as a stack has it."""
    name = f"providers-{secrets.token_hex(4)}/app:1"
    folder = shutil.copytree(Path(__file__).with_name("app"), tmp_path_factory.mktemp("app") / "app")
    shutil.copy(paths.PROJECT / "slipway" / "images" / "flask" / f"{gunicorn.WORKER}.py", folder)
    engine.client().images.build(
        path=str(folder), tag=name, buildargs={"BASE": base_image("python")}, rm=True, forcerm=True
    )
    yield name
    engine.remove_image(name)


@pytest.fixture
def site(place: Place, app: str) -> Site:
    return Site(place, app)
