"""Static files of one release after another in one volume, on a real engine."""

from __future__ import annotations

import io
import secrets
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import Any

import pytest

from slipway.providers.engine import Failure
from slipway.providers.static_files import StaticFilesProvider
from tests.providers.place import Place
from tests.support import engine

DAY = 24 * 3600
Build = Callable[..., str]


@pytest.fixture
def build(place: Place) -> Iterator[Build]:
    """Makes an image whose folder /app/static has these files, each with the release's name in it."""
    made: list[str] = []

    def build(release: str, *files: str) -> str:
        paths = [PurePosixPath("/app/static", file) for file in files]
        lines = "".join(f"RUN mkdir -p '{path.parent}' && echo {release} > '{path}'\n" for path in paths)
        tag = f"providers-{secrets.token_hex(4)}/{release}:1"
        dockerfile = io.BytesIO(f"FROM {place.image}\nRUN mkdir -p /app/static\n{lines}".encode())
        engine.client().images.build(fileobj=dockerfile, tag=tag, rm=True, forcerm=True)
        made.append(tag)
        return tag

    yield build
    for tag in made:
        engine.remove_image(tag)


class Shelf:
    """The volume, as releases fill it and days go by."""

    def __init__(self, place: Place) -> None:
        self.place, self.volume = place, f"{place.name}-static"
        engine.client().volumes.create(self.volume, labels=place.labels)
        self.props: dict[str, Any] = {}

    def release(self, image: str, **changes: Any) -> None:
        olds = self.props
        self.props = {
            "engine": self.place.engine,
            "volume": self.volume,
            "folder": "shop/files",
            "image": image,
            "sources": {"static": "/app/static"},
            "retention": 7.0 * DAY,
            "labels": self.place.labels,
        } | changes
        StaticFilesProvider().update("", olds, self.props)

    def days_go_by(self, days: int) -> None:
        """Every file becomes that much older."""
        script = """find /volume -type f | while read -r file; do
            touch -d "@$(($(stat -c %Y "$file") - $1))" "$file"
        done"""
        self.place.run("sh", "-c", script, "sh", str(days * DAY), volume=self.volume)

    def files(self) -> dict[str, str]:
        """{path: the release that it is of}."""
        script = "cd /volume/shop/files/static && find . -type f -exec grep -H . {} +"
        lines = self.place.run("sh", "-c", script, volume=self.volume).splitlines()
        return {path.removeprefix("./"): release for path, release in (line.split(":") for line in lines)}


@pytest.fixture
def shelf(place: Place) -> Shelf:
    return Shelf(place)


def test_a_page_that_is_still_open_finds_its_files_for_the_retention_time_after_the_switch(
    shelf: Shelf, build: Build
) -> None:
    """However long the release that it belongs to was in force before."""
    shelf.release(build("first", "app.1111.css", "logo.svg"))
    shelf.days_go_by(30)
    shelf.release(build("second", "app.2222.css", "logo.svg"))
    shelf.days_go_by(6)
    shelf.release(build("third", "app.3333.css", "logo.svg"))
    everything = {"app.1111.css": "first", "app.2222.css": "second", "app.3333.css": "third", "logo.svg": "third"}
    assert shelf.files() == everything

    shelf.days_go_by(2)
    shelf.release(build("fourth", "logo.svg"))
    del everything["app.1111.css"]
    assert shelf.files() == everything | {"logo.svg": "fourth"}


def test_a_file_that_comes_back_counts_from_its_last_release(shelf: Shelf, build: Build) -> None:
    first = build("first", "deep/er/app 1.css")
    shelf.release(first)
    shelf.release(build("second", "app.2222.css"))
    shelf.days_go_by(6)
    shelf.release(first)
    shelf.days_go_by(8)
    shelf.release(build("third", "app.3333.css"))
    assert shelf.files().keys() == {"deep/er/app 1.css", "app.3333.css"}


def test_the_retention_time_can_be_chosen(shelf: Shelf, build: Build) -> None:
    shelf.release(build("first", "app.1111.css"), retention=3600.0)
    shelf.release(build("second", "app.2222.css"), retention=3600.0)
    shelf.days_go_by(1)
    shelf.release(build("third", "app.3333.css"), retention=3600.0)
    assert shelf.files().keys() == {"app.2222.css", "app.3333.css"}


def test_a_stack_from_before_there_were_lists_keeps_all_its_files(shelf: Shelf, build: Build) -> None:
    shelf.release(build("first", "app.1111.css"))
    shelf.days_go_by(30)
    shelf.place.run("rm", "/volume/shop/files/.current", volume=shelf.volume)
    shelf.release(build("second", "app.2222.css"))
    assert shelf.files().keys() == {"app.1111.css", "app.2222.css"}


def test_a_folder_that_the_image_lacks_is_named(shelf: Shelf, build: Build) -> None:
    with pytest.raises(Failure, match="no folder for its static files"):
        shelf.release(build("first"), sources={"static": "/app/assets"})
    assert shelf.place.leftovers() == []
