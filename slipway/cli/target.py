"""What every command has: the stack it is about, Pulumi, the engine; and how it ends."""

from __future__ import annotations

import functools
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import click
from docker.errors import DockerException
from requests import exceptions

from slipway.cli import screen
from slipway.cli.docker_objects import DockerObjects
from slipway.cli.errors import CliError, Code
from slipway.cli.project import DEFAULT_STACK, Project
from slipway.cli.pulumi import Pulumi, State
from slipway.engine.lock import LEASE, VARIABLE, EngineLock, LockedError


class Target:
    """A stack of a project. The project, Pulumi and the engine are looked for when they are first used."""

    def __init__(self, stack: str, folder: Path | None, *, json: bool) -> None:
        self.stack, self.folder, self.json = stack, folder, json

    @cached_property
    def project(self) -> Project:
        return Project.load(self.stack, self.folder)

    def again(self) -> Target:
        """The same stack, its configuration read anew."""
        return Target(self.project.stack, self.project.root, json=self.json)

    @cached_property
    def pulumi(self) -> Pulumi:
        return Pulumi(self.project)

    @cached_property
    def objects(self) -> DockerObjects:
        return DockerObjects(self.project)

    def state(self, *, secrets: bool = False) -> State:
        """Raises CliError when there is no such stack."""
        found = self.pulumi.state(secrets=secrets)
        if found is None:
            raise CliError(f"there is no stack {self.project}", self.project.typed("up"), code=Code.MISSING)
        return found

    @contextmanager
    def locked(self) -> Iterator[None]:
        """No other command changes the stack until the block ends. Raises CliError when one is at work."""
        lock = EngineLock(self.objects.client, self.project.name, self.project.stack)
        try:
            with lock.held() as token, ending_in_order():
                os.environ[VARIABLE] = token  # for the program, which refuses to run beside somebody else's command
                try:
                    yield
                finally:
                    del os.environ[VARIABLE]
        except LockedError as held:
            raise CliError(
                f"another command is changing {self.project}: {held}",
                "wait until it has ended",
                f"where it was killed on another machine, its lock is over {LEASE} s after its last sign of life",
                code=Code.LOCKED,
            ) from None


@contextmanager
def ending_in_order() -> Iterator[None]:
    """A command that is terminated leaves its blocks, and gives back what it holds."""
    numbers = (signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, lambda *_: sys.exit(int(Code.TERMINATED))) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def command(function: Callable[..., int | None]) -> Callable[..., None]:
    """Gives a command the options that all have, its Target as first argument, and its exit code."""

    @click.option(
        "--stack", "-s", envvar="STACK", default=DEFAULT_STACK, show_default=True, help="The stack; env STACK."
    )
    @click.option("--json", "json_wanted", is_flag=True, help="The result as JSON on standard output.")
    @click.option(
        "--project",
        "-C",
        "folder",
        type=click.Path(path_type=Path, exists=True, file_okay=False),
        help="The folder of Pulumi.yaml; default: the nearest one, from here upwards.",
    )
    @functools.wraps(function)
    def wrapped(stack: str, folder: Path | None, *, json_wanted: bool, **others: Any) -> None:
        target = partial(Target, stack or DEFAULT_STACK, folder, json=json_wanted)
        sys.exit(ended(lambda: function(target(), **others), json=json_wanted))

    return wrapped


def ended(run: Callable[[], int | None], *, json: bool) -> int:
    """Runs what a command does, says what went wrong, and returns the exit code."""
    try:
        return int(run() or Code.OK)
    except CliError as error:
        screen.failed(error, json_wanted=json)
        return error.code
    except DockerException as error:
        screen.failed(CliError(f"the Docker engine: {error}"), json_wanted=json)
        return Code.FAILED
    except exceptions.ConnectionError as error:
        screen.failed(CliError(f"the connection to the Docker engine broke: {error}"), json_wanted=json)
        return Code.FAILED
    except KeyboardInterrupt:
        return Code.INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()
        return Code.OK  # whoever read has seen enough


def changing(function: Callable[..., int | None]) -> Callable[..., None]:
    """Gives a command that changes the stack what every `command` has, and the lock of the stack from its beginning to
    its end: what it looks at stays so until it has acted."""

    @command
    @functools.wraps(function)
    def wrapped(target: Target, **others: Any) -> int | None:
        with target.locked():
            return function(target, **others)

    return wrapped
