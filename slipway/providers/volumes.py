"""What providers of files in a volume share: the volume is known by its name, and may belong to somebody else."""

from __future__ import annotations

from typing import ClassVar

from docker import DockerClient
from docker.errors import NotFound
from docker.models.containers import Container

from slipway.providers.engine import Failure, Properties, Provider, connect


class VolumeProvider(Provider):
    """The resource is the volume that `volume` names: it has that name for its id, and another name is another one."""

    identity: ClassVar = ("volume",)

    def id(self, props: Properties) -> str:
        return str(props["volume"])

    def there(self, props: Properties) -> bool:
        return volume_exists(props)


class ExistingVolumeProvider(VolumeProvider):
    """Puts something into a volume that somebody else made. Raises Failure where there is none; never removes it, nor
    what is in it: it holds data. Subclasses implement `fill`, which must be safe to repeat."""

    def do(self, _olds: Properties, news: Properties) -> None:
        if not volume_exists(news):
            raise Failure(f"there is no volume {news['volume']}")
        self.fill(news)

    def fill(self, props: Properties) -> None:
        raise NotImplementedError

    def delete(self, _id: str, _props: Properties) -> None:
        """The volume is not ours to remove."""


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
