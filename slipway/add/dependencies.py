"""Which packages a folder asks for, where it says so, and whether the generic Dockerfile can install them."""

from __future__ import annotations

import ast
import configparser
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from slipway.add.source import Source, literal
from slipway.core import requirements
from slipway.core.requirements import LOCKS

_NAME = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
POSTGRES = ("psycopg2", "psycopg2-binary", "psycopg", "psycopg-binary", "pg8000", "asyncpg", "psycopg2cffi")
"""Drivers of Postgres; without -binary, also what SQLAlchemy calls them in a URL."""


@dataclass(frozen=True)
class Dependencies:
    """`where`: {package: file that names it}, normalised names. `lines`: {package: the whole requirement}.

    `extras`: {package: extra that would bring it}. `missing`: why the generic Dockerfile could not install them, and
    what to do; None where it can. `hint`: a lock file that it does not read.
    """

    where: Mapping[str, str]
    lines: Mapping[str, str]
    extras: Mapping[str, str]
    missing: tuple[str, str] | None = None
    hint: str | None = None

    def first(self, *packages: str) -> str | None:
        """The first of these packages that is asked for."""
        return next((package for package in packages if package in self.where), None)

    def names(self, package: str) -> str:
        """`psycopg2 is in requirements.txt`."""
        return f"{package} is in {self.where[package]}"


def read(source: Source) -> Dependencies:
    """Of requirements.txt, pyproject.toml ([project], Poetry), Pipfile, setup.cfg and setup.py."""
    found: dict[str, tuple[str, str]] = {}
    for file in requirements.included(source.folder):
        _keep(found, file, requirements.text(source.folder / file).splitlines())
    project, poetry = _pyproject(source)
    extras: dict[str, str] = {}
    _keep(found, "pyproject.toml", project.get("dependencies") or ())
    for extra, wanted in (project.get("optional-dependencies") or {}).items():
        extras |= dict.fromkeys((name for name, _ in _named(wanted)), extra)
    _keep(found, "pyproject.toml", [f"{name} {_version(value)}" for name, value in poetry.items() if name != "python"])
    _keep(found, "Pipfile", _pipfile(source))
    _keep(found, "setup.cfg", _setup_cfg(source))
    _keep(found, "setup.py", _setup_py(source))
    return Dependencies(
        {name: file for name, (file, _) in found.items()},
        {name: line for name, (_, line) in found.items()},
        {name: extra for name, extra in extras.items() if name not in found},
        _missing(source, project, poetry),
        _hint(source),
    )


def _missing(source: Source, project: Mapping[str, Any], poetry: Mapping[str, Any]) -> tuple[str, str] | None:
    shown = "write the packages that it needs into a requirements.txt"
    if source.text("requirements.txt"):
        return None
    if "dependencies" in project:
        return None
    if "dependencies" in (project.get("dynamic") or ()):
        return "pyproject.toml leaves its dependencies to a build tool (dynamic), which the image does not run", shown
    if project:
        return "the [project] of pyproject.toml has no dependencies, so not even Flask would be installed", shown
    if poetry:
        what = "pyproject.toml names its dependencies for Poetry only, and the image is built by pip"
        return what, LOCKS["poetry.lock"]
    if source.text("Pipfile"):
        return "a Pipfile is all there is, and the image is built by pip", LOCKS["Pipfile.lock"]
    there = source.text("setup.py", "setup.cfg")
    what = f"only {there[0]} names its dependencies" if there else "nothing names its dependencies"
    return f"{what}: the image is built from requirements.txt or the [project] of pyproject.toml", shown


def _hint(source: Source) -> str | None:
    if source.text("requirements.txt"):
        return None
    lock = next((name for name in LOCKS if (source.folder / name).is_file()), None)
    return lock and f"{lock} is not read: to pin what the image installs, in its folder type: {LOCKS[lock]}"


def _pyproject(source: Source) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The tables [project] and [tool.poetry.dependencies]."""
    text = source.text("pyproject.toml")
    try:
        table = tomllib.loads(text[1]) if text else {}
    except tomllib.TOMLDecodeError:
        return {}, {}
    tool = table.get("tool")
    poetry = tool.get("poetry") if isinstance(tool, dict) else None
    return _table(table.get("project")), _table(_table(poetry).get("dependencies"))


def _pipfile(source: Source) -> list[str]:
    text = source.text("Pipfile")
    try:
        return list(_table(tomllib.loads(text[1]).get("packages"))) if text else []
    except tomllib.TOMLDecodeError:
        return []


def _setup_cfg(source: Source) -> list[str]:
    text = source.text("setup.cfg")
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(text[1] if text else "")
    except configparser.Error:
        return []
    return parser.get("options", "install_requires", fallback="").splitlines()


def _setup_py(source: Source) -> list[str]:
    text = source.text("setup.py")
    try:
        tree = ast.parse(text[1] if text else "")
    except (SyntaxError, ValueError):
        return []
    keywords = (node for node in ast.walk(tree) if isinstance(node, ast.keyword) and node.arg == "install_requires")
    value = next((literal(keyword.value) for keyword in keywords), None)
    return [str(each) for each in value] if isinstance(value, (list, tuple)) else []


def _keep(found: dict[str, tuple[str, str]], file: str, requirements: Iterable[object]) -> None:
    for name, line in _named(requirements):
        found.setdefault(name, (file, line))


def _named(requirements: Iterable[object]) -> list[tuple[str, str]]:
    """(normalised name, requirement without its comment) of each line that names a package."""
    lines = [str(each).partition(" #")[0].strip() for each in requirements]
    matches = [(_NAME.match(line), line) for line in lines]
    return [(re.sub(r"[-_.]+", "-", match[1]).lower(), line) for match, line in matches if match]


def _version(value: object) -> str:
    return str(value if isinstance(value, str) else _table(value).get("version", ""))


def _table(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
