"""The Docker engine as a test looks at it from outside Pulumi: what runs, what happened, what is left.

Everything that a test makes carries the label `slipway.test` with the test's own project name, so that it can be found
and removed without touching anything else on the engine.
"""

from __future__ import annotations

import contextlib
import time
import urllib.error
import urllib.request
from functools import lru_cache

import docker
from docker import DockerClient
from docker.errors import APIError, NotFound
from docker.models.containers import Container

LABEL = "slipway.test"


@lru_cache(maxsize=1)
def client() -> DockerClient:
    """The engine that DOCKER_HOST names, or the local one."""
    return docker.from_env(timeout=120)


def containers(project: str, name: str = "", *, everything: bool = True) -> list[Container]:
    """This project's containers whose names begin with `name`, the newest first; only running ones on request."""
    found: list[Container] = client().containers.list(
        all=everything, filters={"label": f"{LABEL}={project}"}, ignore_removed=True)
    return [container for container in found if str(container.name).startswith(name)]


def container(project: str, name: str) -> Container:
    """The one container of this project whose name begins with `name`."""
    found = containers(project, name)
    assert len(found) == 1, f"wanted one container {name}…, found {[c.name for c in found]}"
    return found[0]


def health(found: Container) -> str:
    """"starting", "healthy" or "unhealthy" as the engine has it now; "" without a health check."""
    found.reload()
    return str(found.attrs["State"].get("Health", {}).get("Status", ""))


def address(found: Container) -> str:
    """An address of the container on one of its networks."""
    found.reload()
    addresses = [network["IPAddress"] for network in found.attrs["NetworkSettings"]["Networks"].values()]
    return next(address for address in addresses if address)


def published(found: Container, port: int) -> tuple[str, int]:
    """Host address and port on which the container's TCP port is published."""
    found.reload()
    binding = found.attrs["NetworkSettings"]["Ports"][f"{port}/tcp"][0]
    return binding["HostIp"], int(binding["HostPort"])


def http_get(host: str, port: int, path: str = "/", *, timeout: float = 10) -> tuple[int, str]:
    """Status and body of one GET; the status of an error answer as well. Raises OSError when nothing answers."""
    try:
        with urllib.request.urlopen(f"http://{host}:{port}{path}", timeout=timeout) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


class Events:
    """What happened to one project's containers since this was made, as `docker events` tells it."""

    def __init__(self, project: str) -> None:
        self.project, self.start = project, time.time_ns()

    def seen(self) -> list[tuple[str, str]]:
        """(container id, action) in the order in which they happened; of `exec_…` events nothing."""
        second = 10**9
        events = client().events(since=self.start // second, until=time.time_ns() // second + 1, decode=True,
                                 filters={"type": "container", "label": f"{LABEL}={self.project}"})
        return [(event["Actor"]["ID"], event["Action"]) for event in events
                if event["timeNano"] >= self.start and not event["Action"].startswith("exec_")]


def remove_all(project: str) -> None:
    """Removes the containers, networks and volumes that carry this project's label."""
    here = {"label": f"{LABEL}={project}"}
    for kept in containers(project):
        with contextlib.suppress(NotFound):
            kept.remove(force=True, v=True)
    for network in client().networks.list(filters=here):
        with contextlib.suppress(NotFound):
            network.remove()
    for volume in client().volumes.list(filters=here):
        with contextlib.suppress(NotFound):
            volume.remove()


def remove_image(name: str) -> None:
    """Removes a tag, and the image with its last one. One that is not there, or still in use, is left."""
    with contextlib.suppress(APIError):
        client().images.remove(name, force=True)
