"""The Pulumi project and the stack that a command is about, as far as it must be known without running the program."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from slipway.cli import screen
from slipway.cli.errors import CliError, Code
from slipway.settings import parse, project_files
from slipway.settings.pin import RELEASE
from slipway.setup import paths
from slipway.setup.choices import base_images
from slipway.site.profile import Profile
from slipway.site.site import Site

DEFAULT_STACK = "dev"
"""The stack that a command is about when none is named."""
KEYS = ("encryptionsalt", "encryptedkey", "secretsprovider")
"""What a stack file says of how its secrets are encrypted."""


@dataclass(frozen=True)
class Project:
    """`root` is the folder of the project file, `source`; `described` what that says; `file` the stack's own, which
    need not be there; `declared` the configuration of the stack as the program gets it, {key: value}; `locks_itself`
    whether the stack file settles how secrets are encrypted."""

    root: Path
    source: Path
    name: str
    stack: str
    described: Mapping[str, Any]
    file: Path
    declared: Mapping[str, Any]
    locks_itself: bool

    @classmethod
    def load(cls, stack: str, folder: Path | None = None) -> Project:
        """The project in `folder`, else the nearest one from here upwards. Raises CliError."""
        source = project_files.project_file(folder.resolve()) if folder else project_files.nearest(Path.cwd())
        if source is None:
            raise CliError(
                f"there is no Pulumi.yaml in {folder.resolve()}" if folder else "there is no Pulumi.yaml here or above",
                "go into the folder of your site, or name it:  --project FOLDER",
                f"the site that comes with Slipway:  --project {paths.PROJECT}",
                code=Code.USAGE,
            )
        described = read(source)
        if not described.get("name"):
            raise CliError(f"{source} is no project: it has no `name`", code=Code.USAGE)
        file = project_files.stack_file(source, described, stack)
        own = read(file)
        declared = project_files.configuration(described, own)
        locks = any(key in own for key in KEYS)
        return cls(source.parent, source, str(described["name"]), stack, described, file, declared, locks)

    @cached_property
    def site(self) -> Site:
        """What the program makes of the configuration, also while there are mistakes in it: what is wrong is left out,
        and a profile that does not exist counts as the one that guards more."""
        return self._site(self.declared)

    def checked(self, **changed: Any) -> Site:
        """The site with other values for these keys. Raises SettingsError with every mistake."""
        return parse.parse({**self.declared, **changed}, **self._about)

    def unpinned(self) -> Site:
        """The site as it is declared, whatever release the stack is held at."""
        return self._site({key: value for key, value in self.declared.items() if key != RELEASE})

    def pinned_to(self, release: Mapping[str, Any]) -> Site:
        """The site that a stack held at this release has."""
        return self._site({**self.declared, RELEASE: release})

    def _site(self, declared: Mapping[str, Any]) -> Site:
        return parse.read(declared, **self._about)[0]

    @property
    def _about(self) -> dict[str, Any]:
        """What else the settings are read with."""
        return {"project": self.name, "stack": self.stack, "root": self.root, "base_images": base_images()}

    @property
    def profile(self) -> Profile:
        """What kind of stack it is."""
        return self.site.profile

    @property
    def pinned(self) -> str:
        """The number of the release that the stack is held at; "" while it follows the source."""
        return self.site.pin.release if self.site.pin else ""

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


def read(file: Path) -> dict[str, Any]:
    """A file's table; empty where there is no file. Raises CliError where it is something else."""
    try:
        return project_files.read(file)
    except (OSError, ValueError) as error:
        raise CliError(f"{file} cannot be read: {error}", code=Code.USAGE) from error
