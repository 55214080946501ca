"""preview and up."""

from __future__ import annotations

import json
from typing import Any

import click

from slipway.cli import drift, failed, recovery, report, screen
from slipway.cli.errors import CliError, Code
from slipway.cli.target import Target, command

PASSED_ON = click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[-- PULUMI ARGUMENTS]")


@click.command()
@click.option("--expect-no-changes", is_flag=True, help="End with exit code 7 when there is something to do.")
@PASSED_ON
@command
def preview(target: Target, *, expect_no_changes: bool, arguments: tuple[str, ...]) -> int:
    """Show what `up` would change; changes nothing.

    Asks the engine first, so that it also shows what was stopped, removed or cut off by hand, and what is unhealthy.
    """
    pulumi = target.pulumi
    state = pulumi.state() or pulumi.create()
    flags = ["--refresh", *recovery.rebuilt(target.belongings, state), *drift.replaced(target.belongings, state)]
    flags += arguments
    if not target.json:
        code = pulumi.run("preview", *flags, *(["--expect-no-changes"] if expect_no_changes else []))
        return Code.CHANGES if expect_no_changes and code == Code.CHANGES else Code(bool(code))
    done = pulumi.captured("preview", "--json", *flags)
    try:
        plan = json.loads(done.stdout)
    except ValueError:
        raise CliError(f"pulumi preview failed:\n{done.stdout.strip()}") from None
    steps = planned(plan)
    problems = [note["message"].strip() for note in plan.get("diagnostics") or () if note.get("severity") == "error"]
    screen.as_json(
        {
            "project": target.project.name,
            "stack": target.project.stack,
            "steps": steps,
            "changes": plan.get("changeSummary") or {},
            "pinned": target.project.pinned,
            "errors": problems,
        }
    )
    if done.returncode:
        return Code.FAILED
    return Code.CHANGES if steps and expect_no_changes else Code.OK


def planned(plan: dict[str, Any]) -> list[dict[str, str]]:
    """What would be done, one entry for each resource that does not stay the same."""
    return [
        {"operation": step["op"], "urn": step["urn"]}
        for step in plan.get("steps") or ()
        if step["op"] not in {"same", "refresh", "read"}
    ]


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
@PASSED_ON
@command
def up(target: Target, *, refresh: bool, yes: bool, arguments: tuple[str, ...]) -> int:
    """Make the stack as it is declared, and put right what drifted.

    What a killed run of this machine left (its lock, half-made containers) is cleared away first.
    """
    return bring_up(target, refresh=refresh, yes=yes, arguments=arguments)


def bring_up(target: Target, *, refresh: bool, yes: bool, arguments: tuple[str, ...]) -> int:
    """What `up` and `rollback` do."""
    refuse_half_a_release(arguments)
    pulumi, belongings = target.pulumi, target.belongings
    killed = recovery.unlock(pulumi)
    state = pulumi.state() or pulumi.create()
    recovery.clear(pulumi, belongings, state, killed=killed, yes=yes)
    flags = [*(["--refresh"] if refresh else []), *recovery.rebuilt(belongings, state)]
    flags += drift.replaced(belongings, state)
    code = pulumi.run("up", "--yes", "--skip-preview", "--suppress-outputs", *flags, *arguments, quiet=target.json)
    run, state = pulumi.last_run(), target.state()
    if target.json:
        screen.as_json(report.machine(pulumi, state, run))
    if code:
        failed.explain(target, state)
        return Code.FAILED
    if not target.json:
        report.closing(pulumi, state, run)
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
