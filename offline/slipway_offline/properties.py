"""What a resource type's inputs may be, and what differs between two sets of them.

A `Property` describes one input: its kind, what an absent one means, whether a change is made in place. From the
descriptions follow the refusal of every input that the plugin does not support (`problems`) and the comparison of old
with new inputs down to nested paths (`differences`). Nothing in a message quotes a value, which may be secret; only
the `valid` functions do, for properties that cannot be.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from .values import UNKNOWN

Kind = Literal["text", "integer", "number", "boolean", "list", "set", "map", "record", "any"]
NAMES = {"text": "a string", "integer": "a whole number", "number": "a number", "boolean": "true or false",
         "list": "a list", "set": "a list", "map": "a mapping", "record": "an object"}
PYTHON: dict[str, Any] = {
    "text": str, "integer": int, "number": (int, float), "boolean": bool, "list": list, "set": list, "map": dict,
    "record": dict}


@dataclass(frozen=True, kw_only=True)
class Property:
    """One input. `items` describes what a list, set or map holds, `fields` what an object does.

    in_place   an update can change it; a change to any other input replaces the resource. Of top-level inputs only
    computed   chosen by the other side when absent: taking it out of the program is not a change
    valid      says what is wrong with a known value of the right kind, or None
    """

    kind: Kind
    items: Property | None = None
    fields: Mapping[str, Property] = field(default_factory=dict)
    required: bool = False
    default: Any = None
    in_place: bool = False
    computed: bool = False
    valid: Callable[[Any], str | None] | None = None

    def absent(self, value: Any) -> bool:
        """Whether `value` says nothing. An emptied list of a computed property speaks, one of objects does not: as
        the genuine plugins have it."""
        if value == []:
            return not self.computed or (self.items is not None and self.items.kind == "record")
        return value is None or value in ({}, "")


def text(**options: Any) -> Property:
    return Property(kind="text", **options)


def integer(**options: Any) -> Property:
    return Property(kind="integer", **options)


def number(**options: Any) -> Property:
    return Property(kind="number", **options)


def boolean(**options: Any) -> Property:
    return Property(kind="boolean", **options)


def list_of(items: Property, **options: Any) -> Property:
    return Property(kind="list", items=items, **options)


def set_of(items: Property, **options: Any) -> Property:
    """A list whose order means nothing."""
    return Property(kind="set", items=items, **options)


def map_of(items: Property, **options: Any) -> Property:
    return Property(kind="map", items=items, **options)


def record(fields: Mapping[str, Property], **options: Any) -> Property:
    return Property(kind="record", fields=fields, **options)


Schema = Mapping[str, Property]
FEW = 12  # inputs that a message can list without hiding what it says
ANYTHING = Property(kind="any")  # an input in the state that this plugin does not know: some other plugin put it there


@dataclass(frozen=True)
class Problem:
    path: str
    reason: str


@dataclass(frozen=True)
class Change:
    """One difference, `was` or `now` being None where there was or is nothing. `top` is the input that it is in."""

    path: str
    was: Any
    now: Any
    replaces: bool

    @property
    def top(self) -> str:
        return re.split(r"[.\[]", self.path, maxsplit=1)[0]


def inner(path: str, key: str) -> str:
    """The property path of `key` within `path`."""
    if re.fullmatch(r"[A-Za-z_$][\w$]*", key):
        return f"{path}.{key}" if path else key
    escaped = key.replace("\\", "\\\\").replace('"', '\\"')
    return f'{path}["{escaped}"]'


def problems(schema: Schema, inputs: Mapping[str, Any], plugin: str, path: str = "") -> Iterator[Problem]:
    """What is wrong with `inputs`. What is not in `schema` is refused in the name of `plugin`."""
    for key, value in inputs.items():
        if key in schema:
            yield from _problems(schema[key], value, plugin, inner(path, key))
        elif value is not None:
            hint = _hint(key, schema)
            yield Problem(inner(path, key), f"the offline {plugin} plugin does not support {inner(path, key)}{hint}")
    for key, wanted in schema.items():
        if wanted.required and inputs.get(key) is None:
            yield Problem(inner(path, key), f"{inner(path, key)} is required")


def _hint(key: str, schema: Schema) -> str:
    if similar := difflib.get_close_matches(key, schema, n=1, cutoff=0.75):
        return f"; did you mean {similar[0]}?"
    return f"; it supports {', '.join(sorted(schema))}" if len(schema) <= FEW else ""


def _problems(wanted: Property, value: Any, plugin: str, path: str) -> Iterator[Problem]:
    if value is None or value is UNKNOWN or wanted.kind == "any":
        return
    if not isinstance(value, PYTHON[wanted.kind]) or (isinstance(value, bool) and wanted.kind != "boolean"):
        yield Problem(path, f"{path} must be {NAMES[wanted.kind]}, not {_kind(value)}")
        return
    if wanted.kind == "record":
        yield from problems(wanted.fields, value, plugin, path)
    elif wanted.items:
        for where, item in _parts(path, value):
            yield from _problems(wanted.items, item, plugin, where)
    if wanted.valid and (reason := wanted.valid(value)):
        yield Problem(path, f"{path} {reason}")


def _parts(path: str, value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        return [(inner(path, key), item) for key, item in value.items()]
    return [(f"{path}[{index}]", item) for index, item in enumerate(value)] if isinstance(value, list) else []


def _kind(value: Any) -> str:
    return next((NAMES[kind] for kind in ("boolean", "text", "number", "list", "map")
                 if isinstance(value, PYTHON[kind])), type(value).__name__)


def completed(schema: Schema, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """`inputs` with the defaults of those that are absent."""
    return {key: wanted.default for key, wanted in schema.items() if wanted.default is not None} | {
        key: value for key, value in inputs.items() if value is not None}


def differences(schema: Schema, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    """The changes from `old` to `new`, by path."""
    found: list[Change] = []
    for key in sorted(key for key in {*old, *new} if not key.startswith("__")):
        wanted, was, now = schema.get(key, ANYTHING), old.get(key), new.get(key)
        if wanted.absent(now) and wanted.computed:
            continue
        changed = _differences(wanted, inner("", key), _normal(wanted, was), _normal(wanted, now))
        found += [Change(path, before, after, not wanted.in_place) for path, before, after in changed]
    return found


def _differences(wanted: Property, path: str, was: Any, now: Any) -> Iterator[tuple[str, Any, Any]]:
    if was == now:
        return
    if isinstance(was, dict) and isinstance(now, dict):
        for key in sorted({*was, *now}):
            part = wanted.fields.get(key) or wanted.items or ANYTHING
            yield from _differences(part, inner(path, key), was.get(key), now.get(key))
    elif isinstance(was, list) and isinstance(now, list) and wanted.kind == "list":
        for index in range(max(len(was), len(now))):
            before, after = (items[index] if index < len(items) else None for items in (was, now))
            yield from _differences(wanted.items or ANYTHING, f"{path}[{index}]", before, after)
    else:
        yield path, was, now


def _normal(wanted: Property, value: Any) -> Any:
    """`value` in a form in which equal means no change."""
    if value is None or wanted.absent(value):
        value = wanted.default
    if isinstance(value, dict):
        if wanted.kind == "map":  # a key says something even without a value
            return {key: item if item == "" else _normal(wanted.items or ANYTHING, item) for key, item in value.items()}
        parts = {key: _normal(wanted.fields.get(key, ANYTHING), value.get(key)) for key in {*wanted.fields, *value}}
        return {key: part for key, part in parts.items() if part is not None} or None
    if isinstance(value, list):
        items = [_normal(wanted.items or ANYTHING, item) for item in value]
        return (sorted(items, key=_order) if wanted.kind == "set" else items) or None
    return value


def _order(item: Any) -> str:
    return json.dumps(item, sort_keys=True, default=repr)
