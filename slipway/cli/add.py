"""add: declares a Flask folder as a service."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from shlex import quote
from typing import Any

import click

from slipway.add import insertion
from slipway.add.look import NoFlaskAppError, Seen, Surroundings, look, valid_name
from slipway.cli import screen
from slipway.cli.errors import CliError, Code
from slipway.cli.project import DEFAULT_STACK, Project, read
from slipway.cli.target import Target, command
from slipway.settings import fields, service_checks
from slipway.settings.problems import Problem, SettingsError
from slipway.setup import paths
from slipway.site.site import Site


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--name", "-n", help="What the service is called; default: as its folder.")
@click.option("--dry-run", is_flag=True, help="Show the lines and write nothing.")
@command
def add(target: Target, *, path: Path, name: str | None, dry_run: bool) -> int:
    """Declare a Flask folder: look at it and write its settings into Pulumi.yaml.

    The app is read, never run and never changed. Each line says what was seen. What cannot be guessed is listed, with
    what to type.
    """
    project = target.project
    folder = inside(project, path)
    name = chosen(project, folder, name)
    seen = seen_of(project, folder, name)
    file = project.source
    try:
        before = insertion.text_of(file)
        after = insertion.inserted(before, seen.block)
        mistakes = mistakes_with(project, seen)
        if not dry_run:
            insertion.write(file, before, after)
    except (insertion.InsertionError, OSError, UnicodeDecodeError) as error:
        lines = ("Write among its services:", *seen.block.text(2).splitlines())
        raise CliError(f"{file} was left as it is: {error}", *lines) from error
    if target.json:
        screen.as_json(machine(seen, mistakes, written=not dry_run))
    else:
        tell(target, seen, mistakes, written=not dry_run)
    return Code.OK


def inside(project: Project, path: Path) -> Path:
    """The folder, which must lie in the project's: what `add` declares comes along with it. Any other is declared by
    hand, because a service's `path` may lead outside. Raises CliError."""
    folder = path.resolve()
    if not folder.is_dir():
        raise CliError(f"there is no folder {path}", code=Code.MISSING)
    root = project.root.resolve()
    if folder == root or folder in root.parents:
        raise CliError(
            f"{path} is the project's own folder, or around it: a service has a folder of its own",
            f"put the app into {root / 'services' / 'NAME'} and type: {screen.command()} add services/NAME",
            code=Code.USAGE,
        )
    if not folder.is_relative_to(root):
        name = valid_name(folder.name)
        raise CliError(
            f"{folder} is outside of the project {root}, and add takes folders inside it only",
            f"copy it:     cp -R {quote(str(folder))} {quote(str(root / 'services' / name))}",
            f"or keep it as a repository of its own:     git -C {quote(str(root))} submodule add URL services/{name}",
            f"then type:     {screen.command()} add services/{name}",
            f"or declare it by hand in Pulumi.yaml, services.{name}:     path: {os.path.relpath(folder, root)}",
            code=Code.USAGE,
        )
    return folder


def chosen(project: Project, folder: Path, name: str | None) -> str:
    """The service's name, which nothing else has, of a folder that no other service has. Raises CliError."""
    services = project.unpinned().services
    for other, service in services.items():
        if service.path and (project.root / service.path).resolve() == folder:
            raise CliError(
                f"{service.path} is declared already, as the service {other}",
                f"see it in {project.source.name}",
                code=Code.USAGE,
            )
    free = name or valid_name(folder.name)
    if name and (not fields.is_name(name) or name in service_checks.RESERVED):
        what = f"no service can be called {name}: small letters, digits, hyphens, at most {fields.LONGEST_NAME}"
        raise CliError(what, f"--name {valid_name(name)}", code=Code.USAGE)
    if free in services:
        number = next(each for each in range(2, 1000) if f"{free}-{each}" not in services)
        raise CliError(f"there is a service {free} already", f"--name {free}-{number}", code=Code.USAGE)
    return free


def seen_of(project: Project, folder: Path, name: str) -> Seen:
    """What is to be written. Raises CliError where there is no app, or where an older service would lose its route."""
    site = project.unpinned()
    services, keys = site.services, {"route", "host", "image", "command"}
    alone = [other for other in services if not keys & declared_keys(site, other)]
    if len(services) == 1 and alone:
        raise CliError(
            f"{alone[0]} has the route / only as long as it is the only service",
            f"in Pulumi.yaml, write into {alone[0]}:     route: /",
            code=Code.USAGE,
        )
    taken = any(service.route == "/" and not service.host for service in services.values())
    around = Surroundings(folder.relative_to(project.root.resolve()).as_posix(), tuple(services), taken)
    try:
        seen = look(folder, name, around)
    except NoFlaskAppError as error:
        looked = (f"looked for: {each}" for each in error.looked_for)
        raise CliError(f"{around.path} is no Flask app: {error}", *looked, code=Code.USAGE) from None
    if {"services", f"{project.name}:services"} & set(read(project.file).get("config") or {}):
        seen.hints.append(
            f"{project.file.name} has services of its own, which stand in the place of those in Pulumi.yaml"
        )
    return seen


def declared_keys(site: Site, service: str) -> set[str]:
    """What is written of a service."""
    table = site.tables.get(service)
    return set(table) if isinstance(table, Mapping) else set()


def mistakes_with(project: Project, seen: Seen) -> tuple[Problem, ...]:
    """What `make preview` would say of the settings of this stack with the new service in them."""
    services = {**(project.declared.get("services") or {}), seen.block.name: seen.block.declaration()}
    try:
        project.checked(services=services)
    except SettingsError as error:
        return error.problems
    return ()


def machine(seen: Seen, mistakes: tuple[Problem, ...], *, written: bool) -> dict[str, Any]:
    return {
        "service": seen.block.name,
        "written": written,
        "lines": seen.block.settings,
        "declaration": seen.block.declaration(),
        "block": seen.block.text(),
        "missing": [{"what": what, "type": line} for what, line in seen.missing],
        "mistakes": [{"path": each.path, "what": each.what, "fix": list(each.fix)} for each in mistakes],
        "hints": seen.hints,
    }


def tell(target: Target, seen: Seen, mistakes: tuple[Problem, ...], *, written: bool) -> None:
    """The block on standard output, then what is missing, what is good to know, what to type next."""
    print(seen.block.text(), end="")
    if seen.missing:
        screen.say("\nMissing, before it can work:", "bold")
        for what, line in seen.missing:
            screen.say(f"  {what}\n      {line}")
    if mistakes:
        screen.say(f"\nThe settings of stack {target.project.stack} would be refused:", "bold red")
        for problem in mistakes:
            screen.say("\n      ".join((f"  {problem.path}: {problem.what}", *problem.fix)))
    if seen.hints:
        screen.say("\nGood to know:", "bold")
        for hint in seen.hints:
            screen.say(f"  {hint}")
    if not written:
        screen.say("\nNothing was written.")
        return
    count = seen.block.settings
    screen.say(f"\nThe service {seen.block.name} is in Pulumi.yaml, with {count} lines of settings. Type next:", "bold")
    project = target.project
    if project.root == paths.PROJECT:
        screen.say("  make preview" + ("" if project.stack == DEFAULT_STACK else f" STACK={project.stack}"))
    else:
        screen.say(f"  {screen.command()} preview --stack {project.stack}")
