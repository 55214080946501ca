"""open: where the site is."""

from __future__ import annotations

import os
import sys
from urllib.parse import urlencode

import click

from slipway.cli import report, screen
from slipway.cli.errors import CliError, Code
from slipway.cli.pulumi import revealed
from slipway.cli.target import Target, command

LOGINS = "adminer_logins"
"""The output of the program that says how to log in."""


@click.command(name="open")
@click.argument("what", required=False)
@command
def open_(target: Target, what: str | None) -> int:
    """Print the URL of the site, a service or `adminer`, and open it where there is a desktop.

    With adminer: also who can log in, passwords included, which only a stack with adminer shows.
    """
    found = report.urls(target.project, target.state())
    name = what or next(iter(found), "")
    if name not in found:
        raise CliError(
            f"{target.project} has no URL {name!r}" if what else f"{target.project} has no URL",
            f"it has: {', '.join(found)}" if found else target.project.typed("up"),
            code=Code.MISSING,
        )
    logins = accounts(target, found[name]) if name == report.ADMINER else []
    if target.json:
        screen.as_json({"url": found[name], **({"logins": logins} if logins else {})})
        return Code.OK
    screen.output().print(found[name], markup=False)
    if logins:
        columns = ("service", "system", "server", "username", "password", "database")
        screen.table([column.upper() for column in columns], [[each[key] for key in columns] for each in logins])
    if sys.stdout.isatty() and desktop():
        click.launch(logins[0]["url"] if logins else found[name])
    return Code.OK


def accounts(target: Target, url: str) -> list[dict[str, str]]:
    """How to log in to adminer, as the program exports it: for each service with a database of its own, as the
    database's owner."""
    logins = revealed(target.state(secrets=True).outputs.get(LOGINS)) or {}
    found = []
    for service, login in logins.items():
        filled = urlencode({"pgsql": login["server"], "username": login["username"], "db": login["database"]})
        found.append({"service": service, "system": "PostgreSQL", **login, "url": f"{url}?{filled}"})
    return found


def desktop() -> bool:
    return sys.platform == "darwin" or bool({"DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys())
