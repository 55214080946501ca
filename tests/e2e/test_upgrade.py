"""A stack that an earlier version of Slipway made goes on with this one."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from slipway.setup import paths
from tests.e2e.pictures import Uploads
from tests.e2e.site import Site, running, status
from tests.support.engine import free_port
from tests.support.waiting import wait_until

EARLIER = "a064e1ccdea5650cae8d4241f88ca93198068ee9"
"""The first version that brought up a whole site. Its stacks are somebody's data."""
DATA = ("docker:index/volume:Volume", "random:index/randomPassword:RandomPassword")
BACK_SECONDS = 15


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The earlier version, from the history of this checkout."""
    packed = subprocess.run(["git", "archive", EARLIER], cwd=paths.PROJECT, capture_output=True, check=False)
    if packed.returncode:
        pytest.skip(f"this checkout has no history: {packed.stderr.decode().strip()}")
    folder = tmp_path_factory.mktemp("earlier")
    subprocess.run(["tar", "--extract", "--directory", str(folder)], input=packed.stdout, check=True)
    return folder


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, virtualenv: Path, earlier: Path) -> Iterator[Site]:
    settings = {"edge": {"port": free_port()}}
    made = Site(tmp_path_factory.mktemp("prod"), "prod", settings, virtualenv=virtualenv, program=earlier)
    with running(made) as up:
        yield up


def test_a_stack_of_an_earlier_version_keeps_its_data_under_this_one(site: Site) -> None:
    url = str(site.outputs()["url"])
    uploads = Uploads(f"{url}images/")
    assert [uploads.send(), uploads.send()] == ["", ""]
    data = {each["urn"]: each["id"] for each in site.resources() if each["type"] in DATA}
    site.replace_program(paths.PROJECT)
    planned = {urn: step for urn, step in site.steps().items() if urn in data and step != "update"}
    assert planned == {}
    site.up()
    assert data.items() <= {each["urn"]: each["id"] for each in site.resources() if each["type"] in DATA}.items()
    wait_until("the site answers", lambda: status(url) == status(f"{url}images/ready") == 200, BACK_SECONDS)
    assert uploads.lost() == []
    assert uploads.send() == ""
    site.assert_settled()
