"""The Python that a project's program runs under: which one, with what environment, with which packages, and how it
is made. Knows `runtime.options` of Pulumi.yaml; nothing of gRPC.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

OPTIONS = {"toolchain", "virtualenv"}


class ProjectError(Exception):
    """Something about the project that its author can put right; the message says what."""


@dataclass(frozen=True)
class Plugin:
    """A resource plugin that an installed package asks for. `server` is where it can be had, "" for the usual place."""

    name: str
    version: str
    server: str


@dataclass(frozen=True)
class ProjectPython:
    """The virtual environment that the option `virtualenv` names, else the `python3` on PATH.

    Raises `ProjectError` for options that this language host does not know, toolchains other than pip among them.
    """

    root: Path                # the folder of Pulumi.yaml, which a relative `virtualenv` starts from
    program: Path             # the folder that the program runs in, with its requirements
    virtualenv: Path | None

    @classmethod
    def of(cls, info: Any) -> ProjectPython:
        """From a ProgramInfo message."""
        options = {key: value for key, value in dict(info.options).items() if value not in (None, "")}
        if options.get("toolchain", "pip") != "pip":
            raise ProjectError(f"runtime.options.toolchain is {options['toolchain']!r}: the offline Python language "
                               "host knows `pip` only")
        if unknown := sorted(options.keys() - OPTIONS):
            raise ProjectError(f"runtime.options.{unknown[0]} is not supported by the offline Python language host; "
                               f"it supports {', '.join(sorted(OPTIONS))}")
        root, named = Path(info.root_directory), options.get("virtualenv")
        return cls(root, Path(info.program_directory), root / named if named else None)

    @property
    def interpreter(self) -> str:
        """The command to run; raises `ProjectError` when the virtual environment is not there."""
        if self.virtualenv is None:
            return global_python()
        python = self.virtualenv / "bin" / "python"
        if not python.exists():
            raise ProjectError(f"{self.virtualenv} is not a virtual environment; make it with `pulumi install`")
        return str(python)

    def environment(self, base: Mapping[str, str]) -> dict[str, str]:
        """What the program's processes get: `base`, with the virtual environment's commands first."""
        found = {**base, "PYTHONUNBUFFERED": "1"}
        if self.virtualenv:
            path = os.pathsep.join(filter(None, [str(self.virtualenv / "bin"), base.get("PATH", "")]))
            found |= {"VIRTUAL_ENV": str(self.virtualenv), "PATH": path}
            found.pop("PYTHONHOME", None)
        return found

    def site_packages(self) -> list[Path]:
        """Where installed packages are. A virtual environment is not asked: starting its Python takes longer."""
        if self.virtualenv:
            return sorted(self.virtualenv.glob("lib/python*/site-packages"))
        found = subprocess.run([self.interpreter, "-c", "import sys; print(*sys.path[1:], sep='\\n')"],
                               capture_output=True, text=True, check=True)
        return [Path(line) for line in found.stdout.splitlines() if line]

    def plugins(self) -> Iterator[Plugin]:
        """The plugins that installed packages ask for: each Pulumi package carries a pulumi-plugin.json."""
        for folder in self.site_packages():
            for manifest in sorted(folder.glob("*/pulumi-plugin.json")):
                asked = json.loads(manifest.read_text())
                if asked.get("resource"):
                    name = asked.get("name") or manifest.parent.name.removeprefix("pulumi_")
                    yield Plugin(name, asked.get("version", ""), asked.get("server", ""))

    def packages(self, *, transitive: bool) -> dict[str, str]:
        """{name: version} of what is installed; not `transitive`: without what another one requires."""
        from importlib.metadata import distributions  # noqa: PLC0415 - slow to load, hardly ever wanted

        found = {canonical(item.name): item for item in distributions(path=[str(p) for p in self.site_packages()])}
        required = set() if transitive else {
            canonical(line) for item in found.values() for line in item.requires or () if "extra ==" not in line}
        return {item.name: item.version for name, item in sorted(found.items()) if name not in required}

    def installation(self) -> list[tuple[str, list[str]]]:
        """The steps that make the virtual environment and install what the program requires: (what, command)."""
        steps, python = [], global_python()
        if self.virtualenv:
            if not (self.virtualenv / "bin" / "python").exists():
                steps.append((f"making the virtual environment {self.virtualenv}",
                              [python, "-m", "venv", str(self.virtualenv)]))
            python = str(self.virtualenv / "bin" / "python")
        for name, target in (("requirements.txt", ["-r", "requirements.txt"]), ("pyproject.toml", ["-e", "."])):
            if (self.program / name).exists():
                steps.append((f"installing what {name} asks for", [python, "-m", "pip", "install", *target]))
                break
        return steps


def global_python() -> str:
    return os.environ.get("PULUMI_PYTHON_CMD") or "python3"


def canonical(requirement: str) -> str:
    """The normal form of the package name that `requirement` begins with."""
    name = re.match(r"[\w.-]+", requirement)
    return re.sub(r"[-_.]+", "-", name.group() if name else requirement).lower()
