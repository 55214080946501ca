"""One key of a stack's file, written and taken out again; everything else in the file stays as somebody wrote it."""

from __future__ import annotations

from typing import Any

import yaml

from slipway.cli.project import Project


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
    dumped = yaml.safe_dump({key: value}, sort_keys=False, width=1000, default_flow_style=False, allow_unicode=True)
    block = [note, *dumped.splitlines()]
    return "\n".join([*lines[:place], *(" " * indent + line for line in block), *lines[place:]]) + "\n"


def without_key(text: str, key: str, note: str) -> str:
    """The file without the key and its comment, also where Pulumi wrote the project's name before it."""
    lines = text.splitlines()
    mapping = _configuration(lines)
    if not isinstance(mapping, yaml.MappingNode):
        return text
    for name, value in mapping.value:
        if str(name.value).rpartition(":")[2] == key:
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
