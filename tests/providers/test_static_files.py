"""Static files of one release after another in one volume, on a real engine."""

from __future__ import annotations

import io
import secrets
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import Any

import pytest
from docker.models.containers import Container

from slipway.core.container_paths import SOURCE
from slipway.engine.containers import helper_labels
from slipway.engine.errors import Failure
from slipway.nginx import statics
from slipway.nginx.main import LIVE, STATIC
from slipway.nginx.statics import FORMER
from slipway.providers import static_files
from slipway.providers.static_files import StaticFilesProvider
from tests.providers.place import Place
from tests.support import engine
from tests.support.base_images import base_image

DAY = 24 * 3600
Build = Callable[..., str]
SOURCES = {"static": f"{SOURCE}/static"}


def release_of(image: str) -> str:
    """The folder that its files have to themselves."""
    return statics.release_folder(image, SOURCES)


@pytest.fixture
def build(place: Place) -> Iterator[Build]:
    """Makes an image whose folder `static` has these files, each with the release's name in it; a script may change it
    then, from the folder of the service."""
    made: list[str] = []

    def build(release: str, *files: str, script: str = ":") -> str:
        paths = [PurePosixPath(SOURCE, "static", file) for file in files]
        lines = "".join(f"mkdir -p '{path.parent}' && echo {release} > '{path}' && " for path in paths)
        tag = f"providers-{secrets.token_hex(4)}/{release}:1"
        dockerfile = f"FROM {place.image}\nRUN mkdir -p {SOURCE}/static && {lines} cd {SOURCE} && {script}\n"
        engine.client().images.build(fileobj=io.BytesIO(dockerfile.encode()), tag=tag, rm=True, forcerm=True)
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
            "tools": base_image("nginx"),
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
        script = f"cd /volume/shop/{folder}/static 2> /dev/null || exit 0; find . -type f -exec grep -H . {{}} +"
        lines = self.place.run("sh", "-c", script, volume=self.volume).splitlines()
        return {path.removeprefix("./"): release for path, release in (line.split(":") for line in lines)}

    def folders(self) -> set[str]:
        return set(self.place.run("ls", "/volume/shop", volume=self.volume).split())

    def look(self, form: str, *paths: str) -> list[str]:
        """What `stat` says of these paths below the service's folder."""
        return self.place.run("sh", "-c", f'cd /volume/shop && stat -c "{form}" "$@"', "sh", *paths,
                              volume=self.volume).splitlines()  # fmt: skip

    def run_again(self) -> bool:
        """What a run does that changes nothing; whether it had anything to do."""
        provider = StaticFilesProvider()
        due = bool(provider.diff("", self.props, self.props).changes)
        if due:
            provider.update("", self.props, self.props)
        return due

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
    """However long the release that it belongs to was in force before; and only files with a hash in their names."""
    shelf.release(build("first", "app.1a2b3c4d.css", "logo.svg", "agenda-20260115.txt"))
    shelf.days_go_by(30)
    shelf.release(build("second", "app.2b3c4d5e.css", "logo.svg"))
    shelf.days_go_by(6)
    shelf.release(build("third", "app.3c4d5e6f.css", "logo.svg"))
    everything = {"app.1a2b3c4d.css": "first", "app.2b3c4d5e.css": "second", "app.3c4d5e6f.css": "third"}
    assert shelf.files() == everything

    shelf.days_go_by(2)
    shelf.release(build("fourth", "logo.svg"))
    del everything["app.1a2b3c4d.css"]
    assert shelf.files() == everything


def test_a_file_that_comes_back_counts_from_its_last_release(shelf: Shelf, build: Build) -> None:
    first = build("first", "deep/er/app 1.4d5e6f7a.css")
    shelf.release(first)
    shelf.release(build("second", "app.2b3c4d5e.css"))
    shelf.days_go_by(6)
    shelf.release(first)
    shelf.days_go_by(8)
    shelf.release(build("third", "app.3c4d5e6f.css"))
    assert shelf.files().keys() == {"deep/er/app 1.4d5e6f7a.css", "app.3c4d5e6f.css"}


def test_what_is_outdated_goes_at_the_next_run_also_if_that_changes_nothing(shelf: Shelf, build: Build) -> None:
    first, second = build("first", "app.1a2b3c4d.css"), build("second", "app.2b3c4d5e.css")
    shelf.release(first, retention=3600.0)
    shelf.release(second, retention=3600.0)
    shelf.days_go_by(1)
    assert not shelf.run_again(), "nobody knows what is in force: there is no nginx"
    shelf.nginx(release_of(second))
    assert shelf.run_again()
    assert shelf.files().keys() == {"app.2b3c4d5e.css"}
    assert shelf.folders() == {FORMER, release_of(second)}
    shelf.days_go_by(1)
    assert not shelf.run_again(), "the release in force stays"


