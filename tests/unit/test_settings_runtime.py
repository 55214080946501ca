"""A virtual environment that Pulumi's language host finds and its host of dynamic providers does not."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from slipway.settings import runtime
from slipway.settings.problems import SettingsError
from slipway.setup import paths, virtualenv
from slipway.setup.choices import Choices
from slipway.setup.console import Console

SITES = sorted(paths.PROJECT.glob("examples/*/Pulumi.yaml"))


def site(folder: Path, options: object) -> Path:
    """A site beside the checkout, which has a virtual environment."""
    root = folder / "my sites" / "shöp"
    root.mkdir(parents=True)
    described = {"name": "shop", "main": "../../checkout", "runtime": options}
    (root / "Pulumi.yaml").write_text(yaml.safe_dump(described))
    python = folder / "checkout" / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch(0o755)
    return root


@pytest.mark.parametrize("named", ["../../checkout/.venv", "../.venv", "venv", "/nowhere"])
def test_one_that_is_not_there_from_the_programs_folder_is_refused_with_the_line_to_take_out(
    tmp_path: Path, named: str
) -> None:
    root = site(tmp_path, {"name": "python", "options": {"toolchain": "pip", "virtualenv": named}})
    with pytest.raises(SettingsError) as refused:
        runtime.check(root, tmp_path / "checkout", "prod")
    assert f"Take the line `virtualenv: {named}` out of Pulumi.yaml" in str(refused.value)
    assert "Nothing was touched" in str(refused.value)


@pytest.mark.parametrize(
    "options",
    [
        "python",
        {"name": "python"},
        {"name": "python", "options": None},
        {"name": "python", "options": {"toolchain": "pip", "virtualenv": ""}},
        {"name": "python", "options": {"virtualenv": ".venv"}},
    ],
)
def test_one_that_both_find_and_none_at_all_are_fine(tmp_path: Path, options: object) -> None:
    runtime.check(site(tmp_path, options), tmp_path / "checkout", "prod")


def test_an_absolute_one_is_the_users_choice(tmp_path: Path) -> None:
    options = {"name": "python", "options": {"virtualenv": str(tmp_path / "checkout" / ".venv")}}
    runtime.check(site(tmp_path, options), tmp_path / "checkout", "prod")


@pytest.mark.parametrize("file", SITES, ids=lambda file: file.parent.name)
def test_the_sites_of_the_examples_name_none(file: Path) -> None:
    assert yaml.safe_load(file.read_text())["runtime"]["options"] == {"toolchain": "pip"}


def test_set_up_names_the_python_for_every_site(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(virtualenv, "current", lambda: True)
    choices = Choices()
    virtualenv.settle(choices, Console(), {})
    assert choices.environment["PULUMI_PYTHON_CMD"] == str(paths.VIRTUALENV / "bin" / "python")
