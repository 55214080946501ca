"""psql and exec: into a running container, by the docker command, which knows how to hand over a terminal."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence

import click
from docker.models.containers import Container

from slipway.cli.errors import CliError, Code
from slipway.cli.target import Target, command
from slipway.core.container_paths import SECRETS
from slipway.core.provisioning import database_name
from slipway.core.topology import POSTGRES

"""Where a service's secrets and the wrapper that exports them are mounted."""


def become(target: Target, container: Container, arguments: Sequence[str], *, user: str | None = None) -> None:
    """Replaces this process by `docker exec`, so that the terminal, signals and the exit code are the command's own."""
    program = shutil.which("docker", path=target.pulumi.environment["PATH"])
    if not program:
        raise CliError("there is no docker command", "apt-get install docker-cli", code=Code.NOT_SET_UP)
    terminal = ["--tty"] if sys.stdin.isatty() and sys.stdout.isatty() else []
    owner = ["--user", user] if user else []
    environment = {**target.pulumi.environment, "DOCKER_HOST": target.belongings.address}
    sys.stdout.flush()
    os.execve(  # noqa: S606 - there is no shell, and must be none
        program, [program, "exec", "--interactive", *terminal, *owner, str(container.id), *arguments], environment
    )


@click.command()
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[SERVICE] [-- PSQL ARGUMENTS]")
@command
def psql(target: Target, arguments: tuple[str, ...]) -> None:
    """A superuser's psql in the database of SERVICE; without one in the only service's, else in `postgres`.

    It runs in the Postgres container, over its local socket: no password, no port.
    """
    service = None
    if arguments and not arguments[0].startswith("-"):
        service, arguments = arguments[0], arguments[1:]
    container = target.belongings.running(POSTGRES)
    become(target, container, ["psql", "-d", database(target, service), *arguments], user="postgres")


def database(target: Target, service: str | None) -> str:
    """The name of the database. Raises CliError for a service without one."""
    site = target.project.site
    having = {name: site.database_owner(each).name for name, each in site.services.items() if each.database}
    if service is None:
        return database_name(*set(having.values())) if len(set(having.values())) == 1 else "postgres"
    if service not in having:
        raise CliError(
            f"{service} has no database here", f"these have: {', '.join(having) or 'none'}", code=Code.MISSING
        )
    return database_name(having[service])


@click.command(name="exec")
@click.argument("service")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[-- COMMAND]")
@command
def execute(target: Target, service: str, arguments: tuple[str, ...]) -> None:
    """Run COMMAND (default: a shell) in a running container of SERVICE, with its secrets in the environment."""
    container = target.belongings.running(service)
    wrapped = any(mount.get("Destination") == SECRETS for mount in container.attrs["Mounts"])
    wrapper = ["sh", f"{SECRETS}/exec"] if wrapped else []
    become(target, container, [*wrapper, *(arguments or ("sh",))])
