"""preview: what `up` would change."""

from __future__ import annotations

import click

from slipway.cli import data, drift, plan, recovery, screen
from slipway.cli.errors import Code
from slipway.cli.target import Target, command
from slipway.cli.up import PASSED_ON
from slipway.core.impact import Level


@click.command()
@click.option("--expect-no-changes", is_flag=True, help="End with exit code 7 when there is something to do.")
@PASSED_ON
@command
def preview(target: Target, *, expect_no_changes: bool, arguments: tuple[str, ...]) -> int:
    """Show what `up` would change; changes nothing.

    Asks the engine first, so that it also shows what was stopped, removed or cut off by hand, and what is unhealthy.
    Ends with what each planned change does to the running site: none, reload of nginx, new release (no gap), restart,
    data at risk.
    """
    pulumi = target.pulumi
    state = pulumi.state() or pulumi.create()
    data.refuse_unreadable(target.objects)
    missing = data.missing(target.objects, state)
    flags = ["--refresh", *target.project.policy, *recovery.rebuilt(target.objects, state)]
    flags += [*drift.replaced(target.objects, state), *arguments]
    expecting = ["--expect-no-changes"] if expect_no_changes else []
    made = plan.make(pulumi, *flags, *expecting, quiet=target.json)
    if target.json:
        screen.as_json(
            {
                "project": target.project.name,
                "stack": target.project.stack,
                "steps": [
                    {"operation": change.operation, "resource": change.name, "urn": change.urn, "impact": found.text}
                    for change, found in made.impacts
                ],
                "data_at_risk": bool(missing or made.of(Level.DATA)),
                "missing": missing,
                "changes": made.counted or {},
                "pinned": target.project.pinned,
                "errors": made.errors,
            }
        )
    else:
        plan.show(made)
        for each in missing:
            screen.say(f"data at risk: {each}", "bold red")
    if expect_no_changes and (made.code == Code.CHANGES or (made.impacts and not made.code)):
        return Code.CHANGES
    return Code(bool(made.code))
