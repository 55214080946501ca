"""up: the stack as it is declared."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from slipway.cli import backend, data, drift, failed, plan, recovery, report, screen
from slipway.cli.errors import CliError, Code
from slipway.cli.maintenance import remind
from slipway.cli.target import Target, changing

PASSED_ON = click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[-- PULUMI ARGUMENTS]")


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
    pulumi, objects = target.pulumi, target.objects
    data.refuse_unreadable(objects)
    killed = recovery.unlock(pulumi)
    known = pulumi.state() or pulumi.create()
    state = recovery.clear(pulumi, objects, known, killed=killed, yes=yes)
    flags = [*target.project.policy, *recovery.rebuilt(objects, state), *drift.replaced(objects, state)]
    if not allow_data_loss:
        plan.refuse_data_loss(pulumi, objects, known, [*flags, *arguments])
        backend.refuse_if_held(target.project, backend.locks(target.project, pulumi.folder))
    flags += ["--refresh"] if refresh else []
    began = datetime.now(UTC).replace(microsecond=0)
    try:
        code = pulumi.run("up", "--yes", "--skip-preview", "--suppress-outputs", *flags, *arguments, quiet=target.json)
    except CliError as error:
        if error.code in {Code.INTERRUPTED, Code.TERMINATED}:
            failed.stop_newcomers(target.objects, target.state())
        raise
    run, state = pulumi.last_run(), target.state()
    if target.json:
        screen.as_json(report.machine(pulumi, state, run))
    if code:
        failed.explain(target, state, began=bool(run) and datetime.fromisoformat(run["startTime"]) >= began)
        return Code.FAILED
    if not target.json:
        report.closing(pulumi, state, run)
    remind(objects)
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
