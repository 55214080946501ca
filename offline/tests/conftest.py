"""The engine for the tests of the docker plugin, and resources that are removed however their test ends."""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from slipway_offline.docker_provider.engine import Engine, resolve
from slipway_offline.resource import Call, InitError, Resource, Values

Make = Callable[[Resource, Values], tuple[str, Values]]


@pytest.fixture(scope="session")
def engine() -> Engine:
    return Engine(resolve({}, os.environ))


@pytest.fixture
def call() -> Call:
    """A call whose lines of status are kept in `call.status.lines`."""
    return Call("urn", threading.Event(), print, print)


@pytest.fixture
def name() -> str:
    """A name that no other test uses."""
    return f"plugin-{secrets.token_hex(4)}"


@pytest.fixture
def make(call: Call) -> Iterator[Make]:
    """Creates a resource, half-made ones included, and deletes it after the test; the latest first."""
    made: list[tuple[Resource, str, Values]] = []

    def create(resource: Resource, inputs: Values) -> tuple[str, Values]:
        problems = resource.check(inputs)
        assert not problems, problems
        try:
            resource_id, outputs = resource.create(call, inputs)
        except InitError as error:
            made.append((resource, error.resource_id, error.outputs))
            raise
        made.append((resource, resource_id, outputs))
        return resource_id, outputs

    yield create
    after: Any = Call("urn", threading.Event(), print, print)
    for resource, resource_id, outputs in reversed(made):
        resource.delete(after, resource_id, outputs)
