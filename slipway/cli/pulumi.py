"""The `pulumi` command, run for one stack."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import IO, Any

import yaml

from slipway.cli import backend
from slipway.cli.errors import CliError, Code
from slipway.cli.project import Project
from slipway.cli.signals import deaf_to_hangup, passed_on
from slipway.core import interruption
from slipway.core.resource_types import STACK
from slipway.setup import paths, plugins
from slipway.setup.choices import Choices
from slipway.setup.settings import Settings

NICENESS = 10
"""By how much Pulumi, the program and the plugins give way to others (nice(1)). On a small host they would otherwise
take the processor from the site that serves: each of them counts there as much as all containers together, whose
control group has the weight of one process (kernel documentation, sched-design-CFS, group scheduling)."""
PULUMI = ("nice", "-n", str(NICENESS), "pulumi")
NOISE = re.compile(r" ~  \S+ \S+ refresh(ing)?( \([\d.]+m?s\))? *| {4}\S+:\S+:\S+ \S+ *(running)? *")
"""What Pulumi writes, without a terminal, of each resource that it asked for or that stayed the same."""
LOCKED = re.compile(r"the stack is currently locked by|Another update is currently in progress", re.IGNORECASE)
"""What Pulumi writes where another run has the lock, of a backend that it keeps itself and of Pulumi Cloud: as in its
own Automation API (sdk/python, pulumi/automation/errors.py), for there is no exit code for it."""


def environment(choices: Choices, own: Mapping[str, str]) -> dict[str, str]:
    """The environment of every `pulumi`: what set-up chose, where the user has not set something else."""
    chosen = dict(choices.environment)
    if "PULUMI_CONFIG_PASSPHRASE" in own:
        chosen.pop("PULUMI_CONFIG_PASSPHRASE_FILE", None)
    # A stack file without a salt takes the state's instead of a new one.
    chosen["PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER"] = "true"
    chosen["PULUMI_DEBUG_COMMANDS"] = "true"  # makes --event-log known, as Pulumi's own Automation API does
    # The program is this checkout's, also in a shell that has read the environment of another one.
    python = {"PULUMI_PYTHON_CMD": str(paths.VIRTUALENV / "bin" / "python")}
    return {**chosen, **own, **python, "PATH": choices.exported()["PATH"]}


def setup() -> str:
    """How set-up is typed, from whatever folder."""
    return f"make -C {quote(str(paths.PROJECT))} setup"


@dataclass(frozen=True)
class State:
    """The stack as Pulumi recorded it. `interrupted`: a run ended while it was making or changing something."""

    resources: tuple[Mapping[str, Any], ...] = ()
    interrupted: bool = False

    @classmethod
    def of(cls, exported: Mapping[str, Any]) -> State:
        deployment = exported.get("deployment") or {}
        return cls(tuple(deployment.get("resources") or ()), bool(deployment.get("pending_operations")))

    @property
    def ids(self) -> frozenset[str]:
        return frozenset(str(resource["id"]) for resource in self.resources if resource.get("id"))

    @property
    def outputs(self) -> Mapping[str, Any]:
        """What the program exported; a secret only where it was asked for, see `revealed`."""
        found = (each.get("outputs") for each in self.resources if each["type"] == STACK)
        return next(found, None) or {}

    def of_type(self, kind: str) -> list[Mapping[str, Any]]:
        """Those of a type such as docker:index/container:Container, the ones about to be deleted left out."""
        return [each for each in self.resources if each["type"] == kind and not each.get("delete")]


def revealed(value: Any) -> Any:
    """A value of a state that was read with its secrets: the text of a secret is JSON, in a wrapper that marks it."""
    return json.loads(value["plaintext"]) if isinstance(value, Mapping) and "plaintext" in value else value


class Pulumi:
    """Runs `pulumi`. Raises CliError where it is not there, or has no passphrase."""

    def __init__(self, project: Project, own: Mapping[str, str] = os.environ) -> None:
        self.project = project
        # Pulumi believes PWD where it names the same folder, and takes a relative `main` from there: behind a symbolic
        # link that would be another place.
        choices = Choices.load()
        self.environment = environment(choices, own) | {"PWD": str(project.root)}
        if not shutil.which("pulumi", path=self.environment["PATH"]):
            raise CliError("there is no pulumi command", setup(), code=Code.NOT_SET_UP)
        passphrase = self.environment.get("PULUMI_CONFIG_PASSPHRASE_FILE")
        if passphrase and not Path(passphrase).is_file() and "PULUMI_CONFIG_PASSPHRASE" not in self.environment:
            raise CliError(f"the passphrase file {passphrase} is missing", setup(), code=Code.NOT_SET_UP)
        home = plugins.users_home(self.environment)
        # Pulumi would try to download each of them, five times.
        if plugins.PART in choices.origin and (missing := plugins.missing_in(home, Settings.load())):
            there = f"no plugin {' and no plugin '.join(missing)} in {home / 'plugins'}"
            raise CliError(f"there is {there}", setup(), code=Code.NOT_SET_UP)
        self.folder = backend.state_folder(project, self.environment)
        if self.folder:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.environment["PULUMI_BACKEND_URL"] = self.folder.as_uri()

    def read(self, *arguments: str) -> str:
        """What a command that only looks writes. Raises CliError with Pulumi's words when it fails."""
        done = self._quietly(*arguments)
        if done.returncode:
            self._refuse_if_locked(done.stderr)
            raise CliError(f"pulumi {arguments[0]} failed:\n{done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    def state(self, *, secrets: bool = False) -> State | None:
        """The recorded stack, None when there is none of this name."""
        shown = ["--show-secrets"] if secrets else []
        done = self._quietly("stack", "export", "--stack", self.project.stack, *shown)
        if done.returncode and "no stack named" in done.stderr:
            return None
        if done.returncode:
            raise CliError(f"the state of {self.project} cannot be read:\n{done.stderr.strip()}")
        return State.of(json.loads(done.stdout))

    def last_run(self) -> Mapping[str, Any]:
        """The newest entry of the stack's history; empty before the first run."""
        said = self.read("stack", "history", "--stack", self.project.stack, "--json", "--page-size", "1")
        found: list[dict[str, Any]] = json.loads(said or "[]")
        return found[0] if found else {}

    def create(self) -> State:
        """Makes the stack, in a folder of its own where Pulumi would write a salt into the project's stack file."""
        arguments = ("stack", "init", self.project.stack, "--no-select")
        if self.project.locks_itself:
            self.read(*arguments)
            return State()
        with tempfile.TemporaryDirectory(prefix="slipway-") as folder:
            described = {
                key: self.project.described[key]
                for key in ("name", "runtime", "description", "backend")
                if key in self.project.described
            }
            (Path(folder) / "Pulumi.yaml").write_text(yaml.safe_dump(described))
            self.read("--cwd", folder, *arguments)
        return State()

    def forget(self) -> None:
        """Removes the stack from the backend. Raises CliError while it has resources."""
        self.read("stack", "rm", "--yes", "--preserve-config", "--stack", self.project.stack)

    def run(self, command: str, *arguments: str, quiet: bool = False) -> int:
        """Runs a command with this stack's configuration, shows what it writes, and returns its exit code.

        `quiet` keeps standard output free: Pulumi's goes to standard error. Raises CliError (Code.LOCKED) where another
        run has the stack's lock, which means that nothing was done.
        """
        interactive = not quiet and sys.stdout.isatty() and sys.stdin.isatty()
        flags = () if interactive else ("--non-interactive", "--suppress-progress")
        with self.project.config_file() as config:
            stack = ("--stack", self.project.stack)
            return self._show(command, *stack, *config, *flags, *arguments, interactive=interactive, quiet=quiet)

    def captured(self, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs a command with this stack's configuration and shows nothing."""
        with self.project.config_file() as config:
            return self._quietly(command, "--stack", self.project.stack, *config, *arguments)

    def _refuse_if_locked(self, said: str) -> None:
        if LOCKED.search(said):
            raise CliError(
                f"another run is working on {self.project}, and nothing was changed; what Pulumi said:\n{said.strip()}",
                "wait until it has ended",
                f"or, when you know that it is dead:  pulumi cancel --stack {self.project.stack}",
                code=Code.LOCKED,
            )

    def _quietly(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*PULUMI, "--non-interactive", *arguments],
            cwd=self.project.root,
            env=self.environment,
            text=True,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )

    def _show(self, *arguments: str, interactive: bool, quiet: bool) -> int:
        """On a terminal Pulumi draws by itself; elsewhere the lines that say nothing are left out."""
        with (
            deaf_to_hangup(),
            tempfile.TemporaryDirectory(prefix="slipway-") as folder,
            subprocess.Popen(
                [*PULUMI, *arguments],
                cwd=self.project.root,
                env=self.environment | {interruption.VARIABLE: f"{folder}/interrupted"},
                text=True,
                errors="replace",
                stdout=None if interactive else subprocess.PIPE,
                stderr=subprocess.PIPE,
            ) as process,
            passed_on(process, Path(folder, "interrupted")) as received,
        ):
            complaints: list[str] = []
            listener = threading.Thread(target=relay, args=(process.stderr, complaints), daemon=True)
            listener.start()
            for line in process.stdout or ():
                if not NOISE.fullmatch(line.rstrip("\n")):
                    print(line, end="", file=sys.stderr if quiet else sys.stdout, flush=True)
            code = process.wait()
            listener.join()
        if received:
            raise CliError(
                "the run was interrupted; type the same again to go on",
                code=Code.TERMINATED if signal.SIGTERM in received else Code.INTERRUPTED,
            )
        if code:
            self._refuse_if_locked("".join(complaints))
        return code


def relay(stream: IO[str] | None, lines: list[str]) -> None:
    """Shows what Pulumi writes to standard error, where its own errors go, and keeps it."""
    for line in stream or ():
        print(line, end="", file=sys.stderr, flush=True)
        lines.append(line)
