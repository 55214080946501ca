"""`python -m slipway.cli`, which `bin/slipway` and `make` call."""

from __future__ import annotations

import click

from slipway.cli.add import add
from slipway.cli.doctor import doctor
from slipway.cli.down import down
from slipway.cli.errors import MEANINGS
from slipway.cli.exec import execute
from slipway.cli.logs import logs
from slipway.cli.maintenance import maintenance
from slipway.cli.new import new
from slipway.cli.open import open_
from slipway.cli.preview import preview
from slipway.cli.ps import ps
from slipway.cli.psql import psql
from slipway.cli.releases import releases
from slipway.cli.rollback import rollback
from slipway.cli.rotate import rotate
from slipway.cli.server import server
from slipway.cli.status import status
from slipway.cli.up import up

CODES = "\b\nExit codes (psql and exec: their command's own):\n" + "\n".join(
    f"{code.value:>4}  {meaning}" for code, meaning in MEANINGS.items()
)


@click.group(epilog=CODES, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
def main() -> None:
    """Flask services to production on Docker.

    Every command is about one stack: --stack, the variable STACK, else dev.
    """


for command in (
    new,
    preview,
    up,
    down,
    add,
    releases,
    rollback,
    rotate,
    maintenance,
    status,
    logs,
    ps,
    psql,
    execute,
    doctor,
    server,
    open_,
):
    main.add_command(command)

if __name__ == "__main__":
    main(prog_name="slipway")
