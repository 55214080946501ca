"""Settings: read once, checked as a whole, and from then on only the frozen dataclasses of `site` travel."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from slipway.settings.site import Site


def load(
    *, host_memory: int | None = None, root: Path | None = None, has_image: Callable[[str], bool] | None = None
) -> Site:
    """The site of the current stack. `host_memory`: the engine's, in MiB; `has_image` asks it for an image id. `root`:
    the folder of Pulumi.yaml.

    Raises pulumi.RunError with all problems in one text.
    """
    from slipway.settings import configuration  # noqa: PLC0415 - slipway.core needs `site`, and must not load pulumi

    return configuration.load(host_memory=host_memory, root=root, has_image=has_image)
