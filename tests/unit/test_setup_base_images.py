from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from slipway.setup import base_images
from slipway.setup.choices import Choices
from slipway.setup.console import Console, SetupError
from slipway.setup.settings import IMAGES, Settings

Commands = Callable[[str, str], dict[str, str]]
SETTINGS = Settings("3.259.0", {}, {image: f"{image}:1" for image in IMAGES})


@pytest.fixture
def choices() -> Choices:
    return Choices(environment={"DOCKER_HOST": "unix:///nowhere"})


@pytest.fixture(autouse=True)
def built(monkeypatch: pytest.MonkeyPatch, tools: Path) -> list[list[str]]:
    asked: list[list[str]] = []

    def build(images: list[str], *_: object) -> dict[str, str]:
        asked.append(images)
        return {image: f"slipway/{image}" for image in images}

    monkeypatch.setattr(base_images, "build", build)
    return asked


def test_present_images_are_taken_and_no_registry_is_asked(
    commands: Commands,
    console: Console,
    choices: Choices,
) -> None:
    environment = commands("docker", '[ "$1" = image ]')
    assert base_images.settle(choices, console, environment, SETTINGS, Choices()).why == "present"
    assert choices.base_images == SETTINGS.base_images


def test_a_registry_that_answers_gives_what_is_missing(
    commands: Commands,
    console: Console,
    choices: Choices,
    built: list[list[str]],
) -> None:
    environment = commands("docker", '[ "$1" = pull ] && echo "1: Pulling from library/x"')
    base_images.settle(choices, console, environment, SETTINGS, Choices())
    assert choices.base_images == SETTINGS.base_images
    assert built == []


def test_a_registry_out_of_reach_is_asked_once_and_the_images_are_built(
    commands: Commands,
    console: Console,
    choices: Choices,
    built: list[list[str]],
    tmp_path: Path,
) -> None:
    environment = commands("docker", f'[ "$1" = pull ] && echo asked >> {tmp_path}/asked; echo no such host; exit 1')
    base_images.settle(choices, console, environment, SETTINGS, Choices())
    assert built == [list(IMAGES)]
    assert choices.base_images == {image: f"slipway/{image}" for image in IMAGES}
    assert (tmp_path / "asked").read_text() == "asked\n"


def test_a_registry_that_never_answers_does_not_hold_set_up_for_long(
    commands: Commands,
    console: Console,
    choices: Choices,
    built: list[list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(base_images, "ANSWER_SECONDS", 0.3)
    environment = commands("docker", '[ "$1" = pull ] && exec sleep 60; exit 1')
    base_images.settle(choices, console, environment, SETTINGS, Choices())
    assert built == [list(IMAGES)]


def test_a_name_that_the_registry_does_not_have_is_an_error_that_says_where_to_correct_it(
    commands: Commands,
    console: Console,
    choices: Choices,
) -> None:
    environment = commands("docker", '[ "$1" = pull ] && echo "manifest for $2 not found: manifest unknown"; exit 1')
    with pytest.raises(SetupError, match="no image python:1") as caught:
        base_images.settle(choices, console, environment, SETTINGS, Choices())
    assert "pyproject.toml" in caught.value.remedy[0]


def test_once_built_the_registry_is_not_asked_again(
    commands: Commands,
    console: Console,
    choices: Choices,
    built: list[list[str]],
    tmp_path: Path,
) -> None:
    environment = commands("docker", f'[ "$1" = pull ] && touch {tmp_path}/asked; exit 1')
    base_images.settle(choices, console, environment, SETTINGS, Choices(origin={base_images.PART: "built"}))
    assert built == [list(IMAGES)]
    assert not (tmp_path / "asked").exists()
