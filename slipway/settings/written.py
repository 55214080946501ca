"""Whether environment variables arrive as they were written: YAML has numbers and dates, and a variable is a text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from slipway.settings import project_files
from slipway.settings.fields import as_text
from slipway.settings.problems import Problem, spelled

KEYS = ("services", "overrides")
_DATE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}")
_YEAR = 4


def problems(raw: Mapping[str, Any], root: Path, stack: str) -> Iterator[Problem]:
    """The variables that the project's files name and that are something else in the configuration, `raw`."""
    source = project_files.project_file(root)
    if source is None:
        return
    defaults = _entries(source)
    own = _entries(project_files.stack_file(source, _described(source), stack))
    for key in KEYS:
        file, node = own.get(key) or defaults.get(key) or (source, None)
        for (service, variable), text in _variables(node):
            arrived = as_text(_at(raw, key, service, "env", variable))
            if isinstance(arrived, str) and arrived != text and _made_of(text, arrived):
                yield Problem(
                    path=spelled(key, service, "env", variable),
                    what=f"YAML reads {text} as {arrived}",
                    fix=(f'In {file.name}, {key}.{service}.env: write `{variable}: "{text}"`',),
                )


def _made_of(text: str, arrived: str) -> bool:
    """Whether YAML makes that of the text. If not, the value is from another place."""
    if _DATE.match(text):
        return arrived.startswith(text[:_YEAR])
    try:
        return bool(as_text(yaml.load(text, project_files.Loader)) == arrived)  # noqa: S506 - a SafeLoader
    except yaml.YAMLError:
        return False


def _described(source: Path) -> dict[str, Any]:
    try:
        return project_files.read(source)
    except (OSError, ValueError):
        return {}


def _entries(file: Path) -> dict[str, tuple[Path, yaml.Node]]:
    """{key of the configuration: (the file, what stands there)}; empty for a file that is not there or no YAML."""
    try:
        document = yaml.compose(file.read_text(), project_files.Loader)
    except (OSError, ValueError, yaml.YAMLError):
        return {}
    config = _pairs(_pairs(document).get("config"))
    values = {key.rpartition(":")[2]: node for key, node in config.items()}
    return {
        key: (file, _pairs(node).get("value") or _pairs(node).get("default") or node) for key, node in values.items()
    }


def _variables(services: yaml.Node | None) -> Iterator[tuple[tuple[str, str], str]]:
    """((service, variable), text) of those that stand without quotes."""
    for service, table in _pairs(services).items():
        for variable, node in _pairs(_pairs(table).get("env")).items():
            if isinstance(node, yaml.ScalarNode) and node.style is None:
                yield (service, variable), node.value


def _pairs(node: yaml.Node | None) -> dict[str, yaml.Node]:
    return {str(key.value): value for key, value in node.value} if isinstance(node, yaml.MappingNode) else {}


def _at(table: Any, *keys: str) -> Any:
    for key in keys:
        table = table.get(key) if isinstance(table, Mapping) else None
    return table
