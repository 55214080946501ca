"""The book of releases and the images on a real engine: what a switch writes, names and takes away."""

from __future__ import annotations

import io
import json
import secrets
import tarfile
from collections.abc import Iterator
from typing import Any

import pytest
from docker.errors import ImageNotFound
from requests.exceptions import ReadTimeout

from slipway.engine.errors import Failure
from slipway.providers.images import ImageTagProvider
from slipway.providers.release import ReleaseProvider
from tests.providers.place import Place
from tests.support import engine

SERVICES = {"web": {"route": "/", "memory": 300.0}}


class Stack:
    """A stack of one service, `web`, without containers: a release of it has only its book to keep."""

    def __init__(self, place: Place) -> None:
        self.place, self.repository = place, f"{place.name}-test-web"
        self.made: list[str] = []
        self.state: dict[str, Any] = {}

    def image(self, *tags: str) -> str:
        """The id of a new image, with these tags (without a name before it: of this stack's service)."""
        file = io.BytesIO()
        with tarfile.open(fileobj=file, mode="w") as archive:
            archive.addfile(tarfile.TarInfo(f"{self.place.name}-{len(self.made)}"))
        imported = engine.client().api.import_image_from_data(file.getvalue())
        image = str(json.loads(imported)["status"])
        self.made.append(image)
        for tag in tags:
            repository, _, version = tag.rpartition(":")
            engine.client().api.tag(image, repository or self.repository, version)
        return image

    def built_from(self, size: int) -> str:
        """An image with a file of this many bytes, built by BuildKit. The engine's cache has it."""
        file = io.BytesIO()
        with tarfile.open(fileobj=file, mode="w:gz") as archive:
            for name, content in {
                "Dockerfile": b"FROM scratch\nCOPY file /\n",
                "file": secrets.token_bytes(size),
            }.items():
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
        api: Any = engine.client().api
        options = {"version": "2", "buildid": secrets.token_hex(8), "t": f"{self.repository}:latest"}
        where = f"{api.base_url}/v{api.api_version}/build"
        api.post(where, params=options, data=file.getvalue(), headers={"Content-Type": "application/x-tar"})
        image = str(engine.client().images.get(f"{self.repository}:latest").id)
        self.made.append(image)
        return image

    def built(self) -> str:
        """A new image as a build leaves it."""
        image = self.image(":latest")
        ImageTagProvider().create({"engine": self.place.engine, "image": image, "repository": self.repository})
        return image

    def wanted(self, image: str, **changes: Any) -> dict[str, Any]:
        record = {
            "project": self.place.name,
            "stack": "test",
            "revision": "abc",
            "images": {"web": image},
            "services": SERVICES,
            "databases": [],
        }
        return {
            "engine": self.place.engine,
            "containers": [],
            "edge": "",
            "upstreams": {},
            "routes": {"routes.conf": f"to {image}"},
            "timeout": 10.0,
            "drain": 5.0,
            "release": "",
            "record": record,
            "keep": 5.0,
        } | changes

    def release(self, image: str, **changes: Any) -> dict[str, Any]:
        """One more run that succeeds; returns what it recorded."""
        props = self.wanted(image, **changes)
        provider = ReleaseProvider()
        if self.state and not provider.diff("", self.state, props).changes:
            return self.state
        done = provider.update("", self.state, props) if self.state else provider.create(props)
        self.state = json.loads(json.dumps(done.outs))
        return self.state

    def releases(self, number: int, **changes: Any) -> list[str]:
        """So many releases one after the other, each of a new image; returns these."""
        images = []
        for _ in range(number):
            images.append(self.built())
            self.release(images[-1], **changes)
        return images

    def tags(self) -> dict[str, str]:
        """{tag: image id} of the service's repository."""
        found = engine.client().api.images()
        names = {name: image["Id"] for image in found for name in image["RepoTags"] or ()}
        return {
            name.rpartition(":")[2]: image for name, image in names.items() if name.startswith(f"{self.repository}:")
        }

    def has(self, image: str) -> bool:
        try:
            engine.client().images.get(image)
        except ImageNotFound:
            return False
        return True


@pytest.fixture
def stack(place: Place) -> Iterator[Stack]:
    made = Stack(place)
    yield made
    engine.remove_all(place.name)
    for image in made.made:
        engine.remove_image(image)


def numbers(state: dict[str, Any]) -> list[str]:
    return [record["release"] for record in state["records"]]


def test_a_switch_is_recorded_and_names_the_images(stack: Stack) -> None:
    image = stack.built()
    [record] = stack.release(image)["records"]
    assert record.pop("time").startswith("20")
    assert record == {
        "release": "1",
        "revision": "abc",
        "images": {"web": image},
        "services": SERVICES,
        "schema": {},
    }
    assert stack.state["serving"] == "1"
    assert stack.tags() == {"latest": image, "1": image}, "the name that the build gave is not needed any more"


def test_a_run_that_switches_nothing_records_nothing(stack: Stack) -> None:
    image = stack.built()
    before = dict(stack.release(image))
    again = stack.wanted(image, record={**stack.wanted(image)["record"], "revision": "def"})
    assert not ReleaseProvider().diff("", stack.state, again).changes, "a commit alone"
    assert numbers(stack.release(image, timeout=20.0)) == ["1"]
    assert {key: value for key, value in stack.state.items() if before[key] != value} == {"timeout": 20.0}
    read = ReleaseProvider().read("release", stack.state)
    assert (read.id, read.outs) == ("release", stack.state), "a refresh keeps the book"


