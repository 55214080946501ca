"""What pydantic finds, said so that the user knows what to type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from slipway.settings.models import Declaration
from slipway.settings.problems import (
    Problem,
    and_type,
    closest,
    config_lines,
    did_you_mean,
    set_config,
    spelled,
    write_service,
    yaml_lines,
)

Location = tuple[str | int, ...]
KINDS = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "string": "a text",
    "dict": "a table of keys and values",
    "model": "a table of keys and values",
    "list": "a list",
    "tuple": "a list",
}
NEVER_SHOWN = ("secrets",)


def explain(error: ValidationError, overrides: Mapping[str, Any]) -> list[tuple[Location, Problem]]:
    """Each error with the place in the declaration that it is about."""
    return [(detail["loc"], _problem(detail, overrides)) for detail in error.errors(include_url=False)]


def _problem(detail: ErrorDetails, overrides: Mapping[str, Any]) -> Problem:
    location = detail["loc"]
    path = spelled(*location)
    overridden = location[0] == "services" and present(overrides, location[1:])
    if overridden:
        path = path.replace("services", "overrides", 1)
    if detail["type"] == "extra_forbidden":
        known = [field.alias or name for name, field in _lookup(location)[0].model_fields.items()]
        what = f"unknown key{did_you_mean(str(location[-1]), known)}"
        return Problem(path=path, what=what, fix=_unknown_fix(location, known, detail["input"], overridden))
    return Problem(path=path, what=_what(detail), fix=_fix(detail, overridden))


def _what(detail: ErrorDetails) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    shown = "what is there" if detail["loc"][0] in NEVER_SHOWN else _short(detail["input"])
    if kind == "slipway":
        return str(context["what"])
    if kind == "greater_than_equal":
        return f"must be at least {context['ge']}, not {shown}"
    if kind == "less_than_equal":
        return f"must be at most {context['le']}, not {shown}"
    if kind in {"enum", "literal_error"}:
        return f"must be {context['expected'].replace(chr(39), '')}, not {shown}"
    if kind == "missing":
        return "is missing"
    wanted = KINDS.get(kind.partition("_")[0], "something else")
    if detail["input"] is None:
        return f"has no value; it must be {wanted}"
    return f"must be {wanted}, not {shown}"


def _short(value: Any) -> str:
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, (list, tuple)):
        return "a list"
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def _fix(detail: ErrorDetails, overridden: bool) -> tuple[str, ...]:
    location = detail["loc"]
    keys = tuple(key for key in location if isinstance(key, str))  # a place in a list: show the whole list
    _, field, depth = _lookup(location)
    value = field.examples[0] if field and field.examples else "..."
    value = detail.get("ctx", {}).get("suggestion") or value
    if keys[0] == "secrets":
        return (set_config(".".join(keys + ("SERVICE", "NAME")[len(keys) - 1 :]), None, secret=True),)
    if keys == ("services",):
        return ("Write in Pulumi.yaml, as config.services.default:", *yaml_lines((), value))
    if keys[0] == "services" and len(keys) == 2:
        return write_service(keys[1], value={"route": f"/{keys[1]}/"})
    for _ in keys[depth:]:  # one entry of a table such as env
        value = next(iter(value.values())) if isinstance(value, dict) else value
    if keys[0] == "services" and not overridden:
        return write_service(*keys[1:], value=value)
    return config_lines(("overrides", *keys[1:]) if overridden else keys, value)


def _unknown_fix(location: Location, known: list[str], value: Any, overridden: bool) -> tuple[str, ...]:
    keys = [str(key) for key in location]
    near = closest(keys[-1], known)
    if keys[0] == "services" and not overridden:
        where = ".".join(keys[:-1])
        if near:
            return (f"In Pulumi.yaml, {where}: write `{near}:` instead of `{keys[-1]}:`",)
        return (f"In Pulumi.yaml, {where}: remove `{keys[-1]}:`",)
    path = ".".join(["overrides", *keys[1:]] if overridden else keys)
    option = " --path" if "." in path else ""
    removal = f"Type: pulumi config rm{option} {path}"
    if not near:
        return (removal,)
    shown = "VALUE" if isinstance(value, (Mapping, list)) else value
    return (removal, and_type(set_config(path.removesuffix(keys[-1]) + near, shown)))


def _lookup(location: Location) -> tuple[type[BaseModel], FieldInfo | None, int]:
    """The innermost known table of a place, the innermost known key's field, and how many parts lead to that key."""
    model: type[BaseModel] = Declaration
    found: FieldInfo | None = None
    depth = index = 0
    while index < len(location):
        field = next(
            (field for name, field in model.model_fields.items() if (field.alias or name) == location[index]), None
        )
        if field is None:
            break
        found, index = field, index + 1
        depth = index
        inner = _table(field.annotation)
        if inner is None:
            break
        model = inner
        if get_origin(field.annotation) is dict:
            index += 1  # the name that the user gave
    return model, found, depth


def _table(annotation: Any) -> type[BaseModel] | None:
    """The model in `Model`, `Model | None` or `dict[str, Model]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((inner for argument in get_args(annotation) if (inner := _table(argument))), None)


def present(table: Any, keys: Location) -> bool:
    """Whether something was written there."""
    for key in keys:
        try:
            table = table[key]
        except (KeyError, IndexError, TypeError):
            return False
    return bool(keys)