def test_a_volume_of_the_versions_before_is_taken_over(shelf: Shelf, build: Build) -> None:
    """From one without folders of releases, nothing may go while its routes show all; of one with them, what has a hash
    stays for the retention, and nothing else."""
    script = "mkdir -p /volume/shop/files/static && cd /volume/shop/files/static && "
    left = "for file in app.1a2b3c4d.css logo.svg; do echo first > $file; done"
    shelf.place.run("sh", "-c", script + left, volume=shelf.volume)
    shelf.days_go_by(30)
    nginx = shelf.nginx()
    second = build("second", "app.2b3c4d5e.css", "logo.svg")
    shelf.release(second)
    assert shelf.files() == {"app.1a2b3c4d.css": "first", "logo.svg": "first", "app.2b3c4d5e.css": "second"}

    nginx.remove(force=True)
    shelf.nginx(release_of(second))
    shelf.place.run("touch", "/volume/shop/files/static/app.1a2b3c4d.css", volume=shelf.volume)
    shelf.release(build("third", "logo.svg"))
    assert shelf.files() == {"app.1a2b3c4d.css": "first", "app.2b3c4d5e.css": "second"}


def test_what_a_release_brings_is_in_a_folder_of_its_own_and_that_of_another_stays_as_it_is(
    shelf: Shelf, build: Build
) -> None:
    """A file that keeps its name is the old one for as long as the old release serves."""
    first, second = build("first", "app.1a2b3c4d.css", "logo.svg"), build("second", "app.2b3c4d5e.css", "logo.svg")
    shelf.release(first)
    shelf.release(second)
    assert shelf.files(release_of(first)) == {"app.1a2b3c4d.css": "first", "logo.svg": "first"}
    assert shelf.files(release_of(second)) == {"app.2b3c4d5e.css": "second", "logo.svg": "second"}


def test_a_folder_may_become_a_file_and_the_reverse(shelf: Shelf, build: Build) -> None:
    first = build("first", "help/index.txt", "a-3f2a9c1b.js/b-3f2a9c1b.js", "c-3f2a9c1b.js")
    second = build("second", "help", "a-3f2a9c1b.js", "c-3f2a9c1b.js/d-3f2a9c1b.js")
    for image, release in ((first, "first"), (second, "second"), (first, "first")):
        shelf.release(image)
        assert set(shelf.files(release_of(image)).values()) == {release}
        expected = {path for path in shelf.files(release_of(image)) if "help" not in path}
        assert shelf.files().keys() == expected


def test_a_content_is_stored_once_and_keeps_its_time_and_need_not_be_in_memory(shelf: Shelf, build: Build) -> None:
    mebibytes = 48
    large = f"head -c {mebibytes}M /dev/urandom > static/large.bin && cp static/large.bin static/again.bin"
    first = build("first", "logo.svg", script=large)
    engine.client().images.get(first).tag("providers-static/large", "1")
    try:
        tracemalloc.start()
        shelf.release(first)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < mebibytes / 2 * 2**20
    shelf.days_go_by(1)
    [before] = shelf.look("%i %Y", f"{release_of(first)}/static/large.bin")
    image = io.BytesIO(b"FROM providers-static/large:1\nRUN echo second > " + f"{SOURCE}/static/logo.svg\n".encode())
    second, _ = engine.client().images.build(fileobj=image, tag="providers-static/second:1", rm=True, forcerm=True)
    try:
        shelf.release(str(second.id))
        paths = [f"{release_of(str(second.id))}/static/{name}.bin" for name in ("large", "again")]
        assert shelf.look("%i %Y", *paths) == [before, before]
        used = int(shelf.place.run("du", "-sm", "/volume", volume=shelf.volume).split()[0])
        assert used < mebibytes * 1.5
        assert shelf.files(release_of(str(second.id)))["logo.svg"] == "second"
    finally:
        engine.remove_image("providers-static/second:1")
        engine.remove_image("providers-static/large:1")


LINKS = """
mkdir -p assets/dist/deep empty && echo in > assets/dist/deep/in.txt && echo name > "$(printf 'static/a\\nb')" &&
ln -s ../assets/dist static/dist && ln -s dist/deep/in.txt static/twice.txt && ln -s /home/app/web/assets static/whole
&& ln static/own.txt static/hard.txt && ln -s /etc/passwd static/passwd && ln -s ../../../../etc static/etc &&
ln -s . static/self && ln -s .. static/up && ln -s one static/two && ln -s two static/one && ln -s gone static/none &&
ln -s assets/dist entry && ln -s /etc outside && ln -s outside/ssl around && ln -s /run/slipway/KEY static/secret
"""


