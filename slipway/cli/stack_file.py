"""One key of a stack's file, written and taken out again; everything else in the file stays as somebody wrote it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

KEY = "release"
NOTE = "# written by `slipway rollback`; `slipway rollback --clear` takes it out again"


def pinned(text: str, release: Mapping[str, Any]) -> str:
    """The file with this release in its configuration, in place of any other. Raises ValueError for a file whose
    configuration is not a block of keys."""
    lines = cleared(text).splitlines()
    mapping = _configuration(lines)
    if mapping is None:
        kept = [line for line in lines if not _is_config(line)]
        place, indent, lines = len(kept) + 1, 2, [*kept, "config:"]
    elif isinstance(mapping, yaml.MappingNode) and not mapping.flow_style:
        first = mapping.value[0][0].start_mark
        place, indent = first.line, first.column
    else:
        raise ValueError("its `config:` is not a table with one key to a line")
    dumped = yaml.safe_dump({KEY: release}, sort_keys=False, width=1000, default_flow_style=False, allow_unicode=True)
    block = [NOTE, *dumped.splitlines()]
    return "\n".join([*lines[:place], *(" " * indent + line for line in block), *lines[place:]]) + "\n"


def cleared(text: str) -> str:
    """The file without the key, also where Pulumi wrote the project's name before it."""
    lines = text.splitlines()
    mapping = _configuration(lines)
    if not isinstance(mapping, yaml.MappingNode):
        return text
    for key, value in mapping.value:
        if str(key.value).rpartition(":")[2] == KEY:
            start, end = key.start_mark.line, _end(value)
            if start and lines[start - 1].strip() == NOTE:
                start -= 1
            kept = [*lines[:start], *lines[end:]]
            if len(mapping.value) == 1:
                kept = [line for line in kept if not _is_config(line)]
            return "".join(f"{line}\n" for line in kept)
    return text


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
