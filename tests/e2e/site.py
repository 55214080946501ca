"""The whole product in a folder of its own: a copy of the project with its own name, ports and state.

Everything on the engine that belongs to it begins with its project's random name, so it is removed whole, and nothing
else is touched.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import yaml
from docker.errors import APIError
from docker.models.containers import Container

from slipway.setup import paths
from tests.support import engine
from tests.support.base_images import base_image
from tests.support.pulumi_project import PulumiProject
from tests.support.waiting import wait_until

NOT_COPIED = (".git", ".venv", ".slipway", ".*_cache", "__pycache__", "tests", "offline", "bench", "docs")
UP_SECONDS = 600
"""For one `up`: on a new machine its images are built with their packages."""
AUTOMATIC = re.compile(r"-[0-9a-f]{7}$")
"""What Pulumi puts behind a name."""
HEALTHY = 20
"""Seconds until a started container's health check, which asks every five seconds, has found it well."""


class Site(PulumiProject):
    """One stack of the product. `settings` are merged into the stack file; `program` is the folder with the version of
    Slipway that makes it, and what is in the folder `over` takes the place of its files."""

    def __init__(
        self,
        directory: Path,
        stack: str,
        settings: Mapping[str, Any],
        *,
        virtualenv: Path,
        owner: int | None = None,
        program: Path = paths.PROJECT,
        over: Path | None = None,
    ) -> None:
        source = directory / "source"
        copied(program, source, virtualenv=virtualenv)
        if over:
            shutil.copytree(over, source, dirs_exist_ok=True)
        self.make(directory, source, stack, settings, virtualenv=virtualenv)
        shutil.rmtree(source)
        if owner is not None:
            for path in (self.directory, *self.directory.rglob("*")):
                os.chown(path, owner, owner, follow_symlinks=False)

    def make(self, directory: Path, source: Path, stack: str, settings: Mapping[str, Any], *, virtualenv: Path) -> None:
        """Copies a folder with a Pulumi.yaml and gives the copy a name and these settings."""
        stack_file = yaml.safe_load((source / f"Pulumi.{stack}.yaml").read_text()) or {}
        super().__init__(directory, source, virtualenv=virtualenv, name=f"e2e-{secrets.token_hex(4)}", stack=stack)
        self.project = str(yaml.safe_load((self.directory / "Pulumi.yaml").read_text())["name"])
        self.write(f"Pulumi.{stack}.yaml", yaml.safe_dump(merged(stack_file, {"config": settings})))
        self.images: set[str] = set()

    @property
    def prefix(self) -> str:
        return f"{self.project}-{self.stack}"

    def up(self, *flags: str, succeeds: bool = True, timeout: float = UP_SECONDS) -> Any:
        self.note_images()
        return super().up(*flags, succeeds=succeeds, timeout=timeout)

    def container(self, name: str) -> Container:
        return engine.container(f"{self.prefix}-{name}")

    def containers(self) -> dict[str, Container]:
        """{logical name: container}, running or not, of all that the stack has on the engine."""
        found = engine.client().containers.list(all=True, filters={"label": self.labels()}, ignore_removed=True)
        return {AUTOMATIC.sub("", str(each.name).removeprefix(f"{self.prefix}-")): each for each in found}

    def labels(self) -> list[str]:
        return [f"slipway.project={self.project}", f"slipway.stack={self.stack}"]

    def ids(self) -> dict[str, str]:
        """{logical name: container id}."""
        return {name: str(each.id) for name, each in self.containers().items()}

    def starts(self, names: set[str]) -> dict[str, tuple[str, str]]:
        """{logical name: the container's id and when it was started last}."""
        found = {name: each for name, each in self.containers().items() if name in names}
        return {name: (str(each.id), each.attrs["State"]["StartedAt"]) for name, each in found.items()}

    def inside(self, name: str, *command: str, user: str = "") -> str:
        """What a command that succeeds prints in a running container."""
        result: Any = self.container(name).exec_run(list(command), user=user)
        output = str(result.output.decode())
        assert result.exit_code == 0, f"{command} in {name}: exit code {result.exit_code}: {output}"
        return output

    def edit(self, file: str, old: str, new: str) -> None:
        """Changes the project's source as an editor would."""
        path = self.directory / file
        text = path.read_text()
        assert old in text, f"{file} does not hold {old!r}"
        path.write_text(text.replace(old, new))

    def replace_program(self, program: Path) -> None:
        """Puts another version of Slipway in this one's place, as `git pull` does; the stack's own settings stay."""
        own = {file.name: file.read_text() for file in self.directory.glob("Pulumi.*yaml")}
        shutil.copytree(program, self.directory, dirs_exist_ok=True, ignore=shutil.ignore_patterns(*NOT_COPIED))
        for name, text in own.items():
            self.write(name, text)
        described = yaml.safe_load((program / "Pulumi.yaml").read_text())
        kept = yaml.safe_load(own["Pulumi.yaml"])
        self.write("Pulumi.yaml", yaml.safe_dump(described | {key: kept[key] for key in ("name", "runtime")}))

    def kill_main_process(self, name: str) -> None:
        self.kill_process(self.container(name))

    def kill_process(self, found: Container) -> None:
        """Kills a container's main process from outside: `docker kill` would count as wished for, and nothing would
        start it again."""
        engine.client().containers.run(
            base_image("python"),
            ["sh", "-c", f"kill -9 {found.attrs['State']['Pid']}"],
            name=f"{self.prefix}-killer",
            entrypoint=[],
            user="0",
            pid_mode="host",
            network_mode="none",
            remove=True,
        )

    def wait_until_healthy(self, seconds: float = HEALTHY) -> None:
        for name, each in self.containers().items():
            wait_until(f"{name} is well", lambda each=each: engine.health(each) in {"healthy", ""}, seconds)  # type: ignore[misc]

    def note_images(self) -> None:
        """Remembers the images in use: a change of code takes their names away."""
        self.images |= {str(each.attrs["Image"]) for each in self.containers().values()}

    def remains(self) -> list[str]:
        """What the engine still has of this project: containers, networks, volumes."""
        client = engine.client()
        kept: list[Any] = [
            *client.containers.list(all=True, filters={"name": f"^/{self.project}-"}, ignore_removed=True),
            *client.networks.list(),
            *client.volumes.list(),
        ]
        return sorted(str(each.name) for each in kept if str(each.name).startswith(f"{self.project}-"))

    def remove(self) -> None:
        """Destroys the stack, and its data and images with it."""
        self.note_images()
        try:
            self.destroy()
        finally:
            engine.remove_all(self.project)
            for tag in engine.tags(f"{self.project}-"):
                engine.remove_image(tag)
            for identity in self.images:
                with contextlib.suppress(APIError):  # gone with its name, or still in use elsewhere
                    image = engine.client().images.get(identity)
                    if not (image.tags or image.attrs["RepoDigests"]):  # what has a name is not ours alone
                        engine.client().images.remove(identity)


@contextmanager
def running(site: Site) -> Iterator[Site]:
    """Brings the site up, and takes away everything of it afterwards."""
    try:
        site.init()
        site.up()
        yield site
    finally:
        site.remove()


def copied(program: Path, target: Path, *left_out: str, virtualenv: Path) -> None:
    """A copy of the product, set up as the original is."""
    shutil.copytree(program, target, ignore=shutil.ignore_patterns(*NOT_COPIED, *left_out))
    (target / ".slipway").symlink_to(paths.TOOLS)
    (target / ".venv").symlink_to(virtualenv)


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`over` laid over `base`, tables into tables."""
    result = dict(base)
    for key, value in over.items():
        both = isinstance(value, Mapping) and isinstance(result.get(key), Mapping)
        result[key] = merged(result[key], value) if both else value
    return result


def status(url: str) -> int:
    """Status of one GET, redirects followed; 0 when nothing answers."""
    try:
        return httpx.get(url, follow_redirects=True, timeout=5).status_code
    except httpx.TransportError:
        return 0
