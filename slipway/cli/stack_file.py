"""One key of a stack's file, written and taken out again; everything else in the file stays as somebody wrote it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import yaml

from slipway.cli.errors import CliError, Code
from slipway.cli.project import Project
from slipway.settings.project_files import Dumper

JSON = ".json"


def put(project: Project, key: str, value: Any, note: str) -> None:
    """Writes the key, where plain Pulumi finds it too. JSON has no place for the note. Raises CliError."""
    text = project.file.read_text() if project.file.exists() else ""
    try:
        new = _json(project, text, {key: value}) if project.file.suffix == JSON else with_key(text, key, value, note)
    except ValueError as error:
        raise CliError(f"{project.file} cannot take `{key}`: {error}", code=Code.USAGE) from None
    write(project, new)


def take_out(project: Project, key: str, note: str) -> None:
    """Writes the file without the key."""
    text = project.file.read_text()
    write(project, _json(project, text, {key: None}) if project.file.suffix == JSON else without_key(text, key, note))


def _json(project: Project, text: str, changed: Mapping[str, Any]) -> str:
    """The file with other values for these keys; None takes one out."""
    table = json.loads(text or "{}")
    kept = {key: value for key, value in table.get("config", {}).items() if _plain(key) not in changed}
    config = kept | {f"{project.name}:{key}": value for key, value in changed.items() if value is not None}
    return json.dumps({**table, "config": config}, indent=4) + "\n"


def _plain(key: str) -> str:
    """Without the project's name, which Pulumi writes before it."""
    return key.rpartition(":")[2]


def with_key(text: str, key: str, value: Any, note: str) -> str:
    """The file with this key in its configuration, in place of what it held, below a comment. Raises ValueError for a
    file whose configuration is not a block of keys."""
    lines = without_key(text, key, note).splitlines()
    mapping = _configuration(lines)
    if mapping is None:
        kept = [line for line in lines if not _is_config(line)]
        place, indent, lines = len(kept) + 1, 2, [*kept, "config:"]
    elif isinstance(mapping, yaml.MappingNode) and not mapping.flow_style:
        first = mapping.value[0][0].start_mark
        place, indent = first.line, first.column
    else:
        raise ValueError("its `config:` is not a table with one key to a line")
    dumped = yaml.dump({key: value}, Dumper=Dumper, sort_keys=False, width=1000, allow_unicode=True)
    block = [note, *dumped.splitlines()]
    return "\n".join([*lines[:place], *(" " * indent + line for line in block), *lines[place:]]) + "\n"


def without_key(text: str, key: str, note: str) -> str:
    """The file without the key and its comment, also where Pulumi wrote the project's name before it."""
    lines = text.splitlines()
    mapping = _configuration(lines)
    if not isinstance(mapping, yaml.MappingNode):
        return text
    for name, value in mapping.value:
        if _plain(str(name.value)) == key:
            start, end = name.start_mark.line, _end(value)
            if start and lines[start - 1].strip() == note:
                start -= 1
            kept = [*lines[:start], *lines[end:]]
            if len(mapping.value) == 1:
                kept = [line for line in kept if not _is_config(line)]
            return "".join(f"{line}\n" for line in kept)
    return text


def content(project: Project) -> bytes | None:
    """The file as it is, for `put_back`; None where there is none."""
    return project.file.read_bytes() if project.file.exists() else None


def put_back(project: Project, before: bytes | None) -> None:
    """Takes back what was written since `content`, to the last byte."""
    if before is None:
        project.file.unlink(missing_ok=True)
    else:
        write(project, before)


def write(project: Project, text: str | bytes) -> None:
    """In one step: a reader sees the old file or the new one."""
    new = project.file.with_suffix(".new")
    new.write_bytes(text if isinstance(text, bytes) else text.encode())
    if project.file.exists():
        new.chmod(project.file.stat().st_mode)
    new.replace(project.file)


def _configuration(lines: list[str]) -> yaml.Node | None:
    """The value of `config:`; None where there is none, or an empty one."""
    document = yaml.compose("\n".join(lines), Loader=yaml.SafeLoader)
    if not isinstance(document, yaml.MappingNode):
        return None
    found = next((value for key, value in document.value if key.value == "config"), None)
    return found if found is not None and found.value not in ([], "", "null", "~") else None


def _end(node: yaml.Node) -> int:
    """The number of the line behind the last one of a value, the comments behind it left out."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(last[1] if isinstance(last, tuple) else last)
    return int(node.end_mark.line + (node.end_mark.column > 0))


def _is_config(line: str) -> bool:
    return line.startswith("config:")
