"""server: a machine elsewhere, before a site is released to it."""

from __future__ import annotations

import sys
import time
from dataclasses import asdict
from shlex import quote

import click

from slipway.cli import screen
from slipway.cli.engine_client import engine_client
from slipway.cli.errors import CliError, Code
from slipway.cli.target import ended
from slipway.core.server import findings
from slipway.engine.link import Link, by_ssh


@click.group()
def server() -> None:
    """A server over SSH."""


@server.command()
@click.argument("address", metavar="[USER@]HOST[:PORT]")
@click.option("--json", "json_wanted", is_flag=True, help="The result as JSON on standard output.")
def check(address: str, *, json_wanted: bool) -> None:
    """Say what a server lacks that sites are to be released to, as `dockerHost: ssh://USER@HOST`.

    Changes nothing there. Exit code 6 when a release would fail; 3 when it cannot be reached.
    """
    there = address if by_ssh(address) else f"ssh://{address}"
    sys.exit(ended(lambda: checked(there, json=json_wanted), json=json_wanted))


def checked(address: str, *, json: bool) -> int:
    """Raises CliError where the server, or its engine, is out of reach."""
    info = engine_client(address).info()
    link = Link(address)
    code, said = link.run(f"date +%s && df -Pk {quote(info['DockerRootDir'])} 2>/dev/null || df -Pk /var")
    lines = said.splitlines()
    if code or len(lines) < 2:
        raise CliError(f"{address}: its shell does not answer: {said.strip()}", f"ssh {link.host} date")
    free = int(lines[-1].split()[3])
    rows = list(findings(info, free_kib=free, clock=float(lines[0]), now=time.time()))
    ready = all(row.well or not row.must for row in rows)
    if json:
        screen.as_json({"ready": ready, "findings": [asdict(row) for row in rows]})
    else:
        screen.table(
            ("", "", ""),
            [(row.what, row.said, "" if row.well else ("" if row.must else "better: ") + row.fix) for row in rows],
        )
        if ready:
            screen.say(f"sites can be released there:  dockerHost: {address}")
    return Code.OK if ready else Code.UNWELL
