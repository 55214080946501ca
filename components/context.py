"""What every component of a stack needs to know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi_docker as docker

from slipway.core import naming
from slipway.site.site import Site


@dataclass(frozen=True, kw_only=True)
class Context:
    """The site and the engine that it runs on. `engine` is the engine's address, `platform` such as linux/amd64;
    `isolates`: its networks without a way out can do without an address of the host."""

    site: Site
    engine: str
    platform: str
    isolates: bool = False

    def name(self, *parts: str) -> str:
        """The logical name of a resource: the stack's prefix and the parts, joined by hyphens."""
        return naming.prefix(self.site.project, self.site.stack) + "-".join(parts)

    def labels(self, service: str | None = None) -> dict[str, str]:
        """The constant labels (they force a replacement, so nothing that changes belongs in them)."""
        return naming.labels(self.site.project, self.site.stack, service)


def container_labels(labels: Mapping[str, str]) -> list[docker.ContainerLabelArgs]:
    return [docker.ContainerLabelArgs(label=label, value=value) for label, value in sorted(labels.items())]
