"""Every command that a page shows is typed by tests/docs, or is in its list with the reason."""

from __future__ import annotations

import pytest

from tests.docs.blocks import BLOCKS_NOT_TYPED, LINES_NOT_TYPED, SHELLS, blocks, fences, pages
from tests.docs.steps import STEPS

TYPED = {step.name for step in STEPS}


def test_every_block_is_typed_or_listed_and_none_twice() -> None:
    shown = set(blocks())
    assert shown - TYPED - BLOCKS_NOT_TYPED.keys() == set(), (
        "add it to tests/docs/steps.py, or with a reason to blocks.py"
    )
    assert TYPED - shown == set(), "no page shows these any more"
    assert BLOCKS_NOT_TYPED.keys() - shown == set(), "no page shows these any more"
    assert TYPED & BLOCKS_NOT_TYPED.keys() == set()
    assert len(STEPS) == len(TYPED)


def test_the_lines_that_are_not_typed_are_shown_somewhere() -> None:
    lines = {line for block in blocks().values() for line in block.commands}
    assert LINES_NOT_TYPED.keys() <= lines


@pytest.mark.parametrize("page", pages())
def test_commands_stand_in_blocks_that_say_so(page: str) -> None:
    found = list(fences(page))
    assert {kind for kind, _ in found} & SHELLS == set(), "write ```sh"
    words = ("slipway ", "make ", "pulumi ", "$ ", "docker ", "curl ", "git ", ". ")
    hidden = [block for kind, block in found if kind == "" and block.text.startswith(words)]
    assert hidden == [], "write ```sh"
    names = [block.name for kind, block in found if kind == "sh"]
    assert len(set(names)) == len(names), "two blocks of a page begin with the same command"
