"""A site of examples/ as its user has it: a folder with a Pulumi.yaml, stack files and services, and the program
elsewhere (`main:`)."""

from __future__ import annotations

import json
import subprocess
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import yaml

from slipway.setup import paths
from slipway.site.profile import profile_for
from tests.e2e.pictures import Load, load, repeated
from tests.e2e.site import Site, copied, merged, status
from tests.support import engine
from tests.support.engine import free_port
from tests.support.waiting import wait_until

COMMAND_SECONDS = 600
ANSWER_SECONDS = 20
CHECKOUT = "ein größerer checkout"
"""Where the copy is: a path as people have them, with a space and a letter that is not ASCII."""
ENOUGH = 50
"""Requests that a load must have made during an `up`: fewer would prove nothing."""
INCOMPLETE = "without sending complete message body"
"""What httpx says of an answer that ended after its head."""


class Example(Site):
    """One stack of examples/NAME in a copy of the checkout, with its committed files, but under a name, with ports and
    with a state of its own. `settings` are merged into the stack file."""

    def __init__(
        self,
        directory: Path,
        example: str,
        stack: str = "prod",
        settings: Mapping[str, Any] | None = None,
        *,
        virtualenv: Path,
    ) -> None:
        source = paths.PROJECT / "examples" / example
        described = yaml.safe_load((source / "Pulumi.yaml").read_text())
        stack_file = yaml.safe_load((source / f"Pulumi.{stack}.yaml").read_text()) or {}
        services = {name: table or {} for name, table in described["config"]["services"]["default"].items()}
        ports = free_ports(stack, services, stack_file.get("config") or {})
        checkout = directory / CHECKOUT
        copied(paths.PROJECT, checkout, "examples", virtualenv=virtualenv)
        self.command = checkout / "bin" / "slipway"
        root = checkout / "examples"
        root.mkdir()
        self.make(root, source, stack, merged(ports, settings or {}), virtualenv=virtualenv)

    @property
    def url(self) -> str:
        """Where the site is, with a slash at its end."""
        return str(self.outputs()["url"])

    def slipway(self, *arguments: str, code: int = 0, stdin: str | None = None) -> str:
        """What the operator's command writes on standard output; fails the test unless it ends with this exit code.
        The stack is named for it."""
        command, *rest = arguments
        self.note_images()
        done = subprocess.run(
            [self.command, command, "--stack", self.stack, *rest],
            cwd=self.directory,
            env=self.environment,
            text=True,
            input=stdin or "",
            capture_output=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        self.note_images()
        assert done.returncode == code, f"slipway {arguments}: exit code {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def psql(self, sql: str, service: str | None = None) -> str:
        """What `slipway psql` answers, columns separated by |, without headings."""
        return self.slipway("psql", *([service] if service else []), "--", "-XqtA", "-c", sql).strip()

    def variables(self, service: str) -> dict[str, str]:
        """The environment of the service's running program, secrets included."""
        lines = self.slipway("exec", service, "--", "env").splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)

    def asked(self, path: str) -> list[dict[str, Any]]:
        """The lines of nginx's access log about each request for this path up to now."""
        edge, last = self.container("edge"), f"/{uuid.uuid4()}"
        address, port = engine.published(edge, 80)
        httpx.get(f"http://{address}:{port}{last}")
        engine.wait_for_log(edge, last, ANSWER_SECONDS)  # what nginx wrote is in the engine's hands a moment later
        entries = [json.loads(line) for line in edge.logs().decode().splitlines() if line.startswith("{")]
        return [entry for entry in entries if entry["path"] == path]

    def answers(self, path: str = "", wanted: int = 200, seconds: float = ANSWER_SECONDS) -> None:
        """Waits until the site answers there as wanted."""
        url = f"{self.url}{path}"
        wait_until(f"{url} answers {wanted}", lambda: status(url) == wanted, seconds)

    @contextmanager
    def under_load(
        self, *paths: str, also: Callable[[], str] | None = None, cut_off: int = 0, **options: Any
    ) -> Iterator[Load]:
        """Visitors ask for these paths until the block ends; then the test fails if one request did, but for so many
        answers that were `cut_off` after their head. `also` is one more client, called again and again: "" or what went
        wrong. `options` are httpx's: headers, verify."""
        url = self.url
        with ExitStack() as clients:
            seen = clients.enter_context(load([f"{url}{path}" for path in paths], **options))
            if also:
                clients.enter_context(repeated(lambda: seen.note("also", also())))
            yield seen
        incomplete = [failure for failure in seen.failures if INCOMPLETE in failure]
        # This module's asserts explain nothing by themselves.
        assert len(seen.failures) == len(incomplete) <= cut_off, "\n".join(seen.failures)
        assert seen.requests > ENOUGH

    def destroy(self) -> None:
        """Takes the stack down with its data and images, whatever an earlier step left; also one that is not there."""
        self.slipway("down", "--delete-data", "--yes")

    def assert_destroyed_whole(self) -> None:
        """Destroys the stack: nothing of it is left on the engine."""
        self.destroy()
        assert self.remains() == engine.tags(f"{self.project}-") == []


def free_ports(stack: str, services: Mapping[str, Mapping[str, Any]], declared: Mapping[str, Any]) -> dict[str, Any]:
    """Settings under which the stack publishes free ports only, whatever its files say."""
    if profile_for(stack, declared.get("profile")).edge:
        return {"edge": {"port": free_port(), "tlsPort": free_port()}}
    ports = {name: {"devPort": free_port()} for name, table in services.items() if "command" not in table}
    adminer = declared.get("adminer", any(table.get("database") for table in services.values()))
    return {"overrides": ports} | ({"adminer": {"port": free_port()}} if adminer else {})


@contextmanager
def example_running(example: Example) -> Iterator[Example]:
    """Brings the example up as its user does, and takes away everything of it afterwards."""
    try:
        example.slipway("up", "--yes")
        example.pulumi("stack", "select", example.stack)  # for what a test does with plain Pulumi
        yield example
    finally:
        example.remove()
