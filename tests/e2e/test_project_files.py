"""What Slipway reads in a project's files without Pulumi is what Pulumi gives to a program. Needs no engine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from slipway.settings import project_files
from tests.support.pulumi_project import PulumiProject
from tests.unit.test_settings_project_files import TYPED

VALUES = ", ".join(f"V{number}: {text}" for number, text in enumerate(TYPED))
DEFAULTS = f"config: {{services: {{default: {{{VALUES}}}}}, drain: {{type: integer, default: 010}}}}\n"
OWN = f"config: {{site:overrides: {{{VALUES}}}, profile: no, other:edge: {{port: 01}}}}\n"


@pytest.mark.parametrize("extension", [".yaml", ".yml"])
def test_pulumi_reads_the_files_as_slipway_does(tmp_path: Path, virtualenv: Path, extension: str) -> None:
    pulumi = PulumiProject(tmp_path, "", virtualenv=virtualenv, name="site")
    source = (pulumi.directory / "Pulumi.yaml").rename(pulumi.directory / f"Pulumi{extension}")
    source.write_text(source.read_text() + DEFAULTS)
    pulumi.init()
    stack = project_files.stack_file(source, {}, pulumi.stack)
    assert stack.exists(), "Pulumi writes its salt there"
    stack.write_text(stack.read_text() + OWN)

    told = json.loads(pulumi.pulumi("config", "--json").stdout)
    own = project_files.configuration(project_files.read(source), project_files.read(stack))

    given = {key.removeprefix("site:"): project_files.value_of(entry["value"]) for key, entry in told.items()}
    assert own == given
    assert list(own["services"].values()) == list(own["overrides"].values()) == list(TYPED.values())


def test_pulumi_hands_dates_over_with_a_time(tmp_path: Path, virtualenv: Path) -> None:
    pulumi = PulumiProject(tmp_path, "", virtualenv=virtualenv, name="site")
    file = pulumi.directory / "Pulumi.yaml"
    file.write_text(f"{file.read_text()}config: {{services: {{default: {{day: 2026-01-15, other: 2026-1-5}}}}}}\n")
    pulumi.init()
    told = json.loads(pulumi.pulumi("config", "--json").stdout)
    assert told["site:services"]["objectValue"] == {"day": "2026-01-15T00:00:00Z", "other": "2026-01-05T00:00:00Z"}
