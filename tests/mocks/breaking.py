"""What a deliberate breakage is."""

from __future__ import annotations

from typing import NamedTuple


class Mutation(NamedTuple):
    """The test that must fail, and the text that is replaced in one file."""

    test: str
    file: str
    old: str
    new: str


def of(tests: str, **changes: tuple[str, str, str] | list[tuple[str, str, str]]) -> list[Mutation]:
    """The mutations for the tests of one file, both by their names without `test_`."""
    return [
        Mutation(f"test_{tests}.py::test_{test}", *change)
        for test, some in changes.items()
        for change in (some if isinstance(some, list) else [some])
    ]
