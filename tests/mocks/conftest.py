"""The shipped site in both stacks."""

from __future__ import annotations

import asyncio

import pytest

from tests.mocks.recording import Program
from tests.mocks.sites import program_of


@pytest.fixture(scope="session", autouse=True)
def event_loop() -> None:
    """Pulumi takes the thread's own, which is gone once an earlier test of the same run has used asyncio.run."""
    asyncio.set_event_loop(asyncio.new_event_loop())


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
