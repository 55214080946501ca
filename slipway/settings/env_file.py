"""Environment variables that stand in a file of the project: `envFile:` of a service.

JSON: a list of {"name": …, "value": …}, or a table. Anything else: lines NAME=value, as `docker run --env-file` reads
them (no quotes; a line that begins with # is a comment).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from slipway.settings.problems import Problem, write_service

KEY = "envFile"
EXAMPLE = "config/production.json"


def included(services: Mapping[str, Any], root: Path) -> tuple[dict[str, Any], list[Problem]]:
    """The services as they were written, with what their files hold in `env` (which wins) instead of `envFile`; and
    what was wrong with a file. So a release's record holds the variables themselves. What is no path is left as it is.
    """
    found: dict[str, Any] = {}
    problems = []
    for name, table in services.items():
        found[name] = table
        if not isinstance(table, Mapping) or not isinstance(table.get(KEY), str):
            continue
        own = table.get("env") or {}
        rest = {key: value for key, value in table.items() if key != KEY}
        variables: dict[str, Any] = {}
        try:
            variables = read(root / table[KEY])
        except (OSError, ValueError) as error:
            what = f"{table[KEY]} {wrong(error)}"
            fix = write_service(str(name), KEY, value=EXAMPLE)
            problems.append(Problem(path=f"services.{name}.{KEY}", what=what, fix=fix))
        found[name] = rest | {"env": {**variables, **own} if isinstance(own, Mapping) else own}
    return found, problems


def wrong(error: OSError | ValueError) -> str:
    if isinstance(error, FileNotFoundError):
        return "is not there; the path begins at the folder of Pulumi.yaml"
    if isinstance(error, (OSError, UnicodeDecodeError)):
        return "cannot be read as text"
    return str(error)


def read(file: Path) -> dict[str, Any]:
    """{variable: value}. Raises OSError, and ValueError with what is wrong with the content."""
    text = file.read_text()
    return _json(text) if file.suffix == ".json" else _lines(text)


def _json(text: str) -> dict[str, Any]:
    try:
        held = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"is no JSON: line {error.lineno}: {error.msg}") from None
    if isinstance(held, dict):
        return held
    if not isinstance(held, list) or any(
        not isinstance(each, dict) or each.keys() != {"name", "value"} for each in held
    ):
        raise ValueError('must hold a list of {"name": …, "value": …}, or a table')
    return {str(each["name"]): each["value"] for each in held}


def _lines(text: str) -> dict[str, Any]:
    found = {}
    for number, line in enumerate(text.splitlines(), 1):
        name, equals, value = line.strip().partition("=")
        if not name or name.startswith("#"):
            continue
        if not equals:
            raise ValueError(f"must hold lines NAME=value; line {number} is none")
        found[name] = value
    return found
