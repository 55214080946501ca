"""An engine that does not answer is told by the program, before a plugin is asked. Needs no engine."""

from __future__ import annotations

from pathlib import Path

from slipway.setup import paths
from tests.support.pulumi_project import PulumiProject

PROGRAM = """
import pulumi

pulumi.export("serves", "the first")
"""
ASKING = """
from slipway.settings.configuration import resolve_engine

resolve_engine(None)
"""


def test_an_engine_out_of_reach_is_one_clear_error_and_changes_nothing(tmp_path: Path, virtualenv: Path) -> None:
    pulumi = PulumiProject(tmp_path, PROGRAM, virtualenv=virtualenv, name="site")
    pulumi.init()
    pulumi.up()
    nowhere = f"unix://{tmp_path}/nowhere.sock"
    pulumi.environment |= {"DOCKER_HOST": nowhere, "PYTHONPATH": str(paths.PROJECT)}
    pulumi.write("__main__.py", ASKING + PROGRAM.replace("the first", "the second"))

    said = pulumi.up(succeeds=False).text

    assert f"no Docker engine answers at {nowhere}" in said
    assert "Traceback" not in said
    assert pulumi.pulumi("stack", "output", "serves").stdout.strip() == "the first"
