"""Which rooms somebody asks for: `filter_<field>__<comparison>=<value>`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

PREFIX = "filter_"
HIGHEST_PRICE = 1_000_000_000


def price(text: str) -> int:
    if abs(number := int(text)) > HIGHEST_PRICE:
        raise ValueError
    return number


KINDS: Mapping[tuple[str, str], Callable[[str], Any]] = {
    ("code", "eq"): UUID,
    ("price", "eq"): price,
    ("price", "lt"): price,
    ("price", "gt"): price,
}
"""{(field of a room, comparison): how a value is read}."""


@dataclass(frozen=True)
class Filter:
    """A room passes when its field compares so (eq, lt, gt) with the value."""

    field: str
    comparison: str
    value: Any


class FilterError(ValueError):
    """Everything that is wrong with what was asked, one line each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def parse(parameters: Mapping[str, str]) -> tuple[Filter, ...]:
    """The filters among the parameters of a query; others are none of ours. Raises FilterError."""
    found, problems = [], []
    for name, text in parameters.items():
        if not name.startswith(PREFIX):
            continue
        field, _, comparison = name.removeprefix(PREFIX).partition("__")
        read = KINDS.get((field, comparison))
        if read is None:
            problems.append(f"{name}: there is no such filter")
            continue
        try:
            found.append(Filter(field, comparison, read(text)))
        except ValueError:
            problems.append(f"{name}: {text!r} is no {'price in whole euros' if read is price else 'code'}")
    if problems:
        raise FilterError(problems)
    return tuple(found)
