"""What the operator sees: results on standard output, everything else on standard error."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from slipway.cli.errors import CliError, Code
from slipway.setup import paths

PIPED_WIDTH = 240
"""Columns where nobody looks: rich would cut tables at 80."""
GOOD = {"running", "healthy", "succeeded"}


def output() -> Console:
    """Made anew each time, so that it follows a redirected standard output."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else PIPED_WIDTH)


def say(text: str, style: str = "") -> None:
    """One line about what is going on."""
    Console(stderr=True, highlight=False, soft_wrap=True).print(Text(text, style=style))


def as_json(value: Any) -> None:
    """The whole result for machines."""
    print(json.dumps(value, indent=2, default=str), flush=True)


def as_json_line(value: Any) -> None:
    """One of many results, on a line of its own."""
    print(json.dumps(value), flush=True)


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    drawn = Table(box=None, pad_edge=False, header_style="bold", show_header=any(columns))
    for column in columns:
        drawn.add_column(column, overflow="fold")
    for row in rows:
        drawn.add_row(*(Text(cell, style=_style(cell)) for cell in row))
    output().print(drawn)


def _style(cell: str) -> str:
    if cell in GOOD:
        return "green"
    return "red" if cell in {"unhealthy", "exited", "missing", "dead", "restarting", "failed"} else ""


def failed(error: CliError, *, json_wanted: bool) -> None:
    """What happened, then what to type."""
    if json_wanted:
        as_json({"error": error.problem, "remedy": list(error.remedy), "code": int(error.code)})
        return
    say(f"error: {error.problem}", "bold red")
    for line in error.remedy:
        say(f"  {line}")


def confirm(question: str, *, word: str, yes: bool) -> None:
    """Lets the operator type `word`. Raises CliError without a terminal, or when another answer is given."""
    if yes:
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise CliError(
            f"{question}: nobody is there to say yes",
            "add --yes (with make: YES=1) if you mean it",
            code=Code.NOT_CONFIRMED,
        )
    say(f"{question}. Type {word} to go on:", "bold")
    if sys.stdin.readline().strip() != word:
        raise CliError("not confirmed; nothing was changed", code=Code.NOT_CONFIRMED)


def command() -> str:
    """How this command is typed here."""
    return "slipway" if shutil.which("slipway") else shlex.quote(os.path.relpath(paths.PROJECT / "bin" / "slipway"))
