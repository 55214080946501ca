"""Variables that YAML changes, and settings that nobody reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from slipway.settings import project_files
from slipway.settings.problems import SettingsError
from tests.unit.declaring import correct, make_root, read

PULUMI = """\
name: site
config:
  services:
    default:
      shop: {{route: /, env: {{ZIP: {text}}}}}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_root(tmp_path)


def problems(root: Path, **more: Any) -> list[tuple[str, str, tuple[str, ...]]]:
    """Of the settings that stand in the files, as Pulumi hands them over."""
    described, own = (project_files.read(root / name) for name in ("Pulumi.yaml", "Pulumi.prod.yaml"))
    try:
        read(project_files.configuration(described, own) | more, root)
    except SettingsError as error:
        return [(each.path, each.what, each.fix) for each in error.problems]
    return []


@pytest.mark.parametrize(
    ("text", "arrives"),
    [
        ("01234", "668"),
        ("1_000", "1000"),
        ("1.10", "1.1"),
        ("1.0", "1"),
        ("1e3", "1000"),
        ("0x1F", "31"),
        ("True", "true"),
        ("+49", "49"),
        (".5", "0.5"),
    ],
)
def test_a_variable_that_yaml_changes_is_to_be_quoted(root: Path, text: str, arrives: str) -> None:
    (root / "Pulumi.yaml").write_text(PULUMI.format(text=text))
    fix = (f'In Pulumi.yaml, services.shop.env: write `ZIP: "{text}"`',)
    assert problems(root) == [("services.shop.env.ZIP", f"YAML reads {text} as {arrives}", fix)]
    (root / "Pulumi.yaml").write_text(PULUMI.format(text=f'"{text}"'))
    assert problems(root) == []


@pytest.mark.parametrize(
    "text", ["8006", "0.5", "true", "-3", "yes", "no", "1:30", "12:30:45", "v1.10", "1.2.3", "a b"]
)
def test_what_arrives_as_it_stands_needs_no_quotes(root: Path, text: str) -> None:
    (root / "Pulumi.yaml").write_text(PULUMI.format(text=text))
    assert problems(root) == []


def test_a_date_arrives_with_a_time(root: Path) -> None:
    """As Pulumi hands it over, which tests/e2e/test_project_files.py's Pulumi does as well."""
    (root / "Pulumi.yaml").write_text(PULUMI.format(text="2026-01-15"))
    services = {"shop": {"route": "/", "env": {"ZIP": "2026-01-15T00:00:00Z"}}}
    [(path, what, _)] = problems(root, services=services)
    assert (path, what) == ("services.shop.env.ZIP", "YAML reads 2026-01-15 as 2026-01-15T00:00:00Z")


def test_a_value_that_comes_from_elsewhere_is_no_mistake_of_the_file(root: Path) -> None:
    (root / "Pulumi.yaml").write_text(PULUMI.format(text="plain"))
    assert problems(root, services={"shop": {"route": "/", "env": {"ZIP": "plainer, by --config"}}}) == []


def test_what_a_stack_overrides_is_looked_at_where_it_stands(root: Path) -> None:
    (root / "Pulumi.yaml").write_text(PULUMI.format(text="fine"))
    (root / "Pulumi.prod.yaml").write_text("config:\n  site:overrides: {shop: {env: {ZIP: 01}}}\n")
    fix = ('In Pulumi.prod.yaml, overrides.shop.env: write `ZIP: "01"`',)
    assert problems(root) == [("overrides.shop.env.ZIP", "YAML reads 01 as 1", fix)]
    (root / "Pulumi.prod.yaml").write_text("config:\n  services: {shop: {route: /, env: {ZIP: 1.0}}}\n")
    assert [path for path, _, _ in problems(root)] == ["services.shop.env.ZIP"]


def test_settings_of_a_project_of_another_name_are_named(root: Path) -> None:
    raw = {**correct(), "former:edge": {"port": 81}, "former:overrides": {}, "docker:host": "x"}
    with pytest.raises(SettingsError) as error:
        read(raw, root)
    [problem] = error.value.problems
    assert problem.path == "former:edge"
    assert "nobody reads it" in problem.what
    assert problem.fix[0] == "In Pulumi.prod.yaml, write `site:` instead of `former:` before edge, overrides"
    assert "`name: former` in Pulumi.yaml" in problem.fix[1]


def test_what_belongs_to_pulumis_own_providers_is_theirs(root: Path) -> None:
    assert read({**correct(), "aws:profile": "eu", "aws:region": "x", "docker:registryAuth": []}, root).services
