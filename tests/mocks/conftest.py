"""The shipped site in both stacks."""

from __future__ import annotations

import pytest

from tests.mocks.recording import Program
from tests.mocks.sites import program_of


@pytest.fixture(scope="session")
def prod() -> Program:
    return program_of("prod", "as shipped")


@pytest.fixture(scope="session")
def dev() -> Program:
    return program_of("dev", "as shipped")


@pytest.fixture(params=["prod", "dev"])
def site(request: pytest.FixtureRequest) -> Program:
    """Each of the two in turn."""
    program: Program = request.getfixturevalue(request.param)
    return program
