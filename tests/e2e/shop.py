"""A small site for releases that go wrong: two services from one folder, a worker and a database, in production.

What each service does wrong is in its environment, so a broken release needs no new image.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import httpx
import yaml

from slipway.cli.backend import runs_pulumi
from slipway.setup import paths
from tests.e2e.site import Site, running
from tests.support.engine import free_port
from tests.support.waiting import wait_until

SOURCE = Path(__file__).with_name("programs") / "shop"
PATHS = ("", "other/")
"""Where the two services answer, below the shop's URL."""
CONTEXT = ssl.create_default_context()
"""Made once: httpx would read all authorities' certificates again for each new connection, at 25 ms of a processor."""
TIMEOUT = 25
"""The shop's deployTimeout: a health check asks every five seconds, so a good release needs six, and more where other
tests use the machine as well."""
COMMON: dict[str, Any] = {"path": "services/shop", "app": "app:app", "ready": "/ready", "memory": 96}
SERVICES = {
    "web": {
        **COMMON,
        "route": "/",
        "database": {"connections": 2},
        "migrate": "python migrate.py",
        "static": {"/static/": "static"},
        "env": {"RELEASE": "1", "DATABASE_URL": "{database.url}"},
    },
    "other": {**COMMON, "route": "/other/", "secrets": ["OTHER_KEY"], "env": {"RELEASE": "1"}},
    "worker": {"path": "services/shop", "command": "python worker.py", "memory": 32, "env": {"RELEASE": "1"}},
}


class Shop(Site):
    """The site, and the operator's command for it."""

    def __init__(self, directory: Path, virtualenv: Path) -> None:
        self.port = free_port()
        settings = {"services": SERVICES, "edge": {"port": self.port}, "deployTimeout": TIMEOUT, "drain": 5}
        super().__init__(directory, "prod", settings, virtualenv=virtualenv)
        shutil.copytree(SOURCE, self.directory / "services" / "shop")
        self.declare()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def declare(self, *, migrations: dict[str, int] | None = None, **overrides: dict[str, Any]) -> None:
        """From now on these overrides are declared, and no others."""
        file = self.directory / "Pulumi.prod.yaml"
        text = yaml.safe_load(file.read_text())
        kept = {key.rpartition(":")[2]: value for key, value in text["config"].items()}
        kept |= {"overrides": overrides, "migrations": migrations or {}}
        text["config"] = {f"{self.project}:{key}": value for key, value in kept.items()}
        file.write_text(yaml.safe_dump(text))

    def command(self, *arguments: str) -> list[str]:
        return [str(paths.PROJECT / "bin" / "slipway"), arguments[0], "--stack", "prod", *arguments[1:]]

    def slipway(self, *arguments: str, code: int = 0) -> str:
        """What the command says, on both streams; fails the test unless it ends with this exit code."""
        done = subprocess.run(
            self.command(*arguments),
            cwd=self.directory,
            env=self.environment,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=300,
            check=False,
        )
        self.note_images()
        assert done.returncode == code, f"{arguments}: exit code {done.returncode}\n{done.stdout}"
        return done.stdout

    def plan(self, *arguments: str) -> dict[str, str]:
        """{resource's name without the prefix: operation} of a preview."""
        done = subprocess.run(
            self.command("preview", "--json", *arguments),
            cwd=self.directory,
            env=self.environment,
            text=True,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=300,
            check=True,
        )
        steps = json.loads(done.stdout)["steps"]
        return {each["urn"].rpartition("::")[2].removeprefix(f"{self.prefix}-"): each["operation"] for each in steps}

    @contextmanager
    def up_at_work(self) -> Iterator[subprocess.Popen[bytes]]:
        """An `up` that is running: killed, if it still is, at the end."""
        with subprocess.Popen(
            self.command("up"),
            cwd=self.directory,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as run:
            try:
                yield run
            finally:
                run.kill()

    def pulumi_at_work(self) -> list[int]:
        """The process id of the `pulumi` that holds the stack's lock: none before it has begun, none when it ended."""
        found = []
        for lock in (self.root / "state").glob(".pulumi/locks/organization/*/prod/*.json"):
            with contextlib.suppress(OSError, ValueError):  # it has just gone, or is being written
                found.append(int(json.loads(lock.read_text())["pid"]))
        return [pid for pid in found if runs_pulumi(pid)]

    def kill_pulumi(self) -> None:
        """Ends the `pulumi` that is at work, hard."""
        [pid] = self.pulumi_at_work()
        os.kill(pid, signal.SIGKILL)

    def serving(self) -> dict[str, str]:
        """{path: what answers there}."""
        return {path: httpx.get(self.url + path).text for path in PATHS}


@contextmanager
def shop_running(directory: Path, virtualenv: Path) -> Iterator[Shop]:
    shop = Shop(directory, virtualenv)
    with running(shop):
        wait_until("the shop answers", lambda: shop.serving() == {"": "1", "other/": "1"}, 20)
        yield shop


class Failed(NamedTuple):
    """A request without a good answer: when it was sent and when that was known (time.monotonic), the path, and why."""

    sent: float
    known: float
    path: str
    problem: str


class Poller:
    """Asks both services all the time while this is entered, each over a connection of its own and over new ones."""

    def __init__(self, shop: Shop) -> None:
        self.url, self.stopped = shop.url, threading.Event()
        self.answers: list[tuple[str, str]] = []
        self.failed: list[Failed] = []
        self.threads = [threading.Thread(target=self._ask, args=(path,)) for path in PATHS]

    def __enter__(self) -> Self:
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopped.set()
        for thread in self.threads:
            thread.join(timeout=30)

    def _ask(self, path: str) -> None:
        with httpx.Client(timeout=10, verify=CONTEXT) as kept:
            number = 0
            while not self.stopped.wait(0.05):
                number += 1
                get = kept.get if number % 2 else partial(httpx.get, timeout=10, verify=CONTEXT)
                sent = time.monotonic()
                try:
                    answer = get(self.url + path)
                except httpx.TransportError as problem:
                    self.failed.append(Failed(sent, time.monotonic(), path, repr(problem)))
                    continue
                self.answers.append((path, answer.text))
                if answer.status_code != httpx.codes.OK:
                    self.failed.append(Failed(sent, time.monotonic(), path, f"status {answer.status_code}"))

    @property
    def releases(self) -> set[str]:
        return {text for _, text in self.answers}


@contextmanager
def holding_a_lock(shop: Shop) -> Iterator[None]:
    """Somebody's long transaction on the table that the migration changes."""
    container = shop.container("postgres")
    api: Any = container.client.api if container.client else None
    sql = "BEGIN; LOCK TABLE orders IN ACCESS SHARE MODE; SELECT pg_sleep(60)"
    made = api.exec_create(container.id, ["psql", "--dbname=web", f"--command={sql}"], user="postgres")
    api.exec_start(made["Id"], detach=True)
    held = "SELECT count(*) FROM pg_locks WHERE mode = 'AccessShareLock' AND relation = 'orders'::regclass"

    def is_held() -> bool:
        return shop.inside("postgres", "psql", "--dbname=web", "-XqtAc", held, user="postgres").strip() == "1"

    wait_until("the lock is held", is_held, 10)
    try:
        yield
    finally:
        with contextlib.suppress(AssertionError):
            end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
            shop.inside("postgres", "psql", "--dbname=web", "-XqtAc", end, user="postgres")
