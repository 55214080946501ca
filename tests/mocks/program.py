"""Runs the whole program under Pulumi's mocks."""

from __future__ import annotations

import json
import os
import runpy
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pulumi
import pulumi.runtime
import yaml
from pulumi.runtime import mocks, rpc

from slipway.core.pools import DEFAULTS, Room
from slipway.engine import connection, lock
from tests.mocks.recording import PROJECT, SECRET, Monitor, Program, Recorded, table

ROOT = Path(__file__).parents[2]
ENGINE = connection.DockerEngine(address="unix:///x", platform="linux/amd64", memory=16000)


def configuration(stack: str, changes: Mapping[str, Any] | None = None) -> dict[str, str]:
    """The configuration as the engine hands it over: project defaults, the stack's file over them, then `changes`."""
    declared = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
    values = {key: described.get("default") for key, described in declared.items()}
    file = ROOT / f"Pulumi.{stack}.yaml"
    values |= (yaml.safe_load(file.read_text()) or {}).get("config") or {} if file.exists() else {}
    values |= changes or {}
    return {
        f"{PROJECT}:{key.rpartition(':')[2]}": value if isinstance(value, str) else json.dumps(value)
        for key, value in values.items()
        if value is not None
    }


def run(
    stack: str,
    changes: Mapping[str, Any] | None = None,
    *,
    preview: bool = False,
    root: Path = ROOT,
    secret: str = SECRET,
    images: str = "",
    volumes: Mapping[str, Mapping[str, str]] | None = None,
    engine: connection.DockerEngine = ENGINE,
    entrypoints: Mapping[str, tuple[str, ...]] | None = None,
) -> Program:
    """Runs `__main__.py` for one stack on the services below `root`; `secret` is what generated values start with. The
    engine has the `images` named there, by default every one, and the `volumes`, {name: labels}; `entrypoints` are
    those of images by a part of their names."""
    monitor = Monitor(Recorded(secret, preview))
    exported: dict[str, Any] = {}
    exports: dict[str, Any] = {}
    mocks.set_mocks(monitor.mocks, project=PROJECT, stack=stack, preview=preview, monitor=monitor)
    pulumi.runtime.settings.SETTINGS.root_directory = str(root)
    pulumi.runtime.set_all_config(configuration(stack, changes), [f"{PROJECT}:secrets"])

    @pulumi.runtime.test  # type: ignore[untyped-decorator]
    async def program() -> None:
        runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__")
        exports.update(table(await rpc.serialize_properties(exported, {})))

    with (
        patch.object(connection, "resolve", lambda _setting=None: engine),
        patch.dict(os.environ, {lock.VARIABLE: "held"}),
        patch.object(connection.DockerEngine, "has_image", lambda _engine, image: not images or image in images),
        patch.object(connection.DockerEngine, "strangers", lambda _engine, _project, _stack: {}),
        patch.object(connection.DockerEngine, "writers", lambda _engine, _volume: {}),
        patch.object(connection.DockerEngine, "room", lambda _engine: Room(DEFAULTS, frozenset(), ())),
        patch.object(connection.DockerEngine, "volume_labels", lambda _engine, name: (volumes or {}).get(name, {})),
        patch.object(
            connection,
            "entrypoint",
            lambda _where, image, **_: next((ran for name, ran in (entrypoints or {}).items() if name in image), ()),
        ),
        patch.object(pulumi, "export", exported.__setitem__),
    ):
        program()
    assert not monitor.twice, "two resources have the same URN"
    return Program(monitor.registered, monitor.outputs, exports)
