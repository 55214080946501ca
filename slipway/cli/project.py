"""The Pulumi project and the stack that a command is about, as far as it must be known without running the program."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from slipway.cli import screen
from slipway.cli.errors import CliError, Code
from slipway.settings.profile import Profile, guarding
from slipway.setup import paths

DEFAULT_STACK = "dev"
"""The stack that a command is about when none is named."""
KEYS = ("encryptionsalt", "encryptedkey", "secretsprovider")
"""What a stack file says of how its secrets are encrypted."""


@dataclass(frozen=True)
class Project:
    """`root` is the folder of Pulumi.yaml; `declared` the configuration of the stack, {key: value}, project defaults
    included; `locks_itself` whether the stack file settles how secrets are encrypted."""

    root: Path
    name: str
    stack: str
    described: Mapping[str, Any]
    file: Path
    declared: Mapping[str, Any]
    locks_itself: bool

    @classmethod
    def load(cls, stack: str, folder: Path | None = None) -> Project:
        """From `folder`, else the nearest folder upwards with a Pulumi.yaml, else Slipway's own. Raises CliError."""
        root = folder.resolve() if folder else nearest(Path.cwd()) or paths.PROJECT
        described = read(root / "Pulumi.yaml")
        if not described.get("name"):
            raise CliError(f"there is no project in {root}: no Pulumi.yaml with a name", code=Code.USAGE)
        file = root / str(described.get("stackConfigDir", ".")) / f"Pulumi.{stack}.yaml"
        own, name = read(file), str(described["name"])
        declared = {key: default(value) for key, value in (described.get("config") or {}).items()}
        declared |= {key.removeprefix(f"{name}:"): value for key, value in (own.get("config") or {}).items()}
        return cls(root, name, stack, described, file, declared, any(key in own for key in KEYS))

    @property
    def profile(self) -> Profile:
        """What kind of stack it is."""
        return guarding(self.stack, self.declared.get("profile"))

    @property
    def services(self) -> Mapping[str, Mapping[str, Any]]:
        """{name: what is declared of it}."""
        return {name: table or {} for name, table in (self.declared.get("services") or {}).items()}

    @property
    def pinned(self) -> str:
        """The number of the release that the stack is held at; "" while it follows the source."""
        written = self.declared.get("release")
        return str(written.get("release", "")) if isinstance(written, Mapping) else ""

    def typed(self, command: str, *, delete_data: bool = False) -> str:
        """How an operator types `up` or `down` for this stack: `make` knows only the project that Slipway lies in."""
        if self.root == paths.PROJECT:
            return f"make {command} STACK={self.stack}" + (" DATA=delete" if delete_data else "")
        return f"{screen.command()} {command} --stack {self.stack}" + (" --delete-data" if delete_data else "")

    @property
    def policy(self) -> tuple[str, ...]:
        """The flags with which Pulumi checks the program against the policy pack that lies beside it."""
        pack = self.root / str(self.described.get("main") or ".") / "policy"
        return ("--policy-pack", str(pack.resolve())) if (pack / "PulumiPolicy.yaml").is_file() else ()

    def __str__(self) -> str:
        return f"{self.name}-{self.stack}"

    @contextmanager
    def config_file(self) -> Iterator[list[str]]:
        """The flags with which Pulumi reads this stack's configuration from a copy.

        Pulumi writes the salt of the stack's passphrase into the file that it reads. In the committed one that would
        be a change after each `up`, and would lock out everybody with another passphrase. A copy without a salt gets
        it from the state. A stack file that already says how secrets are encrypted is the user's choice and is used.
        """
        if self.locks_itself:
            yield ["--config-file", str(self.file)]
            return
        with tempfile.TemporaryDirectory(prefix="slipway-") as folder:
            copy = Path(folder) / self.file.name
            copy.write_bytes(self.file.read_bytes() if self.file.exists() else b"")
            yield ["--config-file", str(copy)]


def nearest(folder: Path) -> Path | None:
    return next((each for each in (folder, *folder.parents) if (each / "Pulumi.yaml").is_file()), None)


def read(file: Path) -> dict[str, Any]:
    """A YAML table; empty where there is no file. Raises CliError where it is something else."""
    try:
        found = yaml.safe_load(file.read_text()) or {}
    except FileNotFoundError:
        return {}
    except (OSError, yaml.YAMLError) as error:
        raise CliError(f"{file} cannot be read: {error}", code=Code.USAGE) from error
    if not isinstance(found, dict):
        raise CliError(f"{file} is no table of keys and values", code=Code.USAGE)
    return found


def default(value: Any) -> Any:
    """The value of an entry of `config:` in Pulumi.yaml, which may be a description of it."""
    if isinstance(value, dict) and value.keys() & {"type", "default", "value", "description"}:
        return value.get("value", value.get("default"))
    return value
