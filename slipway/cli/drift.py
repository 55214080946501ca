"""What the docker plugin does not see of a container: that it is unhealthy, and that it was taken off a network.

Such a container is replaced, by a flag, so that `preview` shows it, and a service's goes through the release like a new
one. The rest of the drift is found by a refresh: by the plugin, and by the dynamic resources.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from docker.models.containers import Container

from slipway.cli import screen
from slipway.cli.docker_objects import DockerObjects, health
from slipway.cli.pulumi import State
from slipway.core.resource_types import CONTAINER


def replaced(objects: DockerObjects, state: State) -> list[str]:
    """Flags that replace what runs and is not fit, and a line about each."""
    there = {each.id: each for each in objects.containers()}
    flags = []
    for resource in state.of_type(CONTAINER):
        container = there.get(str(resource["id"]))
        if container is None or container.status != "running":
            continue  # a refresh finds it
        if problem := unfit(container, resource.get("outputs") or {}):
            screen.say(f"{container.name} {problem}: it is replaced")
            flags += ["--replace", str(resource["urn"])]
    return flags


def unfit(container: Container, recorded: Mapping[str, Any]) -> str:
    """Why a running container must be replaced; nothing for one that need not be."""
    if health(container) == "unhealthy":
        return "is unhealthy"
    joined: Mapping[str, Any] = container.attrs["NetworkSettings"].get("Networks") or {}
    found = {**{each.get("NetworkID"): each for each in joined.values()}, **joined}
    for network in recorded.get("networksAdvanced") or ():
        if network["name"] not in found:
            return f"was taken off the network {network['name']}"
        if missing := sorted(set(network.get("aliases") or ()) - set(found[network["name"]].get("Aliases") or ())):
            return f"has lost the name {', '.join(missing)} on the network {network['name']}"
    return ""
