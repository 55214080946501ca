"""new: makes the folder of a site."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from shlex import quote

import click

from slipway import new as site
from slipway.add.look import valid_name
from slipway.cli import screen
from slipway.cli.errors import CliError, Code
from slipway.cli.pulumi import PULUMI, environment, setup
from slipway.cli.target import ended
from slipway.settings import fields
from slipway.setup import paths
from slipway.setup.choices import Choices


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--name", "-n", help="What the site is called; default: as its folder.")
def new(folder: Path, name: str | None) -> None:
    """Make the folder of a site: settings for dev and prod, and one Flask service to begin with.

    DIR must not exist, or be empty, and lie outside of Slipway's own folder. Another site of that name, up or not, is
    never touched: the name must be free in the backend.
    """
    sys.exit(ended(lambda: make(folder, name), json=False))


def make(folder: Path, name: str | None) -> int:
    """Everything that can be wrong is found before the first file is written. Raises CliError."""
    target = place(folder)
    chosen = called(target, name)
    port = site.first_port(target)
    written = site.files(target, paths.PROJECT, chosen, port)
    try:
        for path, text in written.items():
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            (target / path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise CliError(f"{target} cannot be written: {error.strerror}", code=Code.USAGE) from error
    tell(target, folder, chosen, port)
    return Code.OK


def place(folder: Path) -> Path:
    """Where the site will be. Raises CliError where something is there, or the folder is Slipway's."""
    target = folder.resolve()
    try:
        taken = (target.exists() and not target.is_dir()) or any(target.iterdir() if target.exists() else ())
    except OSError as error:
        raise CliError(f"{folder} cannot be read: {error.strerror}", code=Code.USAGE) from error
    if taken:
        raise CliError(f"{folder} is there already, and not an empty folder", "choose another", code=Code.USAGE)
    if target.is_relative_to(paths.PROJECT):
        raise CliError(
            f"{folder} is in Slipway's own folder, which is upgraded as a whole",
            f"{screen.command()} new {quote(str(paths.PROJECT.parent / (target.name if folder.name else 'site')))}",
            code=Code.USAGE,
        )
    return target


def called(target: Path, name: str | None) -> str:
    """The site's name. Raises CliError for one that cannot be, and one that has stacks already: they would be taken
    for this site's, and changed into it."""
    chosen = valid_name(target.name) if name is None else name
    if not fields.is_name(chosen):
        what = f"no site can be called {chosen!r}: small letters, digits, hyphens, at most {fields.LONGEST_NAME}"
        raise CliError(what, f"--name {valid_name(chosen)}", code=Code.USAGE)
    if found := stacks(chosen):
        raise CliError(
            f"there is a site {chosen} already, with the stacks {', '.join(found)}",
            "choose another name:  --name NAME",
            code=Code.USAGE,
        )
    return chosen


def stacks(project: str) -> list[str]:
    """The names of a project's stacks, whoever made them. Raises CliError where the backend cannot be asked."""
    chosen = environment(Choices.load(), os.environ)
    if not shutil.which("pulumi", path=chosen["PATH"]):
        raise CliError("there is no pulumi command", setup(), code=Code.NOT_SET_UP)
    done = subprocess.run(
        [*PULUMI, "--non-interactive", "stack", "ls", "--project", project, "--json"],
        cwd="/",  # no project's own backend
        env=chosen | {"PWD": "/"},
        text=True,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise CliError(f"the stacks in the backend cannot be listed:\n{done.stderr.strip()}")
    return [str(each["name"]) for each in json.loads(done.stdout or "[]") or ()]


def tell(target: Path, typed: Path, name: str, port: int) -> None:
    """What to type next, from where this was typed."""
    command = "slipway" if shutil.which("slipway") else quote(str(paths.PROJECT / "bin" / "slipway"))
    screen.say(f"The site {name} is in {target}. Type next:", "bold")
    steps = {
        f"cd {quote(os.fspath(typed))}": "",
        f"{command} up": f"dev, with live reload: http://127.0.0.1:{port}",
        f"{command} up --stack prod": f"production: http://127.0.0.1:{port + site.PROD}",
        f"{command} add services/NAME": "declares one more Flask folder",
    }
    width = max(map(len, steps)) + 4
    for line, what in steps.items():
        screen.say(f"  {line:{width}}{what}".rstrip())
