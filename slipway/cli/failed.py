"""After a run that failed: what must not go on is stopped, and the operator is told how things are."""

from __future__ import annotations

import contextlib

from docker.errors import NotFound

from slipway.cli import screen
from slipway.cli.docker_objects import DockerObjects, condition, is_well
from slipway.cli.pulumi import State
from slipway.cli.target import Target
from slipway.core.resource_types import CONTAINER, RELEASE
from slipway.core.topology import EDGE
from slipway.nginx.main import INTERNAL_PORT, LIVE, MAIN
from slipway.nginx.serving import serving

STOP = 2
"""Seconds between SIGTERM and SIGKILL for a container that never got a request."""


def explain(target: Target, state: State, *, began: bool) -> None:
    """Stops what was not let in; who serves, who is unwell, and what to type. A run that has not even begun (no
    settings, another passphrase) has let nothing in: what is new is somebody else's."""
    objects = target.objects
    now = serving_now(objects)
    if began:
        stop_newcomers(objects, state)
    screen.say(f"error: {target.project} is not as declared; what Pulumi said is above", "bold red")
    for service, names in now.items():
        screen.say(f"  {service} is served by {', '.join(names)}")
    for container in objects.containers():
        if not is_well(container):
            screen.say(f"  {container.name} is {condition(container)}:  docker logs {container.name}")
    screen.say(f"  when the cause is gone, the same again goes on from here:  {target.project.typed('up')}")


def serving_now(objects: DockerObjects) -> dict[str, list[str]]:
    """{service: the containers to which nginx sends its requests}; empty where no nginx runs: what its files say is
    then served to nobody."""
    from slipway.engine.edge import Edge  # noqa: PLC0415 - with it comes Pulumi's SDK, which takes a second

    for container in objects.of_service(EDGE)[:1]:
        if container.status != "running":
            continue
        with contextlib.suppress(NotFound):
            return serving(Edge(container, LIVE, MAIN, INTERNAL_PORT).files())
    return {}


def stop_newcomers(objects: DockerObjects, state: State) -> None:
    """Stops the new containers whose release was never asked for, because a migration or a build failed before: a
    worker among them would go on working beside the old one. The release itself does that for those that it refuses.

    New is what stands beside its predecessor, which the next release deletes, and is in no release that succeeded.
    """
    serves = {name for names in serving_now(objects).values() for name in names}
    beside = {each["urn"] for each in state.resources if each.get("delete")}
    released = {
        container["name"]
        for release in state.of_type(RELEASE)
        for container in (release.get("outputs") or {}).get("containers") or ()
    }
    new = {each["id"] for each in state.of_type(CONTAINER) if each["urn"] in beside}
    for container in objects.containers():
        if container.id in new and container.status == "running" and container.name not in {*released, *serves}:
            screen.say(f"stopping {container.name}: its release did not happen, the next one starts it again")
            container.stop(timeout=STOP)
