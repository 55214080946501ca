"""The revision of the source, as git tells it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from slipway import revision


def git(folder: Path, *command: str) -> str:
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    done = subprocess.run(["git", *who, *command], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_it_is_the_commit_and_whether_files_differ_from_it(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    file = tmp_path / "file"
    file.write_text("1")
    git(tmp_path, "add", "file")
    git(tmp_path, "commit", "--quiet", "--message", "first")
    git(tmp_path, "tag", "v1")
    commit = git(tmp_path, "rev-parse", "--short=12", "HEAD")
    assert revision.of(tmp_path) == commit
    file.write_text("2")
    assert revision.of(tmp_path) == f"{commit}-dirty"


def test_a_folder_without_git_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert revision.of(tmp_path) == ""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert revision.of(tmp_path) == "", "also where there is no git"
