"""status: how the stack is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from slipway.cli import backend, certificates, report, screen
from slipway.cli.docker_objects import DockerObjects, condition, is_well
from slipway.cli.errors import Code
from slipway.cli.maintenance import ending, is_on
from slipway.cli.pulumi import State
from slipway.cli.target import Target, command
from slipway.core.resource_types import CONTAINER


@click.command()
@command
def status(target: Target) -> int:
    """Say how the stack is. Exit code 6 when something does not run, is not healthy, or a certificate
    cannot be renewed; 4 when there is no stack."""
    state, objects = target.state(), target.objects
    known = {each["id"] for each in state.of_type(CONTAINER)}
    found = [each for each in objects.containers() if each.id in known]
    gone = missing(objects, state)
    held = [lock.told for lock in backend.locks(target.project, target.pulumi.folder)]
    run = target.pulumi.last_run()
    issued = certificates.certificates(objects, state)
    well = bool(found) and not gone and not state.interrupted and all(is_well(each) for each in found)
    well = well and not certificates.failing(issued)
    services = {objects.short(each): condition(each) for each in found}
    services |= dict.fromkeys(gone, "missing")
    services = dict(sorted(services.items()))
    in_maintenance = is_on(objects)
    if target.json:
        screen.as_json(
            {
                **report.machine(target.pulumi, state, run),
                "well": well,
                "ended": run.get("endTime"),
                "containers": services,
                "locks": held,
                "interrupted": state.interrupted,
                "maintenance": in_maintenance,
                "certificates": issued,
            }
        )
    else:
        show(target, run, services, held, interrupted=state.interrupted)
        if in_maintenance:
            screen.output().print(f"maintenance is on; to end it:  {ending(target.project)}", markup=False)
        for line in certificates.lines(issued):
            screen.output().print(line, markup=False)
        screen.table(("", ""), list(report.urls(target.project, state).items()))
        if not well:
            screen.say(f"to put it right:  {target.project.typed('up')}")
    return Code.OK if well else Code.UNWELL


def show(
    target: Target, run: Mapping[str, Any], services: Mapping[str, str], held: list[str], *, interrupted: bool
) -> None:
    out = screen.output()
    last = f"last {run['kind']} {run['result']} at {run.get('endTime', '?')[:19]}" if run else "never brought up"
    out.print(f"[bold]{target.project}[/] ({target.project.profile.name}): {last}, {report.changes(run)}")
    for lock in held:
        out.print(lock, markup=False)
    if interrupted:
        out.print("a run was killed while it made something")
    screen.table(("", ""), list(services.items()))


def missing(objects: DockerObjects, state: State) -> list[str]:
    """The containers that the state knows and the engine has not."""
    there = {each.id for each in objects.containers()}
    return [
        str((each.get("outputs") or {}).get("name") or each["id"])
        for each in state.of_type(CONTAINER)
        if each["id"] not in there
    ]
