"""What set-up looks for: the `[tool.slipway]` table of pyproject.toml."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from slipway.setup import paths
from slipway.setup.console import SetupError

IMAGES = ("python", "postgres", "nginx", "adminer")


@dataclass(frozen=True)
class Settings:
    """The pinned release of the CLI, {plugin: version}, and {base image: name}."""

    pulumi: str
    plugins: dict[str, str]
    base_images: dict[str, str]

    @classmethod
    def load(cls, file: Path = paths.PROJECT / "pyproject.toml") -> Settings:
        """Raises SetupError when the table is incomplete."""
        try:
            table = tomllib.loads(file.read_text())["tool"]["slipway"]
            found = cls(table["pulumi"], dict(table["plugins"]), dict(table["base-images"]))
        except (KeyError, tomllib.TOMLDecodeError) as error:
            raise SetupError(f"{file.name}: [tool.slipway] cannot be read: {error}", f"git diff {file.name}") from error
        if sorted(found.base_images) != sorted(IMAGES):
            raise SetupError(
                f"{file.name}: [tool.slipway.base-images] must name {', '.join(IMAGES)} and nothing else; "
                f"it names {', '.join(found.base_images)}",
                f"git diff {file.name}",
            )
        return found
