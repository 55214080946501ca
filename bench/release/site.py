"""The site that is released again and again: a copy of the project with bench/site laid over it, on the real engine."""

from __future__ import annotations

import subprocess
import threading
import time
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bench.release.cases import SERVICE
from slipway.core.naming import HELPER_LABEL
from tests.e2e.site import Site
from tests.support import engine

OVER = Path(__file__).resolve().parents[1] / "site"
STACK = "prod"
COMMAND_SECONDS = 900
TABLE = "COPY (SELECT id, sha256 FROM entries) TO STDOUT"
WORKER = "clerk"
CUT_OFF = """
COPY (SELECT id, version FROM jobs WHERE done IS NULL AND id < (SELECT max(id) FROM jobs)) TO STDOUT
"""


@dataclass(frozen=True)
class Run:
    """One command of the operator's. `started`, `drained`: see bench.release.steps.Step."""

    start: float
    end: float
    code: int
    output: str
    started: float | None
    drained: float | None


class Ledger(Site):
    """The site, and the operator who changes it with the `slipway` command of the copied project."""

    def __init__(self, directory: Path, *, virtualenv: Path) -> None:
        self.port = engine.free_port()
        super().__init__(directory, STACK, {"edge": {"port": self.port}}, virtualenv=virtualenv, over=OVER)

    def change(self, version: str, fault: str = "", overrides: Mapping[str, Any] | None = None) -> None:
        """Edits the service's code to this version; `overrides` are all that the stack declares otherwise."""
        self.write(f"services/{SERVICE}/version.py", f"VERSION = {version!r}\nFAULT = {fault!r}\n")
        file = f"Pulumi.{STACK}.yaml"
        settings = yaml.safe_load((self.directory / file).read_text())
        config = {key: value for key, value in settings["config"].items() if not key.endswith("overrides")}
        settings["config"] = {**config, "overrides": dict(overrides)} if overrides else config
        self.write(file, yaml.safe_dump(settings))

    def release(self) -> Run:
        return self.slipway("up", "--yes")

    def go_back(self) -> Run:
        """To the release before the one that serves; the next step begins with the newest source again."""
        run = self.slipway("rollback")
        self.slipway("rollback", "--clear")
        return run

    def slipway(self, *arguments: str) -> Run:
        """Runs the operator's command to its end, however it ends."""
        self.note_images()
        start = time.time()
        with self.watched(SERVICE, "start", "kill") as events:
            done = subprocess.run(
                [self.directory / "bin" / "slipway", *arguments, "--stack", STACK],
                cwd=self.directory,
                env=self.environment,
                text=True,
                errors="replace",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=COMMAND_SECONDS,
                check=False,
            )
        return Run(
            start,
            time.time(),
            done.returncode,
            done.stdout,
            started=next((moment for moment, action, _ in events if action == "start"), None),
            drained=next((moment for moment, action, helper in events if action == "kill" and not helper), None),
        )

    @contextmanager
    def watched(self, service: str, *events: str) -> Iterator[list[tuple[float, str, bool]]]:
        """When these events befell a container of the service, and whether that was a helper (a migration, say).
        Listens meanwhile: the engine remembers its last 256 events only, and health checks make many."""
        seen: list[tuple[float, str, bool]] = []
        labels = [*self.labels(), f"slipway.service={service}"]
        filters = {"type": "container", "label": labels, "event": list(events)}
        stream = engine.client().events(filters=filters, decode=True)

        def listen() -> None:
            seen.extend(
                (event["timeNano"] / 1e9, event["Action"], HELPER_LABEL in event["Actor"]["Attributes"])
                for event in stream
            )

        listener = threading.Thread(target=listen, daemon=True)
        listener.start()
        try:
            yield seen
        finally:
            stream.close()
            listener.join()

    def table(self) -> dict[str, list[str]]:
        """{id: the SHA-256 of each row with it} of all that the service wrote down."""
        rows = defaultdict(list)
        for line in self.inside("postgres", "psql", "-qd", SERVICE, "-c", TABLE, user="postgres").splitlines():
            identity, sha256 = line.split("\t")
            rows[identity].append(sha256)
        return dict(rows)

    def cut_off(self, versions: Collection[str]) -> list[str]:
        """The jobs that workers of these versions began and never finished; not the one that is under way."""
        lines = self.inside("postgres", "psql", "-qd", WORKER, "-c", CUT_OFF, user="postgres").splitlines()
        jobs = (line.split("\t") for line in lines)
        return [f"job {job} of {version}" for job, version in jobs if version in versions]
