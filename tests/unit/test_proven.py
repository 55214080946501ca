"""When the tests of Pulumi and the offline kit are due."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from slipway.setup import paths, plugins
from slipway.setup.choices import Choices
from tests.support import proven

PROJECT = paths.PROJECT
IMPORTED = re.compile(r"^(?:from|import) ((?:slipway|components|policy|bench)\b[\w.]*)", re.MULTILINE)
FILES = {
    "offline/provider.py": "a = 1",
    "tests/contract/test_it.py": "b = 1",
    "tests/support/engine.py": "d = 1",
    "requirements.lock": "pulumi-docker==5.2.0 \\\n    --hash=x\nflask==3.1.3 \\\n    --hash=y\n",
    "pyproject.toml": '[tool.slipway]\npulumi = "3.259.0"\n'
    '[tool.pytest.ini_options]\ntestpaths = ["tests/e2e", "tests/contract", "tests/unit", "offline/tests"]\n',
    "slipway/core/naming.py": "c = 1",
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout whose tests have passed, with the stand-ins."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    monkeypatch.setattr(paths, "PROJECT", tmp_path)
    monkeypatch.setattr(proven, "NOTE", tmp_path / "offline" / "proven")
    monkeypatch.setattr(Choices, "load", lambda: Choices(origin={plugins.PART: "stand-ins"}))
    proven.NOTE.write_text(f"{proven.digest()}\n")
    return tmp_path


@pytest.mark.parametrize("name", ["slipway/core/naming.py", "offline/__pycache__"])
def test_they_are_not_due_where_something_else_has_changed(project: Path, name: str) -> None:
    file = project / name
    file.write_text("c = 2") if file.suffix else file.mkdir()
    assert not proven.are_due()


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("offline/provider.py", "1", "2"),
        ("tests/contract/test_it.py", "1", "2"),
        ("tests/support/engine.py", "1", "2"),
        ("requirements.lock", "5.2.0", "5.2.1"),
        ("pyproject.toml", "3.259", "3.260"),
    ],
)
def test_they_are_due_where_what_they_are_about_has_changed(project: Path, name: str, old: str, new: str) -> None:
    file = project / name
    file.write_text(file.read_text().replace(old, new))
    assert proven.are_due()


def test_a_new_file_of_the_kit_makes_them_due(project: Path) -> None:
    (project / "offline" / "more.py").write_text("")
    assert proven.are_due()


def test_they_are_always_due_with_a_genuine_plugin(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Choices, "load", lambda: Choices(origin={plugins.PART: "genuine"}))
    assert proven.are_due()


def test_nothing_is_noted_with_a_genuine_plugin(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Choices, "load", lambda: Choices(origin={plugins.PART: "genuine"}))
    (project / "offline" / "provider.py").write_text("a = 2")
    noted = proven.NOTE.read_text()
    proven.main(["--note"])
    assert proven.NOTE.read_text() == noted


@pytest.mark.parametrize("folder", proven.TESTS)
def test_they_use_nothing_of_the_program_so_that_a_change_of_it_cannot_break_them(folder: str) -> None:
    programs = [file for file in (PROJECT / folder).rglob("*.py") if file.name != "test_readme.py"]
    assert len(programs) > 10
    used = {(file.name, name) for file in programs for name in IMPORTED.findall(file.read_text())}
    assert not {(file, name) for file, name in used if not name.startswith("slipway.setup")}


def test_all_other_folders_are_named_where_they_are_not_due(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    proven.main([])
    assert capsys.readouterr().out.split() == ["tests/e2e", "tests/unit"]
    (project / "offline" / "provider.py").write_text("a = 2")
    proven.main([])
    assert capsys.readouterr().out.split() == []
