"""docs/examples.md says what the examples declare, and why each of their settings is there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from slipway.settings.models import TOP_LEVEL
from tests.unit.declaring import FakeEngine, read
from tests.unit.examples_page import EXAMPLES, MARK, PAGE, names, needs, page, settings


def test_the_table_shows_the_examples_as_they_are() -> None:
    text = PAGE.read_text()
    assert MARK.search(text)
    assert page(text) == text, "type: python -m tests.unit.examples_page"


def test_each_example_has_its_needs_and_nothing_else_has() -> None:
    assert set(needs()) == set(names())


@pytest.mark.parametrize("name", names())
def test_every_setting_of_an_example_serves_a_need_and_every_need_has_a_setting(name: str) -> None:
    declared, keys = settings(name), [key for keys in needs()[name].values() for key in keys]
    assert [each for each in declared if not any(each.belongs(key) for key in keys)] == [], "examples/needs.yaml"
    assert [key for key in keys if not any(each.belongs(key) for each in declared)] == [], "examples/needs.yaml"


@pytest.mark.parametrize("name", names())
def test_the_settings_of_an_example_are_correct_in_each_of_its_stacks(name: str) -> None:
    folder = EXAMPLES / name
    described = yaml.safe_load((folder / "Pulumi.yaml").read_text())
    assert (described["name"], described["main"]) == (name, "../..")
    assert set(described["config"]) <= set(TOP_LEVEL)
    defaults: Mapping[str, Any] = {key: entry["default"] for key, entry in described["config"].items()}
    for file in folder.glob("Pulumi.*.yaml"):
        own = yaml.safe_load(file.read_text()) or {}
        assert set(own) == {"config"}, "how secrets are encrypted belongs to one user's stack"
        stack = file.name.split(".")[1]
        read({**defaults, **own["config"]}, folder, stack=stack, project=name, engine=FakeEngine(memory=4000))


@pytest.mark.parametrize("name", names())
def test_a_readme_of_at_most_a_page_says_how_to_bring_it_up(name: str) -> None:
    text = (EXAMPLES / name / "README.md").read_text()
    assert len(text.splitlines()) <= 60
    assert f"make example NAME={name}" in text
