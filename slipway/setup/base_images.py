"""The images that every build starts from: present ones, else pulled, else built from Debian packages.

The names come from `[tool.slipway.base-images]` in pyproject.toml. What is built here gets names of our own
(`slipway.invalid/python:3.13`), so it can never be mistaken for the official image.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Mapping

from slipway.setup import paths
from slipway.setup.choices import Choice, Choices
from slipway.setup.console import Console, SetupError
from slipway.setup.settings import Settings

PART = "Base images"
ANSWER_SECONDS = 15  # until a pull must have shown its first line; behind a firewall that drops packets it never does
ABSENT = ("not found", "manifest unknown", "does not exist", "access denied")
BUILD = paths.OFFLINE / "images" / "build_images.py"


class NoAnswerError(Exception):
    """The registry cannot be reached."""


def present(name: str, environment: Mapping[str, str]) -> bool:
    shown = subprocess.run(["docker", "image", "inspect", name], env=environment, capture_output=True, check=False)
    return shown.returncode == 0


def settle(
    choices: Choices, console: Console, environment: Mapping[str, str], settings: Settings, previous: Choices
) -> Choice:
    """Finds, pulls or builds each image. Raises SetupError when a registry answers that a name does not exist."""
    exported = {**environment, "DOCKER_HOST": choices.environment["DOCKER_HOST"]}
    missing = [image for image, name in settings.base_images.items() if not present(name, exported)]
    choices.base_images = dict(settings.base_images)
    if missing and previous.origin.get(PART) != "built":
        missing = pull(missing, settings, console, exported)
    if not missing:
        return choices.chose(PART, ", ".join(settings.base_images.values()), "present", origin="official")
    choices.base_images |= build(missing, console, exported)
    return choices.chose(
        PART,
        ", ".join(choices.base_images.values()),
        f"{', '.join(missing)} built from Debian packages: no registry has given the official ones",
        origin="built",
    )


def pull(missing: list[str], settings: Settings, console: Console, environment: Mapping[str, str]) -> list[str]:
    """Pulls what it can and returns what is still missing; a registry that does not answer is asked only once."""
    silent: set[str] = set()
    left = []
    for image in missing:
        name = settings.base_images[image]
        registry = name.split("/")[0] if "/" in name else ""
        if registry in silent:
            left.append(image)
            continue
        console.line(f"{'':<14} docker pull {name}")
        try:
            pull_one(name, console, environment)
        except NoAnswerError as error:
            console.line(f"{'':<14} {error}")
            silent.add(registry)
            left.append(image)
    return left


def pull_one(name: str, console: Console, environment: Mapping[str, str]) -> None:
    """Raises NoAnswerError when the registry is out of reach, SetupError when it says that there is no such image."""
    with subprocess.Popen(
        ["docker", "pull", name],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        watchdog = threading.Timer(ANSWER_SECONDS, process.kill)
        watchdog.start()
        last = ""
        for line in process.stdout or ():
            if "ulling from" in line:
                watchdog.cancel()
            last = line.strip() or last
            console.status(f"{'':<14} {last}")
        watchdog.cancel()
    if process.returncode == 0:
        return
    if any(word in last for word in ABSENT):
        raise SetupError(
            f"the registry has no image {name} for you: {last}",
            "correct its name in pyproject.toml, [tool.slipway.base-images],",
            f"or log in:  docker login;  docker pull {name}",
        )
    raise NoAnswerError(last or f"no answer within {ANSWER_SECONDS} s")


def build(images: list[str], console: Console, environment: Mapping[str, str]) -> dict[str, str]:
    """Builds images from Debian packages, about half a minute each; those already built from the same sources stay.

    Returns {image: name}.
    """
    listed = subprocess.run(
        [sys.executable, BUILD, "--status", *images], env=environment, capture_output=True, text=True, check=True
    )
    lines = [line.split() for line in listed.stdout.splitlines()]
    own = {image: name for image, name, _ in lines}
    if outdated := [image for image, _, status in lines if status != "current"]:
        console.run(
            f"build {', '.join(own[image] for image in outdated)} from Debian packages",
            [sys.executable, BUILD, *outdated],
            environment=environment,
            log=paths.TOOLS / "setup.log",
        )
    return own


def check(choices: Choices) -> str | None:
    """What is missing, or None."""
    missing = [name for name in choices.base_images.values() if not present(name, choices.exported())]
    return f"no image {', '.join(missing)}" if missing else None if choices.base_images else "none was chosen"
