"""preview and up."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from slipway.cli import backend, data, drift, failed, plan, recovery, report, screen
from slipway.cli.errors import CliError, Code
from slipway.cli.maintenance import remind
from slipway.cli.target import Target, changing, command
from slipway.core.impact import Level

PASSED_ON = click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[-- PULUMI ARGUMENTS]")


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
    data.refuse_unreadable(target.belongings)
    missing = data.missing(target.belongings, state)
    flags = ["--refresh", *target.project.policy, *recovery.rebuilt(target.belongings, state)]
    flags += [*drift.replaced(target.belongings, state), *arguments]
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


@click.command()
@click.option(
    "--refresh/--no-refresh",
    default=True,
    show_default=True,
    help="Ask the engine what is there: needed to see what was stopped or removed by hand.",
)
@click.option(
    "--yes",
    "-y",
    is_flag=True,
    help="Say yes to the one question: whether to replace running containers "
    "that the state does not know, because it was lost or is elsewhere.",
)
@click.option(
    "--allow-data-loss",
    is_flag=True,
    help="Go on when the plan deletes data volumes or generated secrets, and when data is missing.",
)
@PASSED_ON
@changing
def up(target: Target, *, refresh: bool, yes: bool, allow_data_loss: bool, arguments: tuple[str, ...]) -> int:
    """Make the stack as it is declared, and put right what drifted.

    What a killed run of this machine left (its lock, half-made containers) is cleared away first. In prod a plan that
    puts data at risk is refused.
    """
    return bring_up(target, refresh=refresh, yes=yes, allow_data_loss=allow_data_loss, arguments=arguments)


def bring_up(
    target: Target, *, refresh: bool, yes: bool, allow_data_loss: bool = False, arguments: tuple[str, ...]
) -> int:
    """What `up`, `rollback` and `rotate` do."""
    refuse_half_a_release(arguments)
    pulumi, belongings = target.pulumi, target.belongings
    data.refuse_unreadable(belongings)
    killed = recovery.unlock(pulumi)
    known = pulumi.state() or pulumi.create()
    state = recovery.clear(pulumi, belongings, known, killed=killed, yes=yes)
    flags = [*target.project.policy, *recovery.rebuilt(belongings, state), *drift.replaced(belongings, state)]
    if not allow_data_loss:
        plan.refuse_data_loss(pulumi, belongings, known, [*flags, *arguments])
        backend.refuse_if_held(target.project, backend.locks(target.project, pulumi.folder))
    flags += ["--refresh"] if refresh else []
    began = datetime.now(UTC).replace(microsecond=0)
    try:
        code = pulumi.run("up", "--yes", "--skip-preview", "--suppress-outputs", *flags, *arguments, quiet=target.json)
    except CliError as error:
        if error.code in {Code.INTERRUPTED, Code.TERMINATED}:
            failed.stop_newcomers(target.belongings, target.state())
        raise
    run, state = pulumi.last_run(), target.state()
    if target.json:
        screen.as_json(report.machine(pulumi, state, run))
    if code:
        failed.explain(target, state, began=bool(run) and datetime.fromisoformat(run["startTime"]) >= began)
        return Code.FAILED
    if not target.json:
        report.closing(pulumi, state, run)
    remind(belongings)
    return Code.OK


def refuse_half_a_release(arguments: tuple[str, ...]) -> None:
    """Raises CliError for a target without what depends on it: the old container would be deleted while nginx still
    sends requests to it."""
    named = [each.partition("=")[0] for each in arguments]
    if {"--target", "-t", "--target-replace"} & set(named) and "--target-dependents" not in named:
        raise CliError(
            "--target leaves the release out, which must switch before the old container is deleted",
            "add --target-dependents, or leave --target out: what has not changed is not touched",
            code=Code.USAGE,
        )
