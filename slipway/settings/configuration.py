"""Reads the stack's configuration. The one module here that knows Pulumi."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pulumi
import pulumi.runtime
from pulumi.runtime.config import CONFIG

from slipway.engine import connection
from slipway.engine.connection import DockerEngine, EngineError
from slipway.engine.lock import VARIABLE, EngineLock, LockedError
from slipway.settings import runtime
from slipway.settings.parse import parse
from slipway.settings.problems import SettingsError
from slipway.settings.project_files import value_of
from slipway.setup import paths
from slipway.setup.choices import base_images
from slipway.site.site import Site

REPORTED = 32
"""The exit status by which a program says that the operator has been told (pulumi, sdk/python, the language host)."""


def resolve_engine(setting: str | None) -> DockerEngine:
    """The engine of this run. Raises pulumi.RunError where there is none to use, or a command of Slipway's is changing
    the stack: a text, and no traceback."""
    _end_quietly_when_interrupted()
    try:
        engine = connection.resolve(setting)
        if not pulumi.runtime.is_dry_run():
            _refuse_beside_a_command(engine)
    except (EngineError, LockedError) as error:
        raise pulumi.RunError(str(error)) from error
    return engine


def _end_quietly_when_interrupted() -> None:
    """Pulumi interrupts the program once a run is over that failed or was interrupted, and has said so by then; the
    language host would add a traceback of its own."""
    if (
        threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    ):
        signal.signal(signal.SIGINT, lambda *_: os._exit(REPORTED))


def _refuse_beside_a_command(engine: DockerEngine) -> None:
    """For plain Pulumi. What a command itself runs has the command's token."""
    if VARIABLE in os.environ:
        return
    project, stack = pulumi.get_project(), pulumi.get_stack()
    with closing(connection.client(engine.address)) as asked:
        try:
            EngineLock(asked, project, stack).refuse_others()
        except LockedError as held:
            raise LockedError(
                f"a slipway command is changing {project}-{stack}, wait until it has ended: {held}"
            ) from None


def load(engine: DockerEngine) -> Site:
    """The whole site, which fits the engine. Raises pulumi.RunError with the text of SettingsError: all problems in one
    go, and no traceback.
    """
    stack, root = pulumi.get_stack(), Path(pulumi.runtime.get_root_directory())
    try:
        runtime.check(root, paths.PROJECT, stack)
        return parse(
            _configuration(),
            project=pulumi.get_project(),
            stack=stack,
            root=root,
            base_images=base_images(),
            encrypted=_encrypted(),
            engine=engine,
        )
    except SettingsError as error:
        raise pulumi.RunError(str(error)) from error


def _configuration() -> dict[str, Any]:
    """Every key, those of the project without its name; what is JSON (tables, numbers) as values, the rest as text."""
    return {key: value_of(text) for key, text in _texts().items()}


def _texts() -> dict[str, str]:
    namespace = f"{pulumi.get_project()}:"
    every = pulumi.runtime.get_config_env() | dict(CONFIG.get())
    return {key.removeprefix(namespace): text for key, text in every.items()}


def _encrypted() -> frozenset[str]:
    """Keys that hold a secret, as the engine says."""
    namespace = f"{pulumi.get_project()}:"
    named = set(pulumi.runtime.get_config_secret_keys_env())
    named |= {f"{namespace}{key}" for key in _texts() if pulumi.runtime.is_config_secret(f"{namespace}{key}")}
    return frozenset(key.removeprefix(namespace) for key in named if key.startswith(namespace))
