"""Which Python runs the site's program, as far as Pulumi.yaml says: `runtime.options.virtualenv`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import yaml

from slipway.settings import project_files
from slipway.settings.problems import Problem, SettingsError


def check(root: Path, program: Path, stack: str) -> None:
    """Raises SettingsError for a virtual environment that only half of Pulumi finds, before anything is made with it.

    The language host takes a relative `virtualenv` from `root`, the folder of Pulumi.yaml; the host of dynamic
    providers takes it from `program`, the folder that `main` names, and starts when most of the stack is made.
    """
    file = project_files.project_file(root)
    named = _virtualenv(file) if file else ""
    if file and named and not os.access(program / named / "bin" / "python", os.X_OK):
        problem = Problem(
            path="runtime.options.virtualenv",
            what=f"Pulumi looks for {named} in {program} as well, and no virtual environment is there",
            fix=(f"Take the line `virtualenv: {named}` out of {file.name}: set-up names the Python for every site",),
        )
        raise SettingsError([problem], stack)


def _virtualenv(file: Path) -> str:
    """What the project file names; "" for nothing, or a file that is not there or says something else."""
    try:
        described: Any = yaml.safe_load(file.read_text())
        return str(described["runtime"]["options"].get("virtualenv") or "")
    except (OSError, yaml.YAMLError, KeyError, TypeError, AttributeError):
        return ""
