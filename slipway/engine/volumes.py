"""Single volumes on the engine."""

from __future__ import annotations

from docker import DockerClient
from docker.errors import NotFound
from docker.models.containers import Container

from slipway.engine.containers import Properties, connect


def volume_exists(props: Properties) -> bool:
    with connect(props["engine"]) as client:
        try:
            client.volumes.get(props["volume"])
        except NotFound:
            return False
        return True


def holders(client: DockerClient, volume: str) -> list[Container]:
    """The containers that mount the volume, running or not."""
    found: list[Container] = client.containers.list(all=True, filters={"volume": volume}, ignore_removed=True)
    return found
