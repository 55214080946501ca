"""The versions that services are tested with here are the ones that their images hold."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*)==([^\s;\\]+)", re.MULTILINE)
SERVICES = sorted(
    file.parent.relative_to(PROJECT).as_posix()
    for folders in ("services/*", "slipway/images/*", "examples/*/services/*")
    for file in PROJECT.glob(f"{folders}/requirements.in")
)
"""Folders, relative to the project."""


def pins(path: str) -> dict[str, str]:
    return dict(PIN.findall((PROJECT / path).read_text()))


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_is_tested_with_the_versions_of_its_image(service: str) -> None:
    here, image = pins("requirements.lock"), pins(f"{service}/requirements.txt")
    assert len(image) > 5
    assert {name: here[name] for name in image if name in here} == {name: image[name] for name in image if name in here}


@pytest.mark.parametrize("service", SERVICES)
def test_what_a_service_asks_for_is_what_its_image_gets(service: str) -> None:
    asked, image = pins(f"{service}/requirements.in"), pins(f"{service}/requirements.txt")
    assert {name: image[name] for name in asked} == asked


def test_the_generic_image_has_the_same_server_as_the_services() -> None:
    generic = re.search(r"gunicorn==(\S+)", (PROJECT / "slipway/images/flask/Dockerfile").read_text())
    assert generic is not None
    serving = [image for service in SERVICES if "gunicorn" in (image := pins(f"{service}/requirements.txt"))]
    assert len(serving) > 1
    assert {image["gunicorn"] for image in serving} == {generic[1]}
