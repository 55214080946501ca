"""The engine by its address, and single containers on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from docker import DockerClient
from docker.errors import DockerException, NotFound
from docker.models.containers import Container
from requests import exceptions

from slipway.core.naming import HELPER_LABEL
from slipway.engine import connection
from slipway.engine.errors import Failure
from slipway.engine.progress import say

Properties = dict[str, Any]
"""What a dynamic resource was given: {name of an input: value}."""

UNPRIVILEGED: dict[str, Any] = {"cap_drop": ["ALL"], "security_opt": ["no-new-privileges"]}
"""How every container is made that a run needs for itself; what one of them must be able to do is given back to it."""
TAIL = 60
"""Lines of a container's log that an error shows: gunicorn may write thirty of its own after an app's."""


@contextmanager
def connect(address: str) -> Iterator[DockerClient]:
    """The engine at `address`. Raises Failure where none answers."""
    try:
        client = connection.client(address)
    except DockerException as error:
        raise Failure(f"no Docker engine answers at {address}: {error}") from None
    try:
        yield client
    except exceptions.ConnectionError as error:
        raise Failure(f"the connection to {address} broke; type the same again to go on: {error}") from None
    finally:
        client.close()


def have_image(client: DockerClient, image: str) -> None:
    """Pulls an image that the engine has not got, as `docker run` would."""
    if not connection.has_image(client, image):
        say(f"pulling {image}")
        client.images.pull(image)


def find(client: DockerClient, name: str) -> Container | None:
    """The container of this name or id, if there is one."""
    try:
        return client.containers.get(name)
    except NotFound:
        return None


def remove(client: DockerClient, name: str) -> None:
    """Removes a container that a provider made, running or not; nothing when it is gone. Refuses any other."""
    if container := find(client, name):
        if HELPER_LABEL not in container.labels:
            raise Failure(f"a container named {name} exists that Slipway did not make: rename or remove it")
        try:
            container.remove(force=True, v=True)
        except NotFound:
            return


def log_tail(container: Container, lines: int = TAIL) -> str:
    """The last lines of a container's log, indented, for an error message."""
    return indented(container.logs(tail=lines).decode(errors="replace").strip())


def indented(log: str) -> str:
    return "\n".join(f"    {line}" for line in log.splitlines()) or "    (it wrote nothing)"


def helper_labels(labels: Mapping[str, str], purpose: str) -> dict[str, str]:
    """The stack's labels and the one by which a helper is known."""
    return {**labels, HELPER_LABEL: purpose}