def test_a_run_that_fails_records_nothing_and_removes_nothing(stack: Stack) -> None:
    state = stack.release(stack.built())
    missing = {"service": "web", "name": f"{stack.place.name}-none", "upstream": "", "ready": ""}
    tags = {**stack.tags(), "build": stack.built()}
    with pytest.raises(Failure, match="there is no container"):
        stack.release(tags["build"], containers=[missing], keep=1.0)
    assert stack.state == state
    assert set(stack.tags().values()) == set(tags.values())
    assert "2" not in stack.tags()


def test_older_releases_are_forgotten_with_their_images_and_nothing_else_is(stack: Stack) -> None:
    others = [
        stack.image(f"{stack.place.name}-other-web:1", f"{stack.place.name}-test-web-2:1"),
        stack.image(":mine"),
        stack.image(),
    ]
    images = stack.releases(3, keep=2.0)
    assert numbers(stack.state) == ["3", "2"]
    assert stack.tags() == {"latest": images[2], "3": images[2], "2": images[1], "mine": others[1]}
    assert [stack.has(image) for image in (*images, *others)] == [False, True, True, True, True, True]


def test_an_image_of_a_build_that_was_never_released_goes_with_the_next_release(stack: Stack) -> None:
    stack.release(stack.built())
    failed, good = stack.built(), stack.built()
    assert stack.has(failed)
    stack.release(good)
    assert not stack.has(failed)
    assert set(stack.tags()) == {"latest", "1", "2"}


def test_an_image_that_a_container_still_uses_goes_with_a_later_release(stack: Stack) -> None:
    [old] = stack.releases(1)
    used = engine.client().containers.create(old, ["none"], name=f"{stack.place.name}-old")
    [next_one] = stack.releases(1, keep=1.0)
    assert stack.has(old)
    used.remove()
    [newest] = stack.releases(1, keep=1.0)
    assert [stack.has(image) for image in (old, next_one, newest)] == [False, False, True]


def test_tidying_up_that_the_engine_does_not_answer_is_no_failure_of_a_release_that_serves(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def too_slow(*_: object) -> None:
        raise ReadTimeout("the engine is busy")

    monkeypatch.setattr("slipway.providers.images.StackImages.prune", too_slow)
    stack.releases(1)
    assert numbers(stack.state) == ["1"]
    assert "images of older releases were not removed: the engine is busy" in capfd.readouterr().err


def test_only_images_that_are_gone_are_said_to_be_removed(stack: Stack, capfd: pytest.CaptureFixture[str]) -> None:
    stack.releases(1, keep=1.0)
    assert "removed" not in capfd.readouterr().err, "the release's number took the place of the build's name"
    stack.releases(1, keep=1.0)
    said = capfd.readouterr().err
    assert f"removed images that no kept release needs: {stack.repository}:1\n" in said


def cached(size: int) -> bool:
    """Whether the build cache has an entry of this size."""
    return any(entry["Size"] == size for entry in engine.client().df()["BuildCache"])


def test_the_build_cache_of_an_older_release_goes_with_its_image(stack: Stack) -> None:
    sizes = [100_000 + secrets.randbelow(10**6) for _ in range(3)]
    images = [stack.built_from(size) for size in sizes]
    engine.client().api.tag(images[2], f"{stack.place.name}-other", "latest")
    stack.release(images[0], keep=1.0)
    assert [cached(size) for size in sizes] == [True, True, True]
    stack.release(images[1], keep=1.0)
    assert not stack.has(images[0])
    assert [cached(size) for size in sizes] == [False, True, True]


def test_fewer_releases_to_keep_are_removed_at_once(stack: Stack) -> None:
    images = stack.releases(3)
    assert numbers(stack.release(images[2], keep=1.0)) == ["3"]
    assert set(stack.tags()) == {"latest", "3"}


def test_no_number_is_given_twice_though_the_state_was_lost(stack: Stack) -> None:
    old = stack.image(":7")
    assert numbers(stack.release(stack.built())) == ["8"]
    assert not stack.has(old), "nothing is known of what it was"


def test_a_rollback_serves_an_old_release_under_its_own_number(stack: Stack) -> None:
    images = stack.releases(2)
    book = stack.state["records"]
    engine.client().api.tag(images[0], stack.repository, "kept")
    engine.client().images.remove(f"{stack.repository}:1", noprune=True)
    stack.release(images[0], release="1", keep=1.0)
    assert stack.state["serving"] == "1"
    assert stack.state["records"] == book, "the one that serves is kept, whatever its age"
    assert stack.tags()["1"] == images[0]
    stack.releases(1)
    assert (stack.state["serving"], numbers(stack.state)) == ("3", ["3", "2", "1"])


def test_the_release_that_serves_can_be_pinned_without_another_switch(stack: Stack) -> None:
    image = stack.built()
    stack.release(image)
    stack.release(image, release="1")
    assert (stack.state["serving"], numbers(stack.state)) == ("1", ["1"])
    stack.release(image)
    assert (stack.state["serving"], numbers(stack.state)) == ("1", ["1"])


def test_a_pinned_release_whose_records_were_lost_keeps_its_number(stack: Stack) -> None:
    stack.image(":9")
    assert numbers(stack.release(stack.image(":4"), release="4")) == ["4"]
    assert stack.state["serving"] == "4"


def test_a_state_of_a_version_without_a_book_gets_one(stack: Stack) -> None:
    image = stack.built()
    stack.state = {key: value for key, value in stack.wanted(image).items() if key not in {"release", "record", "keep"}}
    assert numbers(stack.release(image)) == ["1"]
