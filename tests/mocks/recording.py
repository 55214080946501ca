"""Stands for Pulumi's engine and plugins, and records what a program registers, the resource options included.

The options are not part of what mocks are given, so the monitor is asked: that is internal to the SDK, and used in
this module only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pulumi
from google.protobuf import json_format
from pulumi.runtime import mocks

PROJECT = "slipway"
SECRET = "s3cretvalueof"
"""What the value of every generated secret starts with."""
SIGNATURE = "4dabf18193072939515e22adb298388d"
"""The key of a table that stands for something else on the wire; with this value, for a secret."""
IS_SECRET = "1b47061264138c4ac30d75fd1eb44270"


@dataclass(frozen=True)
class Registered:
    """One resource as the program asked for it. `request` is the SDK's own message, with every option on it."""

    urn: str
    type: str
    name: str
    request: Any = field(repr=False)

    @property
    def logical(self) -> str:
        """The name without the stack's prefix."""
        return self.name.removeprefix(f"{PROJECT}-{self.urn.split(':')[2]}-")

    @property
    def kind(self) -> str:
        return self.type.rpartition(":")[2]

    @cached_property
    def inputs(self) -> Mapping[str, Any]:
        """What it was given, secrets opened."""
        plain: Mapping[str, Any] = opened(table(self.request.object))
        return plain

    @cached_property
    def in_plain(self) -> tuple[str, ...]:
        """Every text that it was given outside of a secret: names, keys and values."""
        return (self.name, *texts(table(self.request.object)))

    @property
    def aliases(self) -> frozenset[str]:
        """URNs under which it may stand in state."""
        return frozenset(map(self._alias, self.request.aliases))

    def _alias(self, alias: Any) -> str:
        if alias.urn:
            return str(alias.urn)
        spec = alias.spec
        parent = "" if spec.noParent else spec.parentUrn or self.request.parent
        return make_urn(parent, spec.type or self.type, spec.name or self.name)

    @property
    def holds_a_secret(self) -> bool:
        return IS_SECRET in str(self.request.object)

    @property
    def depends_on(self) -> frozenset[str]:
        """URNs of all that must be there before it; its component, with what that depends on, is among them."""
        return frozenset((*self.request.dependencies, self.request.parent))

    @property
    def built_from(self) -> frozenset[str]:
        """URNs of all whose outputs it takes. Whatever takes one of a resource that is deleted first goes with it."""
        return frozenset(urn for of in self.request.propertyDependencies.values() for urn in of.urns)


@dataclass
class Recorded(mocks.Mocks):
    """Stands for the plugins, as faithfully as the program can tell: names, ids and computed outputs.

    `secret` is what the generated secrets start with. In a `preview` nothing is known that an `up` would bring.
    """

    secret: str
    preview: bool

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        outputs = dict(args.inputs)
        if self.preview:
            return "", outputs
        if args.typ.startswith("docker:") and not outputs.get("name"):
            outputs["name"] = f"{args.name}-1234567"
        match args.typ:
            case "docker:index/image:Image":
                outputs["repoDigest"] = f"sha256:{args.name}"
            case "docker:index/network:Network":
                outputs["ipamConfigs"] = [{"subnet": subnet(args.name)}]
            case "pulumi-python:dynamic/slipway:LocalCertificate":
                outputs |= {key: f"{key} of {args.name}" for key in ("authority", "certificate", "fingerprint")}
                outputs["combined"] = pulumi.Output.secret(f"{self.secret}combined")
            case "random:index/randomPassword:RandomPassword":
                outputs["result"] = pulumi.Output.secret(self.secret + args.name.replace("-", "").replace("_", ""))
        return f"{args.name}-id", outputs

    def call(self, args: mocks.MockCallArgs) -> Any:
        raise AssertionError(f"the program calls {args.token}")


@dataclass
class Monitor(mocks.MockMonitor):
    """Records every registration, under the URN that the engine would give it."""

    provider: Recorded
    registered: dict[str, Registered] = field(default_factory=dict)
    outputs: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    twice: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__init__(self.provider)

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        return make_urn(parent, type_, name)

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802
        answer = super().RegisterResource(request)  # type: ignore[no-untyped-call]
        if request.type != "pulumi:pulumi:Stack":
            self.twice |= {answer.urn} & self.registered.keys()
            self.registered[answer.urn] = Registered(answer.urn, request.type, request.name, request)
        return answer

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802
        self.outputs[request.urn] = table(request.outputs)
        return super().RegisterResourceOutputs(request)  # type: ignore[no-untyped-call]


@dataclass(frozen=True)
class Program:
    """What one run registered (by URN) and exported (secrets marked); `registered_outputs` are of components."""

    resources: Mapping[str, Registered]
    registered_outputs: Mapping[str, Mapping[str, Any]]
    exports: Mapping[str, Any]

    def of_kind(self, kind: str) -> dict[str, Registered]:
        """All resources whose type ends so, by their names without the stack's prefix."""
        return {each.logical: each for each in self.resources.values() if each.kind == kind}

    @property
    def containers(self) -> dict[str, Registered]:
        return self.of_kind("Container")

    @property
    def services(self) -> dict[str, Registered]:
        """The containers of declared services."""
        return {name: each for name, each in self.containers.items() if "FlaskService$" in each.urn}

    def all_before(self, resource: Registered) -> set[str]:
        """URNs of everything that must be there before it, however indirectly."""
        return self._reached(resource, lambda each: each.depends_on)

    def all_built_from(self, resource: Registered) -> set[str]:
        """URNs of everything whose outputs it takes, however indirectly."""
        return self._reached(resource, lambda each: each.built_from)

    def _reached(self, resource: Registered, neighbours: Any) -> set[str]:
        found: set[str] = set()
        waiting = [resource]
        while waiting:
            new = neighbours(waiting.pop()) - found
            found |= new
            waiting.extend(self.resources[urn] for urn in new if urn in self.resources)
        return found


def make_urn(parent: str, type_: str, name: str) -> str:
    """As the engine makes it: with the types of all components above, and without the stack's."""
    above = parent.split("::")[2] if parent else "pulumi:pulumi:Stack"
    qualified = type_ if above == "pulumi:pulumi:Stack" else f"{above}${type_}"
    return f"urn:pulumi:{pulumi.get_stack()}::{pulumi.get_project()}::{qualified}::{name}"


def subnet(network: str) -> str:
    """The range of a network under mocks, another for each."""
    return f"10.{sum(network.encode()) % 256}.{len(network)}.0/24"


def table(message: Any) -> dict[str, Any]:
    """A message of properties as it is on the wire."""
    found: dict[str, Any] = json_format.MessageToDict(message)  # type: ignore[no-untyped-call]
    return found


def opened(value: Any) -> Any:
    """The same with every secret opened."""
    if isinstance(value, Mapping):
        return opened(value["value"]) if SIGNATURE in value else {key: opened(item) for key, item in value.items()}
    return [opened(item) for item in value] if isinstance(value, list) else value


def texts(value: Any) -> Iterator[str]:
    """Every text outside of a secret."""
    if isinstance(value, Mapping):
        if value.get(SIGNATURE) == IS_SECRET:
            return
        for key, item in value.items():
            yield from (key, *texts(item))
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)
    elif isinstance(value, str):
        yield value
