"""Which base images are built: those that this engine does not have from the present inputs, under whatever name."""

from __future__ import annotations

import subprocess
from typing import Any

import build_images
import pytest

NEW, FORMER = "slipway.invalid/nginx:1.30", "slipway/nginx:1.30"


class Engine:
    """The images of an engine, {name: (id, hash of its inputs, size)}, and which were built on it."""

    def __init__(self, **there: str) -> None:
        self.images = {{"new": NEW, "former": FORMER}[name]: (name, inputs, 1) for name, inputs in there.items()}
        self.built: list[str] = []

    def make(self, image: build_images.BaseImage) -> None:
        self.built.append(image.tag)
        self.images[image.tag] = ("built", "present", 1)

    def run(self, command: list[str], **_: Any) -> None:
        assert command[:2] == ["docker", "tag"]
        self.images[command[3]] = self.images[command[2]]


@pytest.mark.parametrize(
    ("engine", "built", "image"),
    [
        (Engine(), [NEW], "built"),
        (Engine(new="present"), [], "new"),
        (Engine(new="outdated"), [NEW], "built"),
        (Engine(former="present"), [], "former"),
        (Engine(former="outdated"), [NEW], "built"),
        (Engine(new="outdated", former="present"), [NEW], "built"),
    ],
)
def test_an_image_with_its_former_name_gets_the_new_one_and_only_what_is_outdated_is_built(
    engine: Engine, built: list[str], image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build_images, "inputs_of", lambda _image: "present")
    monkeypatch.setattr(build_images, "present", engine.images.get)
    monkeypatch.setattr(build_images, "make", engine.make)
    monkeypatch.setattr(subprocess, "run", engine.run)
    build_images.build(["nginx"], rebuild=False)
    assert engine.built == built
    assert engine.images[NEW][0] == image
