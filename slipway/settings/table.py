"""What a table of settings is, and a key of one: its default, range, unit, meaning and example, said once.

Messages, docs/settings.md and the editors' schema (slipway.settings.reference) come from there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class Table(BaseModel):
    """A set of keys, written in camelCase. An unknown key is an error."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, frozen=True)


def setting(
    default: Any,
    meaning: str,
    *,
    example: Any,
    shown: str = "",
    unit: str = "",
    mode: str = "",
    also: Sequence[Mapping[str, Any]] = (),
    ge: float | None = None,
    le: float | None = None,
) -> Any:
    """A key of a table, for pydantic.

    `default` is the site's own (slipway.site) where it has one, `...` where the key must be there; `meaning` and
    `shown`, which stands in the docs in place of the default, are Markdown; `example` is what a message tells the user
    to type; `mode` are those of `edge.tls` for which it means something; `also` are JSON schemas of what else is read
    as such a value; `ge` and `le` are its range, in `unit`.
    """
    given = {"shown": shown, "unit": unit, "mode": mode, "also": list(also)}
    told: dict[str, Any] = {name: value for name, value in given.items() if value}
    return Field(default=default, description=meaning, examples=[example], ge=ge, le=le, json_schema_extra=told)
