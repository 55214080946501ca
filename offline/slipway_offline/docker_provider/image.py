"""docker.Image: built from a context and tagged, on the engine itself; never pushed here."""

# What a base class passes is not always wanted.
# ruff: noqa: ARG002
from __future__ import annotations

import json
from typing import Any, ClassVar

from slipway_offline.properties import Problem, Schema, boolean, list_of, map_of, record, text
from slipway_offline.resource import Call, OperationError, Resource, Values
from slipway_offline.values import UNKNOWN, has_unknown

from .build_context import BuildContext
from .buildkit import build
from .engine import Engine

PUSHING = "the offline docker plugin does not push images: set skip_push=True"


def buildkit_only(value: str) -> str | None:
    if value == "BuilderBuildKit":
        return None
    return "is not supported by the offline docker plugin, which builds with BuildKit"


class Image(Resource):
    """A change in the context or the build options is an update that builds again; nothing replaces it. Deleting it
    leaves the image on the engine, and reading does not look whether it is still there: as the genuine plugin has it.

    `build.contextDigest` in the inputs is ours: the digest of the context.
    """

    token = "docker:index/image:Image"  # noqa: S105
    outputs = ("baseImageName", "registryServer", "repoDigest")
    properties: ClassVar[Schema] = {
        "imageName": text(required=True, in_place=True),
        "build": record({
            "addHosts": list_of(text()),
            "args": map_of(text()),
            "builderVersion": text(default="BuilderBuildKit", valid=buildkit_only),
            "cacheFrom": record({"images": list_of(text())}),
            "context": text(default="."),
            "dockerfile": text(),
            "network": text(),
            "platform": text(),
            "target": text(),
        }, in_place=True),
        "buildOnPreview": boolean(default=False, in_place=True),
        "skipPush": boolean(default=False, in_place=True),
    }

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @staticmethod
    def context(spec: Values) -> BuildContext:
        return BuildContext(spec.get("context") or ".", spec.get("dockerfile"))

    def check(self, inputs: Values) -> list[Problem]:
        if inputs.get("skipPush") not in (True, UNKNOWN):
            return [Problem("skipPush", PUSHING)]
        spec = inputs.get("build") or {}
        if spec is not UNKNOWN and not has_unknown([spec.get("context"), spec.get("dockerfile")]):
            try:
                inputs["build"] = spec | {"contextDigest": self.context(spec).digest()}
            except (OperationError, OSError) as error:
                return [Problem("build", str(error))]
        return []

    def create(self, call: Call, inputs: Values) -> tuple[str, Values]:
        spec, name = inputs.get("build") or {}, inputs["imageName"]
        image = build(self.engine, call, self.context(spec), {
            "t": name, "target": spec.get("target"), "platform": spec.get("platform"),
            "networkmode": spec.get("network"), "extrahosts": ",".join(spec.get("addHosts") or ()),
            "buildargs": _json(spec.get("args")), "cachefrom": _json((spec.get("cacheFrom") or {}).get("images"))})
        return name, inputs | {"baseImageName": name, "registryServer": "", "repoDigest": image}

    def update(self, call: Call, resource_id: str, old: Values, inputs: Values) -> Values:
        return self.create(call, inputs)[1]

    def planned(self, inputs: Values) -> Values:
        """Nothing is known before the build, the name included: the genuine plugin promises as little."""
        return dict.fromkeys([*self.outputs, *self.properties], UNKNOWN)

    def planned_update(self, old: Values, inputs: Values) -> Values:
        return self.planned(inputs)


def _json(value: Any) -> str | None:
    return json.dumps(value) if value else None
