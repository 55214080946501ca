"""Runs the whole program under Pulumi's mocks and records what it registers, the resource options included.

The options are not part of what mocks are given, so the monitor is asked: that is internal to the SDK, and used in
this module only.
"""

from __future__ import annotations

import json
import runpy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pulumi
import pulumi.runtime
import yaml
from pulumi.runtime import mocks, rpc

ROOT = Path(__file__).parents[2]
PROJECT = "slipway"
SECRET = "s3cret-value-of-"
SUBNET = "172.30.0.0/24"


@dataclass(frozen=True)
class Registered:
    """One resource as the program asked for it. `request` is the SDK's own message, with every option on it."""

    urn: str
    type: str
    name: str
    inputs: Mapping[str, Any]
    request: Any

    @property
    def logical(self) -> str:
        """The name without the stack's prefix."""
        return self.name.split("-", 2)[-1]


@dataclass
class Recorded(mocks.Mocks):
    """Stands for the plugins, as faithfully as the program can tell: names, ids and computed outputs."""

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        outputs = dict(args.inputs)
        if args.typ.startswith("docker:") and not outputs.get("name"):
            outputs["name"] = f"{args.name}-1234567"
        match args.typ:
            case "docker:index/image:Image":
                outputs["repoDigest"] = f"sha256:{args.name}"
            case "docker:index/network:Network":
                outputs["ipamConfigs"] = [{"subnet": SUBNET}]
            case "random:index/randomPassword:RandomPassword":
                outputs["result"] = pulumi.Output.secret(f"{SECRET}{args.name}")
        return f"{args.name}-id", outputs

    def call(self, args: mocks.MockCallArgs) -> dict[str, Any]:
        raise AssertionError(f"the program calls {args.token}")


@dataclass
class Monitor(mocks.MockMonitor):
    """Records every registration."""

    recorded: list[Registered] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(Recorded())

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802
        answer = super().RegisterResource(request)  # type: ignore[no-untyped-call]
        if request.type != "pulumi:pulumi:Stack":
            inputs = rpc.deserialize_properties(request.object, keep_unknowns=True)
            self.recorded.append(Registered(answer.urn, request.type, request.name, inputs, request))
        return answer


@dataclass(frozen=True)
class Program:
    """What one run registered and exported."""

    resources: tuple[Registered, ...]
    outputs: Mapping[str, Any]

    def of_type(self, kind: str) -> list[Registered]:
        """All resources whose type ends with `:<kind>`."""
        return [resource for resource in self.resources if resource.type.endswith(f":{kind}")]

    def containers(self) -> dict[str, Registered]:
        return {container.logical: container for container in self.of_type("Container")}

    def raw(self, resource: Registered) -> str:
        """The request as text: what it says in plain, secrets marked."""
        return str(resource.request)


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


def run(stack: str, changes: Mapping[str, Any] | None = None, *, preview: bool = False) -> Program:
    """Runs `__main__.py` for one stack."""
    monitor, outputs = Monitor(), dict[str, Any]()
    mocks.set_mocks(monitor.mocks, project=PROJECT, stack=stack, preview=preview, monitor=monitor)
    pulumi.runtime.settings.SETTINGS.root_directory = str(ROOT)
    pulumi.runtime.set_all_config(configuration(stack, changes))
    export: Callable[[str, Any], None] = pulumi.export

    def record(name: str, value: Any) -> None:
        outputs[name] = value
        export(name, value)

    @pulumi.runtime.test
    def program() -> None:
        pulumi.export = record  # type: ignore[assignment]
        try:
            runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__")
        finally:
            pulumi.export = export

    program()
    return Program(tuple(monitor.recorded), outputs)


def texts(value: Any) -> Iterator[str]:
    """Every text in a nest of dicts and lists."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from (str(key), *texts(item))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from texts(item)
