"""The files of a Pulumi project, found and read as Pulumi does, for who must know the settings without Pulumi.

Pulumi reads YAML 1.2 with Go's numbers: `yes` is a text there, 0o17 and 017 are 15, 1e3 is 1000. PyYAML reads YAML 1.1.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

NAME = "Pulumi"
EXTENSIONS = (".json", ".yaml", ".yml")
"""In the order in which Pulumi looks for them (pulumi/pulumi, sdk/go/common/workspace/paths.go)."""
ENCRYPTED = "encrypted"
"""Stands for an encrypted value, which only Pulumi can read."""

_NULL = re.compile(r"~|null|Null|NULL|")
_BOOLEAN = re.compile(r"true|True|TRUE|false|False|FALSE")
_INTEGER = re.compile(r"[-+]?(0[xX][0-9a-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|[0-9][0-9_]*)")
_FLOAT = re.compile(
    r"[-+]?(\.[0-9][0-9_]*|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
)
LARGEST_WHOLE = 1e21
"""From here on Go writes JSON numbers with an exponent."""
_BASES = {"x": 16, "o": 8, "b": 2}


class Loader(yaml.SafeLoader):
    """Takes plain words for what Pulumi takes them for. A date stays the text that was written."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - PyYAML's own interface


class Dumper(yaml.SafeDumper):
    """Quotes every text that PyYAML or Pulumi would read as something else."""


def _number(loader: Loader, node: yaml.ScalarNode) -> int | float:
    text = loader.construct_scalar(node).replace("_", "")
    sign, digits = (-1 if text.startswith("-") else 1), text.lstrip("+-")
    if base := _BASES.get(digits[1:2].lower()):
        return sign * int(digits[2:], base)
    if digits.isdecimal():
        octal = digits.startswith("0") and set(digits) <= set("01234567")
        return sign * int(digits, 8 if octal else 10)
    number = sign * float(digits.lower().removeprefix(".") if digits[1:].isalpha() else digits)
    return int(number) if abs(number) < LARGEST_WHOLE and number.is_integer() else number


for _tag, _pattern, _first in (
    ("null", _NULL, ["~", "n", "N", ""]),
    ("bool", _BOOLEAN, list("tTfF")),
    ("int", _INTEGER, list("-+0123456789")),
    ("float", _FLOAT, list("-+.0123456789")),
):
    _whole = re.compile(rf"(?:{_pattern.pattern})\Z")
    for _reader in (Loader, Dumper):
        _reader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", _whole, _first)
Loader.add_implicit_resolver("tag:yaml.org,2002:merge", re.compile(r"<<\Z"), ["<"])
for _tag in ("int", "float"):
    Loader.add_constructor(f"tag:yaml.org,2002:{_tag}", _number)


def project_file(folder: Path) -> Path | None:
    """The project file in this folder."""
    files = (folder / f"{NAME}{extension}" for extension in EXTENSIONS)
    return next((file for file in files if file.is_file()), None)


def nearest(folder: Path) -> Path | None:
    """The project file in this folder or the closest one above it."""
    found = (project_file(each) for each in (folder, *folder.parents))
    return next((file for file in found if file), None)


def stack_file(project: Path, described: Mapping[str, Any], stack: str) -> Path:
    """Where a stack of the project has its settings; there need be none."""
    return project.parent / str(described.get("stackConfigDir") or ".") / f"{NAME}.{stack}{project.suffix}"


def read(file: Path) -> dict[str, Any]:
    """A file's table; empty where there is no file. Raises OSError, and ValueError where it is something else."""
    try:
        table = yaml.load(file.read_text(), Loader) or {}  # noqa: S506 - a SafeLoader
    except FileNotFoundError:
        return {}
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error
    if not isinstance(table, dict):
        raise ValueError("it is no table of keys and values")  # noqa: TRY004 - wrong content, not a wrong call
    return table


def configuration(described: Mapping[str, Any], of_stack: Mapping[str, Any]) -> dict[str, Any]:
    """{key: value} of a stack, from the tables of the project's and the stack's file. Keys of the project itself are
    without its name, others as they are."""
    defaults, own = (table.get("config") or {} for table in (described, of_stack))
    prefix = f"{described.get('name')}:"
    written = {key: _default(value) for key, value in defaults.items()}
    return {str(key).removeprefix(prefix): value_of(_plain(value)) for key, value in (written | own).items()}


def value_of(written: Any) -> Any:
    """A value of the configuration as the program gets it: what reads as JSON as that, an empty text as none."""
    if not isinstance(written, str):
        return written
    try:
        return json.loads(written)
    except ValueError:
        return written or None


def _default(value: Any) -> Any:
    """The value of an entry of `config:` in the project file, which may be a description of it."""
    if isinstance(value, dict) and value.keys() & {"type", "default", "value", "description"}:
        return value.get("value", value.get("default"))
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return ENCRYPTED if value.keys() == {"secure"} else {key: _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list) else value
