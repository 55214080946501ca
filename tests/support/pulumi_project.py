"""A Pulumi project in a directory of its own, driven through the plain command line as a user would drive it.

Each project gets its own file backend, passphrase and PULUMI_HOME (which borrows the installed plugins), so a test
changes nothing that the user has, and removing its directory removes every trace.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml


@dataclass(frozen=True)
class Result:
    """What one command did: its exit code, what it wrote, how long it took in seconds."""

    command: str
    code: int
    stdout: str
    stderr: str
    seconds: float

    @property
    def text(self) -> str:
        return self.stdout + self.stderr


class PulumiProject:
    """One project directory with one stack.

    `directory` must exist and be empty; `program` is the text of its `__main__.py`, or a folder to copy, whose
    Pulumi.yaml stays as it is but for the name. The program runs in the virtual environment at `virtualenv`, which has
    the Pulumi SDKs, unless the project names one.
    """

    def __init__(
        self,
        directory: Path,
        program: str | Path,
        *,
        virtualenv: Path,
        name: str,
        stack: str = "test",
    ) -> None:
        self.root, self.directory, self.name, self.stack = directory, directory / "project", name, stack
        if isinstance(program, Path):
            shutil.copytree(
                program, self.directory, symlinks=True, ignore=shutil.ignore_patterns("__pycache__", "Pulumi.*.yaml")
            )
        else:
            self.directory.mkdir()
            self.write("__main__.py", program)
        if not (self.directory / "Pulumi.yaml").exists():
            self.write("Pulumi.yaml", yaml.safe_dump({"name": name, "runtime": {"name": "python"}}))
        described = (self.directory / "Pulumi.yaml").read_text()
        self.write("Pulumi.yaml", re.sub(r"^name: .*", f"name: {name}", described, flags=re.MULTILINE))
        home, state = directory / "home", directory / "state"
        home.mkdir()
        state.mkdir()
        installed = Path(os.environ.get("PULUMI_HOME", Path.home() / ".pulumi")) / "plugins"
        if installed.is_dir():
            (home / "plugins").symlink_to(installed)
        self.environment = os.environ | {
            "PULUMI_HOME": str(home),
            "PULUMI_BACKEND_URL": state.as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": "a passphrase for tests",
            "PULUMI_PYTHON_CMD": str(virtualenv / "bin" / "python"),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "NO_COLOR": "1",
        }
        self.environment.pop("PULUMI_CONFIG_PASSPHRASE_FILE", None)

    def write(self, name: str, text: str) -> Path:
        """Writes (or replaces) one file of the project."""
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def start(self, *arguments: str, **options: Any) -> subprocess.Popen[str]:
        """Starts `pulumi …` in a process group of its own and returns at once: for tests that interrupt it."""
        return subprocess.Popen(
            ["pulumi", "--non-interactive", *arguments],
            cwd=self.directory,
            env=self.environment,
            text=True,
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            **options,
        )

    def pulumi(self, *arguments: str, succeeds: bool = True, timeout: float = 300) -> Result:
        """Runs `pulumi …` to its end; fails the test when the outcome is not the one expected, showing all output."""
        start = time.monotonic()
        done = subprocess.run(
            ["pulumi", "--non-interactive", *arguments],
            cwd=self.directory,
            env=self.environment,
            text=True,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout,
            check=False,
        )
        result = Result(
            f"pulumi {' '.join(arguments)}", done.returncode, done.stdout, done.stderr, time.monotonic() - start
        )
        wanted = "0" if succeeds else "an error"
        assert (done.returncode == 0) == succeeds, (
            f"{result.command}: exit code {done.returncode}, wanted {wanted}\n{result.text}"
        )
        return result

    def init(self, **config: object) -> None:
        """Makes the stack and sets plain configuration."""
        self.pulumi("stack", "init", self.stack)
        for key, value in config.items():
            self.configure(key, value)

    def configure(self, key: str, value: object) -> None:
        self.pulumi("config", "set", key, "--", str(value) if isinstance(value, str) else json.dumps(value))

    def up(self, *flags: str, succeeds: bool = True, timeout: float = 300) -> Result:
        return self.pulumi("up", "--yes", "--skip-preview", *flags, succeeds=succeeds, timeout=timeout)

    def preview(self, *flags: str, succeeds: bool = True) -> Result:
        return self.pulumi("preview", *flags, succeeds=succeeds)

    def steps(self, *flags: str) -> dict[str, str]:
        """What `pulumi preview` plans: {URN: operation}, without the resources that stay the same."""
        plan = json.loads(self.pulumi("preview", "--json", *flags).stdout)
        return {step["urn"]: step["op"] for step in plan["steps"] if step["op"] != "same"}

    def assert_unchanged(self) -> None:
        """A second `up` and an `up --refresh` find nothing to do: one that finds something finds it for ever."""
        self.up("--expect-no-changes")
        self.up("--refresh", "--expect-no-changes")

    def assert_settled(self) -> None:
        """An `up` that looks at the engine first finds nothing to do. One that does not look is left to the shipped
        site's stacks: it takes as long, and finds the same or less."""
        self.up("--refresh", "--expect-no-changes")

    def outputs(self) -> dict[str, Any]:
        result: dict[str, Any] = json.loads(self.pulumi("stack", "output", "--json", "--show-secrets").stdout)
        return result

    def resources(self) -> list[dict[str, Any]]:
        """The resources in the state, the half-made and the pending ones included."""
        state = json.loads(self.pulumi("stack", "export").stdout)
        found: list[dict[str, Any]] = state["deployment"].get("resources", [])
        return found

    def resource(self, logical_name: str) -> dict[str, Any]:
        """The one current resource with this logical name."""
        found = [r for r in self.resources() if r["urn"].endswith(f"::{logical_name}") and not r.get("delete")]
        assert len(found) == 1, f"{len(found)} resources named {logical_name} in the state"
        return found[0]

    def destroy(self) -> None:
        """Takes everything away, whatever state an earlier step left: also after a lock or a half-made update."""
        if not (self.directory / f"Pulumi.{self.stack}.yaml").exists():
            return
        subprocess.run(
            ["pulumi", "cancel", "--yes", "--stack", self.stack],
            cwd=self.directory,
            env=self.environment,
            capture_output=True,
            check=False,
        )
        self.pulumi("destroy", "--yes", "--skip-preview")
        self.pulumi("stack", "rm", "--yes", self.stack)
