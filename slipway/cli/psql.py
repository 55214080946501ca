"""psql: in the Postgres container, as one database's owner."""

from __future__ import annotations

import click
from docker.models.containers import Container

from slipway.cli import screen
from slipway.cli.errors import CliError, Code
from slipway.cli.exec import become
from slipway.cli.project import Project
from slipway.cli.target import Target, command
from slipway.core.provisioning import console, database_name
from slipway.core.superuser import pgoptions
from slipway.core.topology import POSTGRES
from slipway.engine import execution


@click.command()
@click.option("--superuser", is_flag=True, help="As `postgres`, who may do everything.")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[SERVICE] [-- PSQL ARGUMENTS]")
@command
def psql(target: Target, *, superuser: bool, arguments: tuple[str, ...]) -> None:
    """psql in the database of SERVICE, by default the only one, as that database's owner.

    It runs in the Postgres container, over its local socket: no password, no port. With --superuser its search_path is
    only Postgres' own schema, so that nothing runs that an app has put elsewhere: write public.TABLE.
    """
    service = None
    if arguments and not arguments[0].startswith("-"):
        service, arguments = arguments[0], arguments[1:]
    owner = database_owner(target.project, service, needed=not superuser)
    container = target.objects.running(POSTGRES)
    if superuser:
        login, environment = "postgres", {"PGOPTIONS": pgoptions()}
    else:
        login, environment = console(owner), {}
        refuse_without_role(target.project, container, login)
    words = ["psql", "-U", login, "-d", database_name(owner), *arguments]
    become(target, container, words, user="postgres", environment=environment)


def database_owner(project: Project, service: str | None, *, needed: bool) -> str:
    """The service whose database is meant; without one, `postgres` where none is `needed`. Raises CliError."""
    site = project.site
    owners = {name: site.database_owner(each) for name, each in site.services.items()}
    having = {name: owner.name for name, owner in owners.items() if owner.owns_database}
    if not having:
        raise CliError(f"{project} has no database server of its own", code=Code.MISSING)
    if service in having:
        return having[service]
    if service is None and len(set(having.values())) == 1:
        return next(iter(having.values()))
    if service is None and not needed:
        return POSTGRES
    what = f"{service} has no database on the server of {project}" if service else "the database of which service?"
    commands = (f"{screen.command()} psql {name} --stack {project.stack}" for name in having)
    raise CliError(what, *commands, code=Code.MISSING if service else Code.USAGE)


def refuse_without_role(project: Project, container: Container, role: str) -> None:
    """Raises CliError where the stack was brought up by a Slipway that made no such role."""
    asked = f"SELECT FROM pg_roles WHERE rolname = '{role}'"
    code, said = execution.execute(
        container, ["psql", "-XqtAc", f"SELECT EXISTS ({asked})", "postgres"], user="postgres"
    )
    if code == 0 and said.strip() == "f":
        raise CliError(f"{project} was brought up by an earlier Slipway, which made no such login", project.typed("up"))
