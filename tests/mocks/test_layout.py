"""The program can be read: small files, one place that knows the profiles, components that know no service."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
import yaml

from tests.mocks.program import ROOT

COMPONENTS = sorted((ROOT / "components").glob("*.py"))
SOURCES = [ROOT / "__main__.py", *COMPONENTS, *sorted((ROOT / "slipway").rglob("*.py"))]
GENERAL = [path for path in SOURCES if path.parent.name in {ROOT.name, "components", "core", "nginx", "providers"}]
PROFILE = ROOT / "slipway" / "site" / "profile.py"
SERVICES = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]["services"]["default"]


def test_main_is_a_page() -> None:
    assert len((ROOT / "__main__.py").read_text().splitlines()) <= 80


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_file_is_longer_than_a_reader_holds_in_mind(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 250


def decisions_on_the_stack(text: str) -> list[str]:
    """Comparisons of a stack's name with a text, and of anything with the names of the profiles."""
    found = []
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Compare():
                sides = [node.left, *node.comparators]
            case ast.Match():
                sides = [node.subject]
            case ast.Call(func=ast.Attribute(attr="startswith" | "endswith")):
                sides = [node.func, *node.args]
            case _:
                continue
        written = [ast.unparse(side) for side in sides]
        literal = any(re.fullmatch(r"'\w*'|\(('\w*',? ?)+\)|\{('\w*',? ?)+\}", each) for each in written)
        about_stacks = any(re.search(r"\bstack\b|get_stack|'(dev|prod)'|profile\.name", each) for each in written)
        if literal and about_stacks:
            found.append(ast.unparse(node))
    return found


def test_only_the_profile_decides_by_the_stacks_name() -> None:
    deciding = {
        str(path.relative_to(ROOT)): found
        for path in SOURCES
        if "setup" not in path.parts and "cli" not in path.parts and (found := decisions_on_the_stack(path.read_text()))
    }
    assert set(deciding) == {str(PROFILE.relative_to(ROOT))}


@pytest.mark.parametrize("path", GENERAL, ids=lambda path: str(path.relative_to(ROOT)))
def test_components_and_the_program_name_no_service_of_the_site(path: Path) -> None:
    tree = ast.parse(path.read_text())
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    assert not texts & set(SERVICES)


def test_every_component_is_a_file_of_its_own() -> None:
    for path in COMPONENTS:
        classes = [node for node in ast.parse(path.read_text()).body if isinstance(node, ast.ClassDef)]
        components = [node.name for node in classes if any("ComponentResource" in ast.unparse(b) for b in node.bases)]
        assert len(components) <= 1, path.name


def test_nothing_needs_a_ps_on_the_engines_host() -> None:
    """A minimal Debian has none, and the engine answers a question for a container's processes with an error there."""
    asked = [path for path in SOURCES if re.search(r"\.top\(|docker top", path.read_text())]
    assert asked == []
