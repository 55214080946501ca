"""The table of behaviours and the tests name each other."""

from __future__ import annotations

import ast
import re
from pathlib import Path

HERE = Path(__file__).parent
OF_OTHER_THINGS = {
    "test_command_line.py",
    "test_mutations.py",
    "test_program_output.py",
    "test_readme.py",
}


def rows() -> list[tuple[str, str, set[str]]]:
    """(behaviour, relied on, tests) of every row."""
    cells = [[cell.strip() for cell in line.strip().strip("|").split("|")]
             for line in (HERE / "README.md").read_text().splitlines() if line.startswith("|")]
    return [(behaviour, relied_on, set(re.findall(r"`(\S+::\S+)`", tests))) for behaviour, relied_on, tests in cells
            if behaviour != "Behaviour" and not behaviour.startswith("---")]


def existing() -> set[str]:
    return {f"{path.name}::{node.name}" for path in HERE.glob("test_*.py") if path.name not in OF_OTHER_THINGS
            for node in ast.parse(path.read_text()).body
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


def test_every_row_that_is_relied_on_names_a_test() -> None:
    relied_on = [(behaviour, tests) for behaviour, mark, tests in rows() if mark == "**yes**"]
    assert len(relied_on) > 40
    assert [behaviour for behaviour, tests in relied_on if not tests] == []


def test_every_row_says_whether_it_is_relied_on() -> None:
    assert [behaviour for behaviour, mark, _ in rows() if not re.match(r"\*\*yes\*\*$|\*no\*(: .+)?$", mark)] == []


def test_every_test_that_a_row_names_exists() -> None:
    named = set().union(*(tests for _, _, tests in rows()))
    assert named - existing() == set()


def test_every_test_stands_in_a_row() -> None:
    named = set().union(*(tests for _, _, tests in rows()))
    assert existing() - named == set()
