"""ps: the containers of the stack."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click
from docker.models.containers import Container

from slipway.cli import screen
from slipway.cli.docker_objects import DockerObjects, health, is_helper, service_of
from slipway.cli.errors import Code
from slipway.cli.target import Target, command


@click.command()
@command
def ps(target: Target) -> int:
    """List the containers of the stack, stopped ones and jobs that failed included."""
    images = target.objects.image_names()
    rows = [row(target.objects, each, images) for each in target.objects.containers()]
    rows.sort(key=lambda each: (each["service"], each["name"]))
    if target.json:
        screen.as_json(rows)
        return Code.OK
    columns = ("service", "name", "image", "status", "health", "restarts", "started", "ports")
    screen.table(
        [name.upper() for name in columns],
        [[", ".join(each[key]) if key == "ports" else str(each[key]) for key in columns] for each in rows],
    )
    return Code.OK


def row(objects: DockerObjects, container: Container, images: Mapping[str, str]) -> dict[str, Any]:
    """What is shown of one container. `images` are names of the stack's images by their ids."""
    state, config = container.attrs["State"], container.attrs["Config"]
    bindings = container.attrs["NetworkSettings"]["Ports"] or {}
    ports = sorted(
        {f"{host['HostIp']}:{host['HostPort']}->{port}" for port, hosts in bindings.items() for host in hosts or ()}
    )
    return {
        "service": service_of(container),
        "name": container.name,
        "short": objects.short(container),
        "status": container.status,
        "health": health(container) if container.status == "running" else "",
        "restarts": container.attrs["RestartCount"],
        "started": str(state["StartedAt"])[:19].replace("T", " ") if container.status == "running" else "",
        "image": images.get(container.attrs["Image"], str(config["Image"])[:19]),
        "ports": ports,
        "helper": is_helper(container),
    }
