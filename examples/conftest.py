"""The examples are tested in the environment of all other tests, each beside its own files: the folder that a test
module is in says which example `site` is. A module whose site needs more to begin with has a fixture `site` over this
one."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.conftest import pytest_configure, virtualenv
from tests.support.example import Example, example_running
from tests.support.tls import trusting

__all__ = ["pytest_configure", "virtualenv"]


@pytest.fixture(scope="module")
def site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, virtualenv: Path
) -> Iterator[Example]:
    """The example in production, under a name of its own."""
    name = request.path.parent.name
    with example_running(Example(tmp_path_factory.mktemp(name), name, virtualenv=virtualenv)) as up:
        yield up


@pytest.fixture(scope="module")
def url(site: Example) -> str:
    return site.url


@pytest.fixture(scope="module")
def trust(site: Example) -> ssl.SSLContext:
    """What a visitor trusts who was given the site's own authority."""
    return trusting(site.outputs()["tls_authority"])


@pytest.fixture
def visitor(url: str, trust: ssl.SSLContext) -> Iterator[httpx.Client]:
    """A browser of somebody new."""
    with httpx.Client(base_url=url, verify=trust, follow_redirects=True, timeout=30) as client:
        yield client
