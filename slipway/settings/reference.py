"""The tables of docs/settings.md, and docs/settings.schema.json, by which an editor knows the keys: both written from
the keys themselves.

    python -m slipway.settings.reference
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from slipway.settings.edge_table import EdgeTable, TlsTable
from slipway.settings.models import Beside, Declaration, MigrationsTable, PostgresTable
from slipway.settings.service_table import ServiceTable

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE, SCHEMA = DOCS / "settings.md", DOCS / "settings.schema.json"
SPREAD: tuple[type[BaseModel], ...] = (EdgeTable, PostgresTable, MigrationsTable)
"""Tables of the stack whose keys have a row each: edge.port."""
LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")


def tables() -> dict[str, str]:
    """{name of its place in the page: table}, in Markdown."""
    return {
        "service": _table(("key", "default", "meaning"), _rows(ServiceTable)),
        "stack": _table(("key", "default", "meaning"), (*_rows(Declaration), *_rows(Beside))),
        "tls": _table(("key", "mode", "default", "meaning"), _rows(TlsTable, moded=True)),
    }


def page(text: str) -> str:
    """The page with its tables as the keys are now. Raises ValueError where it has no place for one."""
    for name, table in tables().items():
        mark = f"<!-- keys: {name} -->\n"
        before, found, rest = text.partition(mark)
        _, ended, after = rest.partition("<!-- end -->")
        if not (found and ended):
            raise ValueError(f"the page has no place for the keys of a {name}")
        text = f"{before}{mark}{table}{ended}{after}"
    return text


def _table(head: tuple[str, ...], rows: Iterator[tuple[str, ...]] | tuple[tuple[str, ...], ...]) -> str:
    return "".join(f"| {' | '.join(row)} |\n" for row in (head, ("---",) * len(head), *rows))


def _rows(model: type[BaseModel], prefix: str = "", *, moded: bool = False) -> Iterator[tuple[str, ...]]:
    for name, field in model.model_fields.items():
        key = f"{prefix}{field.alias or name}"
        if field.annotation in SPREAD:
            yield from _rows(field.annotation, f"{key}.")
            continue
        mode = (_told(field).get("mode", ""),) if moded else ()
        yield (f"`{key}`", *mode, _default(field), str(field.description))


def _told(field: FieldInfo) -> dict[str, Any]:
    return field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}


def _default(field: FieldInfo) -> str:
    """The default with its unit, and the range of what may be written instead."""
    told = _told(field)
    bounds = {kind: getattr(rule, kind) for rule in field.metadata for kind in ("ge", "le") if hasattr(rule, kind)}
    shown = told.get("shown") or " ".join(filter(None, (_spelled(field.default), told.get("unit"))))
    if bounds.keys() == {"ge", "le"}:
        return f"{shown}; {bounds['ge']} to {bounds['le']}"
    return f"{shown}; from {bounds['ge']}" if bounds else str(shown)


def _spelled(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, tuple):
        return "`[]`"
    written = value.value if isinstance(value, Enum) else value
    return f"`{json.dumps(written) if isinstance(written, (bool, dict)) else written}`"


def schema() -> dict[str, Any]:
    """The JSON schema of a project's file and a stack's: of `config`, by keys without a namespace."""
    described = Declaration.model_json_schema()
    beside = Beside.model_json_schema()["properties"]
    definitions = {name: _read(each) for name, each in described["$defs"].items()}
    service = definitions["ServiceTable"]
    keys = {name: _read(each) for name, each in {**described["properties"], **beside}.items()}
    nothing = {"type": "null"}
    keys["services"]["additionalProperties"] = {"anyOf": [{"$ref": "#/$defs/ServiceTable"}, nothing]}
    keys["overrides"]["additionalProperties"] = {"$ref": "#/$defs/Override"}
    changes = {name: {"anyOf": [each, nothing]} for name, each in service["properties"].items()}
    definitions["Override"] = {**service, "properties": changes}
    written = {
        name: {"anyOf": [each, {"type": "object", "required": ["default"], "properties": {"default": each}}]}
        for name, each in keys.items()
    }
    config = {"type": "object", "properties": written, "patternProperties": {":": {}}, "additionalProperties": False}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Settings of a Slipway site: Pulumi.yaml and Pulumi.STACK.yaml",
        "type": "object",
        "properties": {"config": config},
        "$defs": definitions,
    }


def _read(described: Any) -> Any:
    """What pydantic says of a type, with what is for our own page left out, and numbers as `pulumi config set` writes
    them: as texts."""
    if isinstance(described, list):
        return [_read(each) for each in described]
    if not isinstance(described, dict):
        return described
    found = {name: _read(each) for name, each in described.items() if name not in {"shown", "unit", "mode", "title"}}
    if "properties" in described:  # keys of the user's, which may be called so
        found["properties"] = {name: _read(each) for name, each in described["properties"].items()}
    if isinstance(text := found.get("description"), str):
        found["description"] = LINK.sub(r"\1", text)
    match found.get("type"):
        case "integer" | "number" as kind:
            found["type"] = [kind, "string"]
        case "boolean":
            del found["type"]
            found["enum"] = [True, False, "true", "false"]
    also = found.pop("also", None)
    if not also:
        return found
    said = {name: found.pop(name) for name in ("description", "examples", "default") if name in found}
    return {**said, "anyOf": [found, *also]}


def main() -> None:
    PAGE.write_text(page(PAGE.read_text()))
    SCHEMA.write_text(json.dumps(schema(), indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
