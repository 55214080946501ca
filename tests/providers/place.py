"""Where a test of a provider works."""

from __future__ import annotations

from dataclasses import dataclass

from slipway.core import naming
from tests.support import engine


@dataclass(frozen=True)
class Place:
    """Where a test works: names that begin with `name` are its own."""

    name: str
    engine: str
    image: str

    @property
    def labels(self) -> dict[str, str]:
        return naming.labels(self.name, "test")

    def run(self, *command: str, user: str = "0", volume: str = "", privileged: bool = True) -> str:
        """What a command writes in a container with the volume at /volume; fails the test unless it succeeds."""
        output: bytes = engine.client().containers.run(
            self.image,
            list(command),
            user=user,
            volumes={volume: {"bind": "/volume", "mode": "rw,nocopy"}} if volume else {},
            network_mode="none",
            cap_drop=[] if privileged else ["ALL"],
            remove=True,
        )
        return output.decode()

    def leftovers(self) -> list[str]:
        """The containers that are there under this test's name."""
        found = engine.client().containers.list(all=True, filters={"name": f"^/{self.name}-"}, ignore_removed=True)
        return sorted(str(container.name) for container in found)
