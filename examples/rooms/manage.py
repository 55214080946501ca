#!/usr/bin/env python3
"""The everyday commands of this site: `python manage.py [--stack dev] up`, as one would type them to Docker Compose."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

HERE = Path(__file__).resolve().parent
SLIPWAY = HERE.parents[1] / "bin" / "slipway"
FIRST_ROOMS = HERE / "services" / "rooms" / "first_rooms.sql"
COMMANDS = {
    "up": "build the images, release them, and say where the site is",
    "down": "take the site away; --delete-data takes its data as well",
    "ps": "show the containers",
    "logs": "show what the containers write; --follow goes on",
    "psql": "open the application's database",
    "init-postgres": "put the first rooms into the application's database; those that are there stay as they are",
}


def slipway(stack: str, command: str, *arguments: str, stdin: TextIO | None = None) -> int:
    """The exit code of `slipway` on this folder's site."""
    run = [str(SLIPWAY), command, "--stack", stack, *arguments]
    return subprocess.run(run, cwd=HERE, stdin=stdin, check=False).returncode


def main(arguments: Sequence[str] | None = None) -> int:
    epilog = "\n".join(f"  {name:14} {what}" for name, what in COMMANDS.items())
    parser = argparse.ArgumentParser(
        description="The rooms site.", epilog=epilog, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--stack", default="prod", help="prod (the default) or dev")
    parser.add_argument("command", choices=COMMANDS, metavar="command")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="passed on to slipway")
    given = parser.parse_args(arguments)
    if given.command != "init-postgres":
        return slipway(given.stack, given.command, *given.arguments)
    # The database, its owner and its table are made by `up`, which makes them only where they are missing.
    with FIRST_ROOMS.open() as sql:
        return slipway(given.stack, "psql", "rooms", "--", "-v", "ON_ERROR_STOP=1", "-f", "-", stdin=sql)


if __name__ == "__main__":
    sys.exit(main())
