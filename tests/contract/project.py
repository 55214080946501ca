"""A Pulumi project whose program declares a few containers: what a test does with it, and what it sees of it.

Programs name resources `<project>-<name>`; here they go by the short name.
"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

from docker.models.containers import Container

from tests.support import engine
from tests.support.pulumi_project import PulumiProject

PROGRAMS = Path(__file__).with_name("programs")


class ContractProject(PulumiProject):
    """One stack of a test. `server` is the image of the server in `programs/server`."""

    def __init__(self, directory: Path, program: str, *, virtualenv: Path, name: str, server: str) -> None:
        super().__init__(directory, program, virtualenv=virtualenv, name=name)
        self.name = name
        self.environment["CONTRACT_SERVER"] = server
        self.write("contract.py", (PROGRAMS / "contract.py").read_text())
        self.init()

    def edit(self, old: str, new: str, file: str = "__main__.py") -> None:
        """Replaces a piece of the program that must be there."""
        text = (self.directory / file).read_text()
        assert old in text, f"{old!r} is not in {file}"
        self.write(file, text.replace(old, new))

    def plan(self, *flags: str) -> dict[str, str]:
        """{short name: create, update, replace or delete} as `pulumi preview` plans it, less what stays the same."""
        steps = json.loads(self.pulumi("preview", "--json", *flags).stdout)["steps"]
        operations = defaultdict(set)
        for step in steps:
            if step["op"] not in {"same", "refresh"}:
                operations[self.short(step["urn"])].add(step["op"])
        return {name: "replace" if "replace" in found else min(found) for name, found in operations.items()}

    def short(self, urn: str) -> str:
        return urn.rpartition("::")[2].removeprefix(f"{self.name}-")

    def resource(self, logical_name: str) -> dict[str, Any]:
        return super().resource(f"{self.name}-{logical_name}")

    def half_made(self) -> list[str]:
        """The resources that the state has with an error from their creation: made, but not well."""
        return [self.short(r["urn"]) for r in self.resources() if r.get("initErrors") and not r.get("delete")]

    def pending(self) -> list[str]:
        """The resources that the state still has, to be deleted by the next run that succeeds."""
        return [self.short(r["urn"]) for r in self.resources() if r.get("delete")]

    def containers(self, name: str) -> list[Container]:
        """The containers of this name that exist, running or not, the newest first."""
        return engine.containers(f"{self.name}-{name}")

    def container(self, name: str) -> Container:
        return engine.container(f"{self.name}-{name}")

    def ids(self, *names: str) -> dict[str, str]:
        """{short name: id of its one container}."""
        return {name: str(self.container(name).id) for name in names}
