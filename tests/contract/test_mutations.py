"""The table of deliberate breakages still fits the plugin, the tests and the README."""

from __future__ import annotations

import pytest

from tests.contract.mutations import KIT, MUTATIONS, Mutation
from tests.contract.test_readme import HERE, existing


@pytest.mark.parametrize("mutation", MUTATIONS, ids=[f"{number}-{each.file}" for number, each in enumerate(MUTATIONS)])
def test_each_mutation_finds_its_place_once_and_leaves_a_program(mutation: Mutation) -> None:
    text = (KIT / mutation.file).read_text()
    assert text.count(mutation.old) == 1
    compile(text.replace(mutation.old, mutation.new), mutation.file, "exec")
    assert mutation.test in existing()


def test_every_group_of_rows_has_a_mutation() -> None:
    groups = [part.split("\n", 1) for part in (HERE / "README.md").read_text().split("\n## ")[1:]]
    relied_on = {title for title, body in groups if "**yes**" in body}
    assert relied_on == {mutation.row for mutation in MUTATIONS}
