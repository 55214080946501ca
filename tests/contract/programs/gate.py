"""A release gate as a dynamic resource: it is made, or changed, only once every container that it names is healthy."""

import time

import docker
from pulumi import Input, ResourceOptions
from pulumi.dynamic import CreateResult, DiffResult, Resource, ResourceProvider, UpdateResult


class GateProvider(ResourceProvider):
    def create(self, props):
        names = props["names"]
        client = docker.from_env()
        for name in names:
            while True:
                state = client.api.inspect_container(name)["State"]
                if state.get("Health", {}).get("Status") == "healthy":
                    break
                if not state["Running"] or state["Health"]["Status"] == "unhealthy":
                    raise RuntimeError(f"{name} did not get well")
                time.sleep(0.2)
        return CreateResult("gate", {"names": names})

    def diff(self, _id, olds, news):
        return DiffResult(changes=olds["names"] != news["names"])

    def update(self, _id, _olds, news):
        return UpdateResult(self.create(news).outs)


class Gate(Resource):
    def __init__(self, name, names: Input, opts: ResourceOptions | None = None):
        super().__init__(GateProvider(), name, {"names": names}, opts)
