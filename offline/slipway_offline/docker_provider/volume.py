"""docker.Volume: nothing about it can be changed in place, and making one that exists already adopts it."""

# What a base class passes is not always wanted.
# ruff: noqa: ARG002
from __future__ import annotations

from typing import ClassVar

from docker.errors import NotFound

from slipway_offline.properties import Schema, map_of, record, set_of, text
from slipway_offline.resource import Call, Resource, Values, given

from .engine import Engine, remove
from .units import label_list, labels


class Volume(Resource):
    """Labels and driver options are read back from the engine: a volume adopted under the same name shows the
    difference at the next refresh, and is then planned to be replaced, as the genuine plugin has it. Programs guard
    data with retain_on_delete and ignore_changes."""

    token = "docker:index/volume:Volume"  # noqa: S105
    autoname = True
    outputs = ("mountpoint",)
    properties: ClassVar[Schema] = {
        "name": text(),
        "driver": text(computed=True),
        "driverOpts": map_of(text()),
        "labels": set_of(record({"label": text(required=True), "value": text(required=True)})),
    }

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def create(self, call: Call, inputs: Values) -> tuple[str, Values]:
        found = self.engine.ask("/volumes/create", given({
            "Name": inputs["name"], "Driver": inputs.get("driver"), "DriverOpts": inputs.get("driverOpts"),
            "Labels": labels(inputs.get("labels"))}))
        return inputs["name"], inputs | {"driver": found["Driver"], "mountpoint": found["Mountpoint"]}

    def read(self, call: Call, resource_id: str, state: Values, inputs: Values) -> tuple[Values, Values] | None:
        try:
            found = self.engine.inspect_volume(resource_id)
        except NotFound:
            return None
        real = {"name": resource_id, "labels": label_list(found["Labels"]), "driverOpts": found["Options"] or {}}
        drift = {change.top: real[change.top] for change in self.changes(inputs, state, real)}
        if "driver" in inputs and inputs["driver"] != found["Driver"]:
            drift["driver"] = found["Driver"]
        outputs = real | {"driver": found["Driver"], "mountpoint": found["Mountpoint"]}
        return state | {key: value for key, value in outputs.items() if value or key in state}, inputs | drift

    def delete(self, call: Call, resource_id: str, state: Values) -> None:
        remove(call, lambda: self.engine.remove_volume(resource_id, force=True), "volume is in use",
               f"volume {resource_id}")
