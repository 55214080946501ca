"""The server image of the session, and projects that leave nothing behind however their test ends."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.contract.project import PROGRAMS, ContractProject
from tests.support import engine
from tests.support.base_images import base_image

NewProject = Callable[[str], ContractProject]


@pytest.fixture(scope="session")
def server_image() -> Iterator[str]:
    """The little server of `programs/server` as an image."""
    name = f"contract-{secrets.token_hex(4)}/server:1"
    engine.client().images.build(path=str(PROGRAMS / "server"), tag=name, buildargs={"BASE": base_image("python")},
                                 rm=True, forcerm=True)
    yield name
    engine.remove_image(name)


@pytest.fixture(scope="module")
def new_project(
    server_image: str, virtualenv: Path, tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[NewProject]:
    """Makes a project with a stack from the text of its program. What it made is removed by name, not by `pulumi
    destroy`, so that a test may end in any state; the state itself goes with pytest's temporary directories."""
    names: list[str] = []

    def new(program: str) -> ContractProject:
        names.append(f"contract-{secrets.token_hex(4)}")
        directory = tmp_path_factory.mktemp("project")
        return ContractProject(directory, program, virtualenv=virtualenv, name=names[-1], server=server_image)

    yield new
    for name in names:
        engine.remove_all(name)
