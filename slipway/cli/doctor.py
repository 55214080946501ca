"""doctor: what set-up chose and what is missing now."""

from __future__ import annotations

import click

from slipway.cli import screen
from slipway.cli.errors import Code
from slipway.cli.target import Target, command
from slipway.setup.__main__ import CHECKS
from slipway.setup.__main__ import doctor as setup_doctor
from slipway.setup.choices import Choices
from slipway.setup.console import Console


@click.command()
@command
def doctor(target: Target) -> int:
    """Say what set-up chose and what is missing now."""
    choices = Choices.load()
    if not target.json:
        return Code.NOT_SET_UP if setup_doctor(Console()) else Code.OK
    parts = [
        {"part": each.part, "chosen": each.chosen, "why": each.why, "missing": CHECKS[each.part](choices)}
        for each in choices.parts
    ]
    ready = bool(parts) and not any(each["missing"] for each in parts)
    screen.as_json({"ready": ready, "parts": parts, "environment": choices.environment})
    return Code.OK if ready else Code.NOT_SET_UP
