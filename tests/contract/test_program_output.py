"""What a user sees of a program: its own errors, and what it prints, without anything of the tools that ran it."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.pulumi_project import PulumiProject

FAILURES = {
    "an exception": (
        """\
def helper():
    raise ValueError("a mistake in the program")

helper()
""",
        ["ValueError: a mistake in the program", "in helper"],
    ),
    "an exception in an apply": (
        """\
import pulumi
pulumi.Output.from_input(1).apply(lambda one: one / 0)
""",
        ["ZeroDivisionError: division by zero", "in <lambda>"],
    ),
    "a syntax error": ("def broken(:\n", ["SyntaxError", "__main__.py"]),
    "a missing module": ("import nothing_of_that_name\n", ["ModuleNotFoundError", "nothing_of_that_name"]),
    "an exit status": ("import sys\nsys.exit(3)\n", ["exit code: 3"]),
    "a message to exit with": ("import sys\nsys.exit('the reason to stop')\n", ["the reason to stop", "exit code: 1"]),
    "a missing setting": (
        """\
import pulumi
pulumi.Config().require("colour")
""",
        ["Missing required configuration variable", "colour"],
    ),
}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory, virtualenv: Path) -> PulumiProject:
    """A stack without resources."""
    directory = tmp_path_factory.mktemp("small")
    project = PulumiProject(directory, "", virtualenv=virtualenv, name=f"small-{secrets.token_hex(3)}")
    project.init()
    return project


@pytest.mark.parametrize("failure", FAILURES)
def test_a_failing_program_shows_its_own_error_and_nothing_of_the_tools(small: PulumiProject, failure: str) -> None:
    program, shown = FAILURES[failure]
    small.write("__main__.py", program)

    said = small.preview(succeeds=False).text

    assert [text for text in shown if text not in said] == [], said
    tools = ("runpy", "run_program", "slipway_offline", "pulumi/runtime", "pulumi-language-python", "asyncio")
    assert [text for text in tools if text in said] == [], said


def test_what_a_program_prints_and_logs_is_shown(small: PulumiProject) -> None:
    small.write("__main__.py", "import pulumi\nprint('a printed line')\npulumi.log.warn('a logged warning')\n")

    said = small.preview().text

    assert "a printed line" in said
    assert "warning: a logged warning" in said


def test_a_program_in_a_folder_of_its_own_runs_there(small: PulumiProject) -> None:
    settings: dict[str, Any] = yaml.safe_load((small.directory / "Pulumi.yaml").read_text())
    small.write("source/__main__.py", "import pathlib\nimport beside\nprint(pathlib.Path.cwd().name, beside.NAME)\n")
    small.write("source/beside.py", "NAME = 'imported'\n")
    small.write("Pulumi.yaml", yaml.safe_dump(settings | {"main": "source"}))
    try:
        assert "source imported" in small.preview().text
    finally:
        small.write("Pulumi.yaml", yaml.safe_dump(settings))
