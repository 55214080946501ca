"""docker.RemoteImage: an image that is there under a name, or is pulled; never built here."""

# What a base class passes is not always wanted.
# ruff: noqa: ARG002
from __future__ import annotations

from typing import ClassVar

from docker.errors import APIError, ImageNotFound

from slipway_offline.properties import Schema, boolean, map_of, set_of, text
from slipway_offline.resource import Call, OperationError, Resource, Values

from .engine import Engine, reason
from .images import available


class RemoteImage(Resource):
    """Its id is the image's id followed by the name. Whatever is not the manner of its removal replaces it."""

    token = "docker:index/remoteImage:RemoteImage"  # noqa: S105
    outputs = ("imageId", "repoDigest")
    properties: ClassVar[Schema] = {
        "name": text(required=True),
        "platform": text(),
        "pullTriggers": set_of(text()),
        "triggers": map_of(text()),
        "keepLocally": boolean(in_place=True),
        "forceRemove": boolean(in_place=True),
    }

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def create(self, call: Call, inputs: Values) -> tuple[str, Values]:
        image = available(self.engine, inputs["name"], inputs.get("platform"))
        return image["Id"] + inputs["name"], inputs | outputs_of(image)

    def read(self, call: Call, resource_id: str, state: Values, inputs: Values) -> tuple[Values, Values] | None:
        name = state.get("name") or resource_id.removeprefix("sha256:")[64:]
        try:
            image = self.engine.image(name)
        except ImageNotFound:
            return None
        return {"name": name} | state | outputs_of(image), inputs or {"name": name}

    def delete(self, call: Call, resource_id: str, state: Values) -> None:
        if state.get("keepLocally"):
            return
        try:
            self.engine.remove_image(state["name"], force=bool(state.get("forceRemove")))
        except ImageNotFound:
            return
        except APIError as error:
            raise OperationError(f"image {state['name']} cannot be removed (keep_locally=True would leave it): "
                                 f"{reason(error)}") from error


def outputs_of(image: Values) -> Values:
    return {"imageId": image["Id"], "repoDigest": next(iter(image.get("RepoDigests") or ()), "")}
