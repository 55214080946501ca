"""The plan that Pulumi's engine makes in a preview, what it does to the running site, and a refusal to risk data."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slipway.cli import data, screen
from slipway.cli.docker_objects import DockerObjects
from slipway.cli.errors import CliError, Code
from slipway.cli.pulumi import Pulumi, State
from slipway.core import impact
from slipway.core.impact import Change, Impact, Level
from slipway.core.resource_types import PASSWORD, VOLUME

SHOWN = 8
"""Names of resources on one line; more are counted."""
UP_ONLY = {"--yes", "-y", "--skip-preview", "--continue-on-error", "--strict"}
"""Pulumi's flags for `up` that its preview does not know."""


@dataclass(frozen=True)
class Plan:
    """`impacts` has every resource that does not stay as it is; `counted` is Pulumi's {operation: number}; `said` is
    what Pulumi wrote, where it was not shown."""

    code: int
    impacts: tuple[tuple[Change, Impact], ...] = ()
    counted: Mapping[str, int] | None = None
    errors: tuple[str, ...] = ()
    said: str = ""

    def of(self, level: Level) -> list[str]:
        """The impacts of a level, in words."""
        return list(dict.fromkeys(found.text for _, found in self.impacts if found.level == level))


def make(pulumi: Pulumi, *flags: str, quiet: bool = False, hidden: bool = False) -> Plan:
    """Runs a preview and reads its events. `quiet` and `hidden` keep Pulumi's words from standard output; `hidden` from
    the screen."""
    with tempfile.TemporaryDirectory(prefix="slipway-") as folder:
        log = Path(folder) / "events"
        arguments = ("preview", "--event-log", str(log), *flags)
        if hidden:
            done = pulumi.captured(*arguments)
            code, said = done.returncode, f"{done.stdout}{done.stderr}"
        else:
            code, said = pulumi.run(*arguments, quiet=quiet), ""
        return read(log.read_text().splitlines() if log.exists() else (), code, said)


def read(lines: Iterable[str], code: int, said: str = "") -> Plan:
    """A plan from the lines of the engine's event log."""
    events: list[Mapping[str, Any]] = [json.loads(line) for line in lines if line.strip()]
    steps = [event["resourcePreEvent"]["metadata"] for event in events if "resourcePreEvent" in event]
    summaries = [event["summaryEvent"] for event in events if "summaryEvent" in event]
    noted = [event["diagnosticEvent"] for event in events if "diagnosticEvent" in event]
    return Plan(
        code,
        tuple(impact.impacts(steps)),
        summaries[-1].get("resourceChanges") if summaries else None,
        tuple(note["message"].strip() for note in noted if note.get("severity") == "error"),
        said,
    )


def show(plan: Plan) -> None:
    """What the plan does, the worst first, each planned change once."""
    by_impact: dict[Impact, list[Change]] = {}
    for change, found in plan.impacts:
        by_impact.setdefault(found, []).append(change)
    if not by_impact:
        return
    screen.output().print("\n[bold]Impact on the running site[/]")
    screen.table(("", ""), [(f"  {found.text}", _named(by_impact[found])) for found in sorted(by_impact, reverse=True)])


def _named(changes: list[Change]) -> str:
    named = [f"{change.operation} {change.name}" for change in changes[:SHOWN]]
    return ", ".join(named) + (f" and {len(changes) - SHOWN} more" if len(changes) > SHOWN else "")


def refuse_data_loss(pulumi: Pulumi, objects: DockerObjects, state: State, flags: Iterable[str]) -> None:
    """Looks for data that is missing, and makes a plan, where the stack keeps data. Raises CliError when data is at
    risk, or when there is no plan.

    The plan asks the engine about nothing (no refresh): what is gone is not in it.
    """
    if not pulumi.project.profile.keep_data or not (state.of_type(VOLUME) or state.of_type(PASSWORD)):
        return
    missing = data.missing(objects, state)
    plan = make(pulumi, *(flag for flag in flags if flag not in UP_ONLY), hidden=True)
    if plan.code:
        raise CliError(f"nothing was changed: Pulumi could not make a plan\n{plan.said.strip()}")
    if at_risk := [*missing, *plan.of(Level.DATA)]:
        raise CliError(
            f"{pulumi.project}: this would put data at risk, and nothing was changed\n  " + "\n  ".join(at_risk),
            f"if you mean it:  {screen.command()} up --stack {pulumi.project.stack} --allow-data-loss",
            code=Code.DATA_AT_RISK,
        )
