"""Whether Slipway's own Dockerfile can build a service's folder: packages are listed, and pip finds what it reads."""

from __future__ import annotations

import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

from slipway.core import generic_build, requirements
from slipway.settings.problems import Problem
from slipway.settings.service_checks import problem
from slipway.site.site import Service, Site


def everything(site: Site, service: Service) -> Iterator[Problem]:
    """All problems of the image of one service, where its folder has no Dockerfile of its own."""
    if service.path is None or not site.needs_sources:
        return
    folder = site.root / service.path
    if folder.is_dir() and not (folder / "Dockerfile").is_file():
        mentions = requirements.mentions(folder)
        yield from _mentioned(service, folder) if mentions else _unlisted(service, folder)


def _unlisted(service: Service, folder: Path) -> Iterator[Problem]:
    """pyproject.toml is what remains."""
    shown = service.path or ""
    try:
        project = tomllib.loads(requirements.text(folder / "pyproject.toml")).get("project")
    except FileNotFoundError:
        what = f"{shown} has no Dockerfile, and no requirements.txt that names the packages to install"
    except tomllib.TOMLDecodeError as error:
        yield problem(service, "path", f"{shown}/pyproject.toml: {error}", ("Correct the file.",))
        return
    else:
        if project is None:
            what = f"{shown}/pyproject.toml has no [project] table with the packages to install"
        elif "dependencies" in project.get("dynamic", ()):
            what = f"{shown}/pyproject.toml leaves its dependencies to a build tool (dynamic)"
        else:
            return
    lock = next((command for name, command in requirements.LOCKS.items() if (folder / name).is_file()), None)
    line = shlex.quote(f"-r {other}") if (other := requirements.elsewhere(folder)) else "flask"
    made = (
        f"cd {shlex.quote(shown)} && {lock}" if lock else f"echo {line} >> {shlex.quote(f'{shown}/requirements.txt')}"
    )
    yield problem(service, "path", what, (f"Type: {made}",))


def _mentioned(service: Service, folder: Path) -> Iterator[Problem]:
    ignored = generic_build.ignored(folder)
    for mention in requirements.mentions(folder):
        path = f"{service.path}/{mention.path}"
        if mention.outside:
            what = f"{mention.path} lies outside {service.path}, and its image is built from that folder alone"
            fix = f"Copy it into {service.path}, and name it so in {mention.where}"
        elif not (folder / mention.path).exists():
            what = f"there is no {path}"
            fix = f"Make it, or correct {service.path}/{mention.where}"
        elif not (folder / mention.path).resolve().is_relative_to(folder.resolve()):
            what = f"{path} is a link that leads out of {service.path}, and its image is built from that folder alone"
            fix = f"Put a copy in its place: {shlex.quote(path)}"
        elif ignored.leaves_out(mention.path):
            what = f"the build does not see {path}: it is among what {service.path}/.dockerignore leaves out"
            fix = f"Type: echo '!{mention.path}' >> {shlex.quote(f'{service.path}/.dockerignore')}"
        else:
            continue
        yield problem(
            service, "path", f"{mention.where}: {what}" if mention.path != requirements.FILE else what, (fix,)
        )
