"""The settings block of one service as YAML text, with a comment on each line."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

WIDTH = 200
"""Characters after which a comment behind a value is cut."""
WRAP = 110
"""Characters of a comment on lines of its own."""


@dataclass(frozen=True)
class Line:
    """One key and why it has this value. A tuple of lines as value is a table (or, with empty keys, a list)."""

    key: str
    value: Any
    why: str = ""

    @property
    def plain(self) -> Any:
        """The value without the reasons."""
        if not isinstance(self.value, tuple):
            return self.value
        if all(not line.key for line in self.value):
            return [line.plain for line in self.value]
        return {line.key: line.plain for line in self.value}


@dataclass(frozen=True)
class Block:
    """A service's declaration. `left` is what stands below it as comments: for the user to decide."""

    name: str
    lines: tuple[Line, ...]
    left: tuple[str, ...] = ()

    def declaration(self) -> Mapping[str, Any]:
        return {line.key: line.plain for line in self.lines}

    def text(self, indent: int = 0, step: int = 2) -> str:
        """With a line break at the end; `indent` columns in front of the name, `step` more for each level."""
        inner = _lines(self.lines, step, step)
        comments = [f"{' ' * step}# {line}" for text in self.left for line in _wrapped(text)]
        head = f"{scalar(self.name)}:" if inner else f"{scalar(self.name)}: {{}}"
        return "".join(f"{' ' * indent}{line}\n" for line in (head, *inner, *comments))

    @property
    def settings(self) -> int:
        """How many lines of it set something; the name, and heads of tables, are not counted."""
        return sum(len(line.value) if isinstance(line.value, tuple) else 1 for line in self.lines)


def scalar(value: Any) -> str:
    """A text, a number, a list or a table on one line, quoted where YAML needs it."""
    text = yaml.safe_dump(value, default_flow_style=True, width=100_000, allow_unicode=True, sort_keys=False)
    quoted = isinstance(value, str) and text.startswith("'")
    return json.dumps(value, ensure_ascii=False) if quoted else text.removesuffix("\n").removesuffix("\n...")


def _lines(lines: tuple[Line, ...], indent: int, step: int) -> list[str]:
    found = []
    for line in lines:
        key = f"{scalar(line.key)}:" if line.key else "-"
        comment = f"  # {_one_line(line.why)}" if line.why else ""
        if isinstance(line.value, tuple):
            found += [f"{' ' * indent}{key}{comment}", *_lines(line.value, indent + step, step)]
        else:
            found.append(f"{' ' * indent}{key} {scalar(line.value)}{comment}")
    return found


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(_plain(text), WRAP, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)


def _one_line(text: str) -> str:
    plain = _plain(text)
    return plain if len(plain) <= WIDTH else f"{plain[: WIDTH - 1]}…"


def _plain(text: str) -> str:
    """Names of files and of variables stand in comments: nothing of them may end the line."""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())
