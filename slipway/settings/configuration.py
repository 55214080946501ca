"""Reads the stack's configuration. The one module here that knows Pulumi."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pulumi
import pulumi.runtime
from pulumi.runtime.config import CONFIG

from slipway import docker_engine
from slipway.docker_engine import DockerEngine, EngineError
from slipway.settings import runtime
from slipway.settings.parse import parse
from slipway.settings.problems import SettingsError
from slipway.settings.project_files import value_of
from slipway.settings.site import Site
from slipway.setup import paths
from slipway.setup.choices import base_images


def resolve_engine(setting: str | None) -> DockerEngine:
    """The engine of this run. Raises pulumi.RunError where there is none to use: a text, and no traceback."""
    try:
        return docker_engine.resolve(setting)
    except EngineError as error:
        raise pulumi.RunError(str(error)) from error


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
