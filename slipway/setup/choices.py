"""What set-up chose, written where every other command reads it.

`.slipway/choices.json` is the record; `.slipway/environment` is the same environment as shell text, for `make` and for
users who want to type plain `pulumi` commands.
"""

from __future__ import annotations

import json
import os
import shlex
from dataclasses import asdict, dataclass, field
from pathlib import Path

from slipway.setup import paths
from slipway.setup.settings import Settings


@dataclass
class Choice:
    """One part's outcome: what was chosen, in words, and why."""

    part: str
    chosen: str
    why: str


@dataclass
class Choices:
    """Everything that set-up decided.

    `environment` maps variable names to values; `path` lists folders that go before the user's PATH; `base_images` maps
    python, postgres, nginx and adminer to the image names that builds start from; `origin` maps a part to the way it
    was obtained, so that a later run need not decide again.
    """

    parts: list[Choice] = field(default_factory=list)
    origin: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    path: list[str] = field(default_factory=list)
    base_images: dict[str, str] = field(default_factory=dict)

    def chose(self, part: str, chosen: str, why: str, *, origin: str) -> Choice:
        """Notes the outcome for one part and returns it for display."""
        choice = Choice(part, chosen, why)
        self.parts.append(choice)
        self.origin[part] = origin
        return choice

    def exported(self) -> dict[str, str]:
        """The environment that commands run in: the user's, with what was chosen laid over it."""
        path = os.pathsep.join([*self.path, *_without(self.path, os.environ.get("PATH", ""))])
        return {**os.environ, **self.environment, "PATH": path}

    def save(self, folder: Path = paths.TOOLS) -> None:
        """Writes both files whole or not at all."""
        folder.mkdir(exist_ok=True)
        lines = [f"export {key}={shlex.quote(value)}" for key, value in sorted(self.environment.items())]
        for directory in reversed(self.path):
            quoted = shlex.quote(directory)
            lines.append(f'case ":$PATH:" in *:{quoted}:*) ;; *) export PATH={quoted}:"$PATH" ;; esac')
        replace(folder / "environment", "\n".join(lines) + "\n")
        replace(folder / "choices.json", json.dumps(asdict(self), indent=2) + "\n")

    @classmethod
    def load(cls, folder: Path = paths.TOOLS) -> Choices:
        """What the last finished set-up chose; empty when there was none or its record cannot be read."""
        try:
            record = json.loads((folder / "choices.json").read_text())
            return cls(**{**record, "parts": [Choice(**part) for part in record["parts"]]})
        except (OSError, ValueError, TypeError, KeyError):
            return cls()


def base_images() -> dict[str, str]:
    """The names of the images that builds start from: those that set-up chose, else those that it would look for."""
    return Settings.load().base_images | Choices.load().base_images


def replace(path: Path, text: str) -> None:
    """Writes a file so that a reader, or an interruption, meets the old text or the new, never a part."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    temporary.write_text(text)
    temporary.replace(path)


def users_environment(previous: Choices) -> dict[str, str]:
    """The environment as the user made it: without what an earlier set-up put there (`. .slipway/environment`)."""
    own = {key: value for key, value in os.environ.items() if previous.environment.get(key) != value}
    own["PATH"] = os.pathsep.join(_without(previous.path, own.get("PATH", os.defpath)))
    return own


def _without(directories: list[str], path: str) -> list[str]:
    return [directory for directory in path.split(os.pathsep) if directory and directory not in directories]
