"""exec: into a running container, by the docker command, which knows how to hand over a terminal."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence

import click
from docker.models.containers import Container

from slipway.cli.errors import CliError, Code
from slipway.cli.target import Target, command
from slipway.core.container_paths import SECRETS
from slipway.engine import link


@click.command(name="exec")
@click.argument("service")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[-- COMMAND]")
@command
def execute(target: Target, service: str, arguments: tuple[str, ...]) -> None:
    """Run COMMAND (default: a shell) in a running container of SERVICE, with its secrets in the environment."""
    container = target.objects.running(service)
    wrapped = any(mount.get("Destination") == SECRETS for mount in container.attrs["Mounts"])
    wrapper = ["sh", f"{SECRETS}/exec"] if wrapped else []
    become(target, container, [*wrapper, *(arguments or ("sh",))])


def become(
    target: Target,
    container: Container,
    arguments: Sequence[str],
    *,
    user: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Becomes `docker exec`: the terminal, signals and the exit code are the command's own. For a server over SSH this
    process stays, because the connection ends with it."""
    program = shutil.which("docker", path=target.pulumi.environment["PATH"])
    if not program:
        raise CliError("there is no docker command", "apt-get install docker-cli", code=Code.NOT_SET_UP)
    terminal = ["--tty"] if sys.stdin.isatty() and sys.stdout.isatty() else []
    owner = ["--user", user] if user else []
    variables = [word for name, value in (environment or {}).items() for word in ("--env", f"{name}={value}")]
    sys.stdout.flush()
    words = [program, "exec", "--interactive", *terminal, *owner, *variables, str(container.id), *arguments]
    own = {**target.pulumi.environment, "DOCKER_HOST": link.local(target.objects.address)}
    if link.by_ssh(target.objects.address):
        signal.signal(signal.SIGINT, lambda *_: None)  # the command gets it from the terminal
        sys.exit(subprocess.run(words, env=own, check=False).returncode)
    os.execve(program, words, own)  # noqa: S606 - there is no shell, and must be none
