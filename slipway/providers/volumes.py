"""What providers of files in a volume share: the volume is known by its name, and may belong to somebody else."""

from __future__ import annotations

from typing import ClassVar

from slipway.engine.containers import Properties
from slipway.engine.errors import Failure
from slipway.engine.volumes import volume_exists
from slipway.providers.provider import Provider


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
