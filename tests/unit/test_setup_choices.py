from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from slipway.setup.choices import Choices, users_environment


def made() -> Choices:
    choices = Choices(environment={"PULUMI_HOME": "/a folder/it's home"}, path=["/a folder/bin"])
    choices.chose("Python", "3.13 in .venv", "installed", origin="venv")
    return choices


def test_what_was_chosen_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    made().save(tmp_path)
    assert Choices.load(tmp_path) == made()


def test_a_damaged_record_counts_as_none(tmp_path: Path) -> None:
    (tmp_path / "choices.json").write_text('{"parts": [')
    assert Choices.load(tmp_path) == Choices()


def test_a_shell_that_reads_the_environment_twice_gets_the_values_and_one_entry_on_its_path(tmp_path: Path) -> None:
    made().save(tmp_path)
    script = f". '{tmp_path}/environment' && . '{tmp_path}/environment' && printf '%s|%s' \"$PULUMI_HOME\" \"$PATH\""
    shown = subprocess.run(["sh", "-euc", script], env={"PATH": "/usr/bin"}, capture_output=True, text=True, check=True)
    assert shown.stdout == "/a folder/it's home|/a folder/bin:/usr/bin"


def test_what_an_earlier_setup_exported_is_not_mistaken_for_the_users_own_wish(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_HOME", "/a folder/it's home")
    monkeypatch.setenv("PATH", "/a folder/bin:/usr/bin")
    assert "PULUMI_HOME" not in users_environment(made())
    assert users_environment(made())["PATH"] == "/usr/bin"


def test_what_the_user_set_otherwise_stays_the_users_wish(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_HOME", "/mine")
    assert users_environment(made())["PULUMI_HOME"] == "/mine"


def test_commands_see_the_chosen_folders_before_the_users_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/bin")
    assert made().exported()["PATH"] == f"/a folder/bin{os.pathsep}/usr/bin"
