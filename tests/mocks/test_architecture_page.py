"""docs/architecture.md says what the program does now."""

from __future__ import annotations

from tests.mocks.diagram import MARK, PAGE, containers, drawn, page
from tests.mocks.program import ROOT
from tests.mocks.recording import Program


def test_the_page_shows_the_program_as_it_is() -> None:
    text, parts = PAGE.read_text(), drawn()
    assert {found["name"] for found in MARK.finditer(text)} == set(parts)
    assert page(text, parts) == text, "type: python -m tests.mocks.diagram"


def test_the_page_leads_from_each_container_to_its_code(dev: Program, prod: Program) -> None:
    shown = containers({"dev": dev, "prod": prod})
    for program in (dev, prod):
        for name, each in program.containers.items():
            assert f"`slipway-STACK-{name}{'' if each.inputs.get('name') else '-…'}`" in shown


def test_every_file_that_the_page_names_exists() -> None:
    named = {
        word.strip("`") for word in PAGE.read_text().split() if word.startswith("`") and word.endswith((".py`", "/`"))
    }
    assert named
    assert not [path for path in named if "<" not in path and not (ROOT / path).exists()]
