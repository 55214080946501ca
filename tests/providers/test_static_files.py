"""Static files of one release after another in one volume, on a real engine."""

from __future__ import annotations

import io
import secrets
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import Any

import pytest
from docker.models.containers import Container

from slipway.core import statics
from slipway.core.nginx_main import LIVE, STATIC
from slipway.core.statics import FORMER
from slipway.providers import static_files
from slipway.providers.engine import Failure, helper_labels
from slipway.providers.static_files import StaticFilesProvider
from tests.providers.place import Place
from tests.support import engine

DAY = 24 * 3600
Build = Callable[..., str]
SOURCES = {"static": "/app/static"}


def release_of(image: str) -> str:
    """The folder that its files have to themselves."""
    return statics.release_folder(image, SOURCES)


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
            "folder": "shop",
            "release": release_of(image),
            "image": image,
            "sources": SOURCES,
            "retention": 7.0 * DAY,
            "labels": self.place.labels,
        } | changes
        StaticFilesProvider().update("", olds, self.props)

    def days_go_by(self, days: int) -> None:
        """Every file and folder becomes that much older."""
        script = """find /volume -depth -printf '%i %p\\n' | sort -u -k1,1 | while read -r _ file; do
            touch -d "@$(($(stat -c %Y "$file") - $1))" "$file"
        done"""
        self.place.run("sh", "-c", script, "sh", str(days * DAY), volume=self.volume)

    def files(self, folder: str = FORMER) -> dict[str, str]:
        """{path: the release that it is of}, of those of all releases or of one."""
        script = f"cd /volume/shop/{folder}/static && find . -type f -exec grep -H . {{}} +"
        lines = self.place.run("sh", "-c", script, volume=self.volume).splitlines()
        return {path.removeprefix("./"): release for path, release in (line.split(":") for line in lines)}

    def folders(self) -> set[str]:
        return set(self.place.run("ls", "/volume/shop", volume=self.volume).split())

    def nginx(self, *releases: str) -> Container:
        """Something with the volume that runs, and has nginx's files with these folders in force."""
        looked_for = " ".join(f"/{release}$uri" for release in (*releases, FORMER))
        text = f"root {STATIC}/shop;\n        try_files {looked_for} @shop;"
        command = f"mkdir -p {LIVE} && echo '{text}' > {LIVE}/routes.conf && sleep 600"
        return engine.client().containers.run(
            self.place.image,
            ["sh", "-c", command],
            name=f"{self.place.name}-nginx",
            volumes=[f"{self.volume}:{STATIC}:ro"],
            stop_signal="SIGKILL",
            detach=True,
        )

    def copy_of_another_service(self) -> None:
        """A helper that copies for as long as the test takes."""
        engine.client().containers.run(
            self.place.image,
            ["sleep", "600"],
            name=f"{self.place.name}-copy",
            labels=helper_labels(self.place.labels, "files"),
            volumes=[f"{self.volume}:/slipway/volume"],
            stop_signal="SIGKILL",
            detach=True,
        )


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


def test_a_stack_from_before_releases_had_folders_keeps_all_its_files(shelf: Shelf, build: Build) -> None:
    script = "mkdir -p /volume/shop/files/static && echo first > /volume/shop/files/static/app.1111.css"
    shelf.place.run("sh", "-c", script, volume=shelf.volume)
    shelf.days_go_by(30)
    shelf.release(build("second", "app.2222.css"))
    assert shelf.files() == {"app.1111.css": "first", "app.2222.css": "second"}


def test_what_a_release_brings_is_in_a_folder_of_its_own_and_that_of_another_stays_as_it_is(
    shelf: Shelf, build: Build
) -> None:
    """A file that keeps its name is the old one for as long as the old release serves."""
    first, second = build("first", "app.1111.css", "logo.svg"), build("second", "app.2222.css", "logo.svg")
    shelf.release(first)
    shelf.release(second)
    assert shelf.files(release_of(first)) == {"app.1111.css": "first", "logo.svg": "first"}
    assert shelf.files(release_of(second)) == {"app.2222.css": "second", "logo.svg": "second"}
    assert shelf.files()["logo.svg"] == "second"


def test_the_release_in_force_keeps_its_files_however_many_did_not_get_in_since(shelf: Shelf, build: Build) -> None:
    serving, broken, next_one = (build(name, f"{name}.css") for name in ("serving", "broken", "next"))
    shelf.release(serving)
    shelf.nginx(release_of(serving))
    shelf.release(broken)
    shelf.days_go_by(30)
    shelf.release(next_one)
    assert shelf.folders() == {FORMER, release_of(serving), release_of(next_one)}
    assert shelf.files().keys() == {"serving.css", "next.css"}
    shelf.days_go_by(6)
    shelf.release(broken)
    assert shelf.files().keys() == {"serving.css", "next.css", "broken.css"}


def test_a_copy_for_another_service_at_the_same_moment_is_not_taken_for_nginx(shelf: Shelf, build: Build) -> None:
    """Nor would it answer for long: it ends at once."""
    serving, broken, next_one = (build(name, f"{name}.css") for name in ("serving", "broken", "next"))
    shelf.release(serving)
    shelf.nginx(release_of(serving))
    shelf.copy_of_another_service()
    shelf.release(broken)
    shelf.days_go_by(30)
    shelf.release(next_one)
    assert shelf.folders() == {FORMER, release_of(serving), release_of(next_one)}


def test_an_nginx_that_ends_at_the_moment_it_is_asked_stops_neither_a_copy_nor_a_refresh(
    shelf: Shelf, build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    serving = build("serving", "serving.css")
    shelf.release(serving)
    nginx = shelf.nginx(release_of(serving))
    nginx.reload()
    nginx.kill()
    nginx.wait()
    monkeypatch.setattr(static_files, "holders", lambda *_: [nginx])
    assert nginx.status == "running", "what was last known of it"
    assert StaticFilesProvider().there(shelf.props)
    shelf.release(build("next", "next.css"))
    assert shelf.files().keys() == {"serving.css", "next.css"}


def test_a_refresh_sees_that_the_folder_of_the_release_is_gone(shelf: Shelf, build: Build) -> None:
    image = build("first", "app.1111.css")
    shelf.release(image)
    assert StaticFilesProvider().there(shelf.props), "without nginx nobody asks for it"
    shelf.nginx(release_of(image))
    assert StaticFilesProvider().there(shelf.props)
    shelf.place.run("rm", "-r", f"/volume/shop/{release_of(image)}", volume=shelf.volume)
    assert not StaticFilesProvider().there(shelf.props)


def test_a_folder_that_the_image_lacks_is_named(shelf: Shelf, build: Build) -> None:
    with pytest.raises(Failure, match="no folder for its static files"):
        shelf.release(build("first"), sources={"static": "/app/assets"})
    assert shelf.place.leftovers() == []
