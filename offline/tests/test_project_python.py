"""Which Python a project's program runs under, and what is installed there."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from slipway_offline.project_python import Plugin, ProjectError, ProjectPython
from slipway_offline.stubs import language_pb2


def project(root: Path, program: str = "", **options: Any) -> ProjectPython:
    message = language_pb2.ProgramInfo(root_directory=str(root), program_directory=str(root / program))
    message.options.update(options)
    return ProjectPython.of(message)


@pytest.mark.parametrize("options", [{}, {"toolchain": "pip"}, {"toolchain": "", "virtualenv": ""}])
def test_without_a_virtual_environment_it_is_the_python_on_path(
        tmp_path: Path, options: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PULUMI_PYTHON_CMD", raising=False)
    assert project(tmp_path, **options).interpreter == "python3"
    assert project(tmp_path, **options).environment({"PATH": "/bin"}) == {"PATH": "/bin", "PYTHONUNBUFFERED": "1"}

    monkeypatch.setenv("PULUMI_PYTHON_CMD", "python3.99")
    assert project(tmp_path, **options).interpreter == "python3.99"


def test_a_relative_virtual_environment_starts_from_the_folder_of_pulumi_yaml(tmp_path: Path) -> None:
    python = project(tmp_path, "source", virtualenv="venv")
    assert python.virtualenv == tmp_path / "venv"
    with pytest.raises(ProjectError, match="venv is not a virtual environment"):
        _ = python.interpreter


def test_a_virtual_environments_commands_come_first(tmp_path: Path) -> None:
    seen = project(tmp_path, virtualenv="venv").environment({"PATH": "/bin", "PYTHONHOME": "elsewhere", "A": "b"})
    assert seen == {"PATH": f"{tmp_path}/venv/bin:/bin", "VIRTUAL_ENV": f"{tmp_path}/venv", "A": "b",
                    "PYTHONUNBUFFERED": "1"}


def test_installed_packages_name_the_plugins_that_they_ask_for(tmp_path: Path) -> None:
    packages = tmp_path / "venv" / "lib" / "python3.12" / "site-packages"
    manifests = {"pulumi_one": {"resource": True, "name": "first", "version": "1.2.3", "server": "there"},
                 "pulumi_two": {"resource": True, "version": "2.0.0"}, "pulumi_three": {"resource": False}}
    for name, manifest in manifests.items():
        (packages / name).mkdir(parents=True)
        (packages / name / "pulumi-plugin.json").write_text(json.dumps(manifest))

    assert set(project(tmp_path, virtualenv="venv").plugins()) == {
        Plugin("first", "1.2.3", "there"), Plugin("two", "2.0.0", "")}


def test_packages_are_listed_with_or_without_what_others_require(tmp_path: Path) -> None:
    python = project(tmp_path, virtualenv=sys.prefix)
    assert {"pulumi", "grpcio"} <= python.packages(transitive=True).keys()
    assert "grpcio" not in python.packages(transitive=False)


def test_what_is_installed_follows_the_projects_files(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").touch()
    python = ProjectPython(tmp_path, tmp_path, tmp_path)
    assert python.installation() == []

    (tmp_path / "pyproject.toml").touch()
    assert [command[1:] for _, command in python.installation()] == [["-m", "pip", "install", "-e", "."]]

    (tmp_path / "requirements.txt").touch()
    assert [command[1:] for _, command in python.installation()] == [["-m", "pip", "install", "-r", "requirements.txt"]]
