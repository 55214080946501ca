"""A project's files are found and read as Pulumi does. tests/e2e/test_project_files.py asks Pulumi itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from slipway.settings import project_files

TYPED: dict[str, Any] = {
    "01234": 668,
    "1_000": 1000,
    "-012": -10,
    "08": 8,
    "0x10": 16,
    "0o17": 15,
    "0b11": 3,
    "+5": 5,
    "1.10": 1.1,
    "1.0": 1,
    ".5": 0.5,
    "1e3": 1000,
    "1_0.5": 10.5,
    "yes": "yes",
    "no": "no",
    "on": "on",
    "True": True,
    "FALSE": False,
    "1:30": "1:30",
    "~": None,
    "''": "",
}
"""What stands in a file, and what a program gets."""


@pytest.mark.parametrize("text", TYPED)
def test_plain_words_are_what_pulumi_takes_them_for(tmp_path: Path, text: str) -> None:
    (tmp_path / "Pulumi.yaml").write_text(f"key: {text}\n")
    value = project_files.read(tmp_path / "Pulumi.yaml")["key"]
    assert (value, type(value)) == (TYPED[text], type(TYPED[text]))


@pytest.mark.parametrize("text", [*TYPED, "5e12345", "2026-01-15", "plain", "=", "two words"])
def test_a_text_that_is_written_is_the_same_text_for_pulumi_and_for_pyyaml(text: str) -> None:
    written = yaml.dump({"key": text}, Dumper=project_files.Dumper)
    assert yaml.load(written, project_files.Loader) == yaml.safe_load(written) == {"key": text}


@pytest.mark.parametrize("name", ["Pulumi.json", "Pulumi.yaml", "Pulumi.yml"])
def test_a_project_is_found_by_each_of_pulumis_names_upwards(tmp_path: Path, name: str) -> None:
    inner = tmp_path / "services" / "ui"
    inner.mkdir(parents=True)
    (tmp_path / "services" / "Pulumi.prod.yaml").touch()
    (tmp_path / "services" / "Pulumi.yaml").mkdir()
    file = tmp_path / name
    file.write_text('{"name": "site"}')
    assert project_files.nearest(inner) == file
    assert project_files.stack_file(file, {}, "prod") == tmp_path / f"Pulumi.prod{file.suffix}"
    assert project_files.stack_file(file, {"stackConfigDir": "conf"}, "eu") == tmp_path / f"conf/Pulumi.eu{file.suffix}"
    assert project_files.nearest(Path("/")) is None


def test_the_configuration_is_what_the_program_gets() -> None:
    described = {"name": "site", "config": {"plain": 1, "site:drain": {"type": "integer", "default": 30}, "a": ""}}
    own = {"config": {"site:secrets": {"web": {"KEY": {"secure": "v1:x"}}}, "other:edge": {}, "tls": '{"a": [1]}'}}
    found = project_files.configuration(described, own)
    secrets = {"web": {"KEY": project_files.ENCRYPTED}}
    assert found == {"plain": 1, "drain": 30, "a": None, "secrets": secrets, "other:edge": {}, "tls": {"a": [1]}}
