"""The Docker engine as a test looks at it from outside Pulumi: what runs, what happened, what is left.

A test's things are found by name: all of them begin with its project's name, which is a random one, and Pulumi may have
put seven hexadecimal digits behind. So they can be removed without touching anything else on the engine.
"""

from __future__ import annotations

import contextlib
import secrets
import socket
import time
import urllib.error
import urllib.request
from functools import lru_cache
from pathlib import Path
from typing import Any

from docker import DockerClient
from docker.errors import APIError, NotFound
from docker.models.containers import Container

from slipway.engine import connection
from tests.support.waiting import wait_until

LOWEST_PORT = 10_240
"""Of those that tests listen on: below are the ones that other programs have a name for."""


@lru_cache(maxsize=1)
def client() -> DockerClient:
    """The engine that DOCKER_HOST names, or the current Docker context."""
    return connection.client(connection.address(None))


def containers(name: str) -> list[Container]:
    """The containers of this (logical) name, running or not, the newest first."""
    found: list[Container] = client().containers.list(
        all=True, filters={"name": f"^/{name}(-[0-9a-f]{{7}})?$"}, ignore_removed=True
    )
    return found


def container(name: str) -> Container:
    """The one container of this (logical) name."""
    found = containers(name)
    assert len(found) == 1, f"wanted one container {name}, found {[c.name for c in found]}"
    return found[0]


def health(found: Container) -> str:
    """starting, healthy or unhealthy as the engine has it now; nothing without a health check."""
    found.reload()
    return str(found.attrs["State"].get("Health", {}).get("Status", ""))


def run_in(found: Container, *command: str) -> tuple[int, str]:
    """Exit code and output of one command in a running container."""
    code, output = found.exec_run(list(command))
    assert code is not None
    assert isinstance(output, bytes)
    return code, output.decode()


def wait_for_log(found: Container, text: str, seconds: float) -> None:
    """Waits until the container has written `text`."""
    wait_until(f"{found.name} writes {text!r}", lambda: text in found.logs().decode(), seconds)


def address(found: Container) -> str:
    """An address of the container on one of its networks."""
    return addresses(found)[0]


def addresses(found: Container) -> list[str]:
    """The container's addresses, one on each of its networks."""
    found.reload()
    networks = found.attrs["NetworkSettings"]["Networks"].values()
    return [str(network["IPAddress"]) for network in networks if network["IPAddress"]]


def published(found: Container, port: int) -> tuple[str, int]:
    """Host address and port on which the container's TCP port is published."""
    found.reload()
    binding = found.attrs["NetworkSettings"]["Ports"][f"{port}/tcp"][0]
    return binding["HostIp"], int(binding["HostPort"])


def update(container: str, **changes: Any) -> None:
    """What `docker update` does, with the engine's own names."""
    api = client().api
    api.post(f"{api.base_url}/v{api.api_version}/containers/{container}/update", json=changes).raise_for_status()


def http_get(host: str, port: int, path: str = "/", *, timeout: float = 10) -> tuple[int, str]:
    """Status and body of one GET; the status of an error answer as well. Raises OSError when nothing answers."""
    try:
        with urllib.request.urlopen(f"http://{host}:{port}{path}", timeout=timeout) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def answer(host: str, port: int, path: str = "/", *, seconds: float = 10) -> tuple[int, str]:
    """What `http_get` gets as soon as anything answers, within so many seconds."""

    def ask() -> tuple[int, str] | None:
        try:
            return http_get(host, port, path)
        except OSError:
            return None

    got = wait_until(f"something answers on {host}:{port}", ask, seconds)
    assert got
    return got


class Events:
    """What happened to one project's containers since this was made, as `docker events` tells it."""

    def __init__(self, project: str) -> None:
        self.project, self.start = project, time.time()

    def seen(self) -> list[tuple[str, str]]:
        """(container id, action) in the order in which they happened; of `exec_…` events nothing."""
        return [(event["Actor"]["ID"], event["Action"]) for event in self._all()]

    def exit_codes(self) -> dict[str, str]:
        """{container id: the status with which it ended}."""
        return {
            event["Actor"]["ID"]: event["Actor"]["Attributes"]["exitCode"]
            for event in self._all()
            if event["Action"] == "die"
        }

    def _all(self) -> list[dict[str, Any]]:
        since: Any = f"{self.start:.9f}"  # the engine takes fractions of a second, the type says whole ones only
        until: Any = f"{time.time():.9f}"
        events = client().events(since=since, until=until, filters={"type": "container"}, decode=True)
        return [
            event
            for event in events
            if event["Actor"]["Attributes"]["name"].startswith(f"{self.project}-")
            and not event["Action"].startswith("exec_")
        ]


def remove_all(project: str) -> None:
    """Removes the containers, networks and volumes whose names begin with `<project>-`."""
    for kept in client().containers.list(all=True, filters={"name": f"^/{project}-"}, ignore_removed=True):
        with contextlib.suppress(NotFound):
            kept.remove(force=True, v=True)
    for network in client().networks.list():
        if str(network.name).startswith(f"{project}-"):
            network.remove()
    for volume in client().volumes.list():
        if str(volume.name).startswith(f"{project}-"):
            volume.remove()


def tags(prefix: str) -> list[str]:
    """The names of images that begin so. As the engine lists them: docker-py's own list asks for each image again, and
    fails when another test has just removed one."""
    found: list[dict[str, Any]] = client().api.images()
    return [tag for image in found for tag in image["RepoTags"] or () if tag.startswith(prefix)]


def remove_image(name: str) -> None:
    """Removes a tag, and the image with its last one. One that is not there, or still in use, is left."""
    with contextlib.suppress(APIError):
        client().images.remove(name, force=True)


def free_port() -> int:
    """A TCP port of this machine that nothing listens on at this moment.

    Below the ports that the kernel gives to outgoing connections: one of those may be taken by a client's connection
    before the test's server listens. By chance, so that two processes that ask at once get different ones.
    """
    ephemeral = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        port = secrets.choice(range(LOWEST_PORT, ephemeral))
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
