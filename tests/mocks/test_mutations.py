"""The table of deliberate breakages still fits the program, and every test of this folder is in it.

That each of them is noticed takes some minutes: `python -m tests.mocks.mutations`.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.mocks.breaking import Mutation
from tests.mocks.mutations import ALL, ROOT, run_all

HERE = Path(__file__).parent
SAMPLE = [each for each in ALL if each.test == "test_profiles.py::test_prod_publishes_exactly_one_port"]


def names() -> set[str]:
    return {
        f"{path.name}::{node.name}"
        for path in HERE.glob("test_*.py")
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


@pytest.mark.parametrize("mutation", ALL, ids=[f"{number}-{each.file}" for number, each in enumerate(ALL)])
def test_each_mutation_finds_its_place_once_and_leaves_a_program(mutation: Mutation) -> None:
    text = (ROOT / mutation.file).read_text()
    assert text.count(mutation.old) == 1
    if mutation.file.endswith(".py"):
        compile(text.replace(mutation.old, mutation.new), mutation.file, "exec")


def test_every_test_has_a_mutation_that_it_notices() -> None:
    covered = {each.test for each in ALL}
    own = {test for test in names() if test.startswith(Path(__file__).name)}
    assert covered == names() - own


def test_a_breakage_is_noticed_and_an_unbroken_program_is_not() -> None:
    unbroken = [each._replace(new=each.old) for each in SAMPLE]
    assert run_all([*SAMPLE, *unbroken]) == ["red", "exit code 0 "]
