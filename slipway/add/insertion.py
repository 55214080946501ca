"""Puts a service into Pulumi.yaml without touching the rest: text is inserted, and the result is read to prove it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import yaml
from yaml.nodes import CollectionNode, MappingNode, Node, ScalarNode

from slipway.add.block import Block

HERE = ("config", "services", "default")


class InsertionError(Exception):
    """The file is written in a way that a block cannot be put into; it was left as it is."""


def inserted(text: str, block: Block) -> str:
    """The text of Pulumi.yaml with the service as the last one. Raises InsertionError.

    Whatever way it is written in: the result is read again, and must hold everything that was there and the service.
    """
    before = _read(text)
    newline = "\r\n" if "\r\n" in text else "\n"
    lines = text.split("\n")
    if lines[-1]:
        lines[-1] += newline.removesuffix("\n")
        lines.append("")
    place, columns, head = _place(_compose(text), lines)
    new = [*head, *block.text(columns).splitlines()]
    lines[place:place] = [line + newline.removesuffix("\n") for line in new]
    after = "\n".join(lines)
    if _read(after) != _with(before, block):
        raise InsertionError("its services are written in a way that a block cannot be put into")
    return after


def write(file: Path, before: str, after: str) -> None:
    """Replaces the file whole or not at all: an interrupted run leaves the old one.

    Raises InsertionError where somebody else changed it meanwhile.
    """
    target = file.resolve()
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
            stream.write(after)
            stream.flush()
            os.fsync(stream.fileno())
        there = target.stat()
        temporary.chmod(there.st_mode & 0o7777)
        if os.geteuid() == 0:
            os.chown(temporary, there.st_uid, there.st_gid)
        if text_of(target) != before:
            raise InsertionError("it was changed while its services were looked at; type the same again")
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def text_of(file: Path) -> str:
    """Its text with its own line breaks."""
    return file.read_bytes().decode()


def _place(root: Node, lines: list[str]) -> tuple[int, int, list[str]]:
    """(line to insert before, columns of the service's name, lines that must come first).

    Where a level is missing it is added at the end of the last one that is there.
    """
    node, columns, depth = root, 0, 0
    for key in HERE:
        child = _child(node, key)
        if child is None:
            break
        node, depth = child, depth + 1
        if isinstance(node, MappingNode) and node.value and not node.flow_style:
            columns = node.value[0][0].start_mark.column
    if not isinstance(node, MappingNode) and not (depth and _empty(node)):
        raise InsertionError(f"its {HERE[depth - 1] if depth else 'content'} is no table of keys and values")
    if depth and _empty(node):
        place, columns = _emptied(node, lines)
        return place, columns + 2 * (len(HERE) - depth), _heads(depth, columns, new=depth < len(HERE))
    if isinstance(node, MappingNode) and node.flow_style:
        raise InsertionError("its services are written in braces, on one line")
    if depth == len(HERE):
        return _past_comments(_end(node, lines), columns, lines), columns, []
    if depth == len(HERE) - 1 and _child(node, "value") is not None:
        raise InsertionError("its services are a `value:` instead of a `default:`")
    return _end(node, lines), columns + 2 * (len(HERE) - depth), _heads(depth, columns, new=depth <= 1)


def _heads(depth: int, columns: int, *, new: bool) -> list[str]:
    """The lines of the levels that are missing, from `depth` on; `new` where nothing is said of the services yet."""
    heads = [f"{' ' * (columns + 2 * level)}{key}:" for level, key in enumerate(HERE[depth:])]
    if new:
        heads.insert(-1, f"{' ' * (columns + 2 * (len(HERE) - depth - 1))}type: object")
    return heads


def _emptied(node: Node, lines: list[str]) -> tuple[int, int]:
    """Takes away the braces of `default: {}`, in `lines`: the line below it, and the columns of what goes there."""
    start, end = node.start_mark, node.end_mark
    if start.line != end.line:
        raise InsertionError("its services are empty braces over several lines")
    line = lines[start.line]
    rest = line[end.column :]
    lines[start.line] = (line[: start.column].rstrip() + (f"  {rest.lstrip()}" if rest.strip() else rest)) or line
    return start.line + 1, len(line) - len(line.lstrip()) + 2


def _end(node: Node, lines: list[str]) -> int:
    """The line after the last one that something of the node stands on."""
    if isinstance(node, ScalarNode) and node.style in {"|", ">"}:
        last = min(node.end_mark.line, len(lines) - 1)
        while last > node.start_mark.line and (last == node.end_mark.line or not lines[last].strip()):
            last -= 1
        return last + 1
    if not isinstance(node, CollectionNode) or not node.value or node.flow_style:
        return int(node.end_mark.line) + 1
    last_child = node.value[-1]
    return max(_end(each, lines) for each in (last_child if isinstance(last_child, tuple) else (last_child,)))


def _past_comments(place: int, columns: int, lines: list[str]) -> int:
    """Past the comments that belong to what stands above: those that are further in than a service's name."""
    while place < len(lines) and lines[place].lstrip().startswith("#"):
        if len(lines[place]) - len(lines[place].lstrip()) <= columns:
            break
        place += 1
    return place


def _child(node: Node, key: str) -> Node | None:
    pairs = node.value if isinstance(node, MappingNode) else ()
    return next((value for name, value in pairs if name.value == key), None)


def _empty(node: Node) -> bool:
    """`{}`, `~`, or nothing at all."""
    return not node.value if isinstance(node, MappingNode) else node.tag.endswith(":null")


def _with(before: Any, block: Block) -> Any:
    """What the file must hold afterwards."""
    config = dict(before.get("config") or {})
    services = dict(config.get("services") or {"type": "object"})
    services["default"] = {**(services.get("default") or {}), block.name: block.declaration()}
    return {**before, "config": {**config, "services": services}}


def _read(text: str) -> Any:
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise InsertionError(f"it cannot be read: {error}") from error
    if not isinstance(found, dict):
        raise InsertionError("it is no table of keys and values")
    return found


def _compose(text: str) -> Node:
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    if node is None:
        raise InsertionError("it is empty")
    return node
