"""docker.Network: nothing about it can be changed in place."""

# What a base class passes is not always wanted.
# ruff: noqa: ARG002
from __future__ import annotations

from typing import ClassVar

from docker.errors import NotFound

from slipway_offline.properties import Schema, boolean, map_of, record, set_of, text
from slipway_offline.resource import Call, Resource, Values, given

from .engine import Engine, remove
from .units import label_list, labels


class Network(Resource):
    token = "docker:index/network:Network"  # noqa: S105
    autoname = True
    outputs = ("scope",)
    properties: ClassVar[Schema] = {
        "name": text(),
        "attachable": boolean(),
        "driver": text(computed=True),
        "internal": boolean(computed=True),
        "ipamConfigs": set_of(record({
            "auxAddress": map_of(text()), "gateway": text(), "ipRange": text(), "subnet": text()}), computed=True),
        "ipamDriver": text(default="default"),
        "ipamOptions": map_of(text()),
        "ipv6": boolean(),
        "labels": set_of(record({"label": text(required=True), "value": text(required=True)})),
        "options": map_of(text(), computed=True),
    }

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def create(self, call: Call, inputs: Values) -> tuple[str, Values]:
        pools = [given({"Subnet": pool.get("subnet"), "IPRange": pool.get("ipRange"), "Gateway": pool.get("gateway"),
                        "AuxiliaryAddresses": pool.get("auxAddress")}) for pool in inputs.get("ipamConfigs") or ()]
        network_id = self.engine.ask("/networks/create", given({
            "Name": inputs["name"], "CheckDuplicate": True, "Driver": inputs.get("driver"),
            "Options": inputs.get("options"), "Internal": inputs.get("internal"),
            "Attachable": inputs.get("attachable"), "EnableIPv6": inputs.get("ipv6"),
            "Labels": labels(inputs.get("labels")),
            "IPAM": given({"Driver": inputs.get("ipamDriver"), "Config": pools, "Options": inputs.get("ipamOptions")}),
        }))["Id"]
        return network_id, self.outputs_of(network_id, inputs)

    def outputs_of(self, network_id: str, known: Values) -> Values:
        found = self.engine.inspect_network(network_id)
        pools = [given({"subnet": pool.get("Subnet"), "gateway": pool.get("Gateway"), "ipRange": pool.get("IPRange"),
                        "auxAddress": pool.get("AuxiliaryAddresses")}) for pool in found["IPAM"]["Config"] or ()]
        return {"ipamDriver": "default"} | known | {
            "name": found["Name"], "scope": found["Scope"], "driver": found["Driver"], "internal": found["Internal"],
            "attachable": found["Attachable"], "ipv6": found["EnableIPv6"], "ipamConfigs": pools,
            "options": found["Options"] or {}}

    def read(self, call: Call, resource_id: str, state: Values, inputs: Values) -> tuple[Values, Values] | None:
        try:
            outputs = self.outputs_of(resource_id, state)
        except NotFound:
            return None
        if not inputs:  # an import
            found = self.engine.inspect_network(resource_id)
            inputs = given({"name": outputs["name"], "driver": outputs["driver"], "internal": outputs["internal"],
                            "labels": label_list(found["Labels"])})
        return outputs, inputs

    def delete(self, call: Call, resource_id: str, state: Values) -> None:
        remove(call, lambda: self.engine.remove_network(resource_id), "has active endpoints",
               f"network {state.get('name', resource_id)}")