def test_links_are_followed_inside_the_service_and_lead_nowhere_else(
    shelf: Shelf, build: Build, capsys: pytest.CaptureFixture[str]
) -> None:
    image = build("links", "own.txt", script=LINKS.strip().replace("\n", " "))
    sources = {"static": f"{SOURCE}/static", "entry": f"{SOURCE}/entry", "empty": f"{SOURCE}/empty"}
    single = {"in.txt": f"{SOURCE}/static/twice.txt", "static/whole/dist": f"{SOURCE}/entry/deep"}
    shelf.release(image, sources={**sources, **single})
    found = shelf.place.run("sh", "-c", f"cd /volume/shop/{release_of(image)} && find . -type f -o -type l",
                            volume=shelf.volume)  # fmt: skip
    assert sorted(found.split()) == [
        "./entry/deep/in.txt", "./in.txt", "./static/dist/deep/in.txt", "./static/hard.txt", "./static/own.txt",
        "./static/twice.txt", "./static/whole/dist/in.txt",
    ]  # fmt: skip
    assert shelf.files(release_of(image))["hard.txt"] == "links"
    told = capsys.readouterr().err
    assert "nginx leaves 4 more to the service" in told
    assert "its name cannot be written in a path" in told
    for outside, real in (("outside", "/etc"), ("around", "/etc/ssl")):
        with pytest.raises(Failure, match=f"{outside} leads to {real}, outside"):
            shelf.release(image, sources={"static": f"{SOURCE}/{outside}"}, release="none")
    assert shelf.place.leftovers() == []


def test_nothing_but_empty_folders_settles(shelf: Shelf, build: Build) -> None:
    image = build("empty")
    shelf.release(image)
    shelf.nginx(release_of(image))
    assert StaticFilesProvider().there(shelf.props)
    assert not shelf.run_again()


def test_what_an_interrupted_copy_left_does_no_harm(shelf: Shelf, build: Build) -> None:
    """Neither what it had staged, nor a content that is cut off."""
    image = build("first", "logo.svg")
    shelf.release(image)
    script = "cd /volume/shop && for file in .content/*; do : > $file; done && mkdir -p .staged/content .staged/release"
    shelf.place.run(
        "sh", "-c", f"{script} && echo > .staged/release/x && echo > .staged/content/x", volume=shelf.volume
    )
    shelf.release(image, release="again")
    assert shelf.files("again") == {"logo.svg": "first"}
    assert shelf.look("%n", "again", ".content") == ["again", ".content"]
    assert shelf.place.run("find", "/volume", "-name", "x", volume=shelf.volume) == ""


def test_the_release_in_force_keeps_its_files_however_many_did_not_get_in_since(shelf: Shelf, build: Build) -> None:
    """Also while another service's files are copied: that helper is not taken for nginx, nor would it answer for
    long."""
    serving, broken, next_one = (build(name, f"{name}-1a2b3c4d.css") for name in ("serving", "broken", "next"))
    shelf.release(serving)
    shelf.nginx(release_of(serving))
    shelf.copy_of_another_service()
    shelf.release(broken)
    shelf.days_go_by(30)
    shelf.release(next_one)
    assert shelf.folders() == {FORMER, release_of(serving), release_of(next_one)}
    assert shelf.files().keys() == {"serving-1a2b3c4d.css", "next-1a2b3c4d.css"}
    shelf.days_go_by(6)
    shelf.release(broken)
    assert shelf.files().keys() == {"serving-1a2b3c4d.css", "next-1a2b3c4d.css", "broken-1a2b3c4d.css"}


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
    assert not shelf.run_again()
    following = build("next", "next.css")
    shelf.release(following)
    assert shelf.files(release_of(following)) == {"next.css": "next"}


def test_a_service_that_has_no_static_files_any_more_leaves_none(shelf: Shelf, build: Build) -> None:
    image = build("first", "logo.svg")
    shelf.release(image)
    shelf.nginx(release_of(image))
    StaticFilesProvider().delete("", shelf.props)
    assert shelf.place.run("ls", "/volume", volume=shelf.volume) == ""
    assert shelf.place.leftovers() == [f"{shelf.place.name}-nginx"]


def test_a_refresh_sees_that_the_folder_of_the_release_is_gone(shelf: Shelf, build: Build) -> None:
    image = build("first", "app.1a2b3c4d.css")
    shelf.release(image)
    assert StaticFilesProvider().there(shelf.props), "without nginx nobody asks for it"
    shelf.nginx(release_of(image))
    assert StaticFilesProvider().there(shelf.props)
    shelf.place.run("rm", "-r", f"/volume/shop/{release_of(image)}", volume=shelf.volume)
    assert not StaticFilesProvider().there(shelf.props)


def test_a_folder_that_the_image_lacks_is_named(shelf: Shelf, build: Build) -> None:
    with pytest.raises(Failure, match="has no /home/app/web/assets for its static files"):
        shelf.release(build("first"), sources={"static": f"{SOURCE}/assets"})
    assert shelf.place.leftovers() == []
