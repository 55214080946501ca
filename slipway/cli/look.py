"""status and ps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click
from docker.models.containers import Container

from slipway.cli import backend, certificates, report, screen
from slipway.cli.belongings import Belongings, condition, health, is_helper, is_well, service_of
from slipway.cli.errors import Code
from slipway.cli.maintenance import ending, is_on
from slipway.cli.pulumi import State
from slipway.cli.target import Target, command
from slipway.core.resource_types import CONTAINER


def row(belongings: Belongings, container: Container, images: Mapping[str, str]) -> dict[str, Any]:
    """What is shown of one container. `images` are names of the stack's images by their ids."""
    state, config = container.attrs["State"], container.attrs["Config"]
    bindings = container.attrs["NetworkSettings"]["Ports"] or {}
    ports = sorted(
        {f"{host['HostIp']}:{host['HostPort']}->{port}" for port, hosts in bindings.items() for host in hosts or ()}
    )
    return {
        "service": service_of(container),
        "name": container.name,
        "short": belongings.short(container),
        "status": container.status,
        "health": health(container) if container.status == "running" else "",
        "restarts": container.attrs["RestartCount"],
        "started": str(state["StartedAt"])[:19].replace("T", " ") if container.status == "running" else "",
        "image": images.get(container.attrs["Image"], str(config["Image"])[:19]),
        "ports": ports,
        "helper": is_helper(container),
    }


@click.command()
@command
def ps(target: Target) -> int:
    """List the containers of the stack, stopped ones and jobs that failed included."""
    images = target.belongings.image_names()
    rows = [row(target.belongings, each, images) for each in target.belongings.containers()]
    rows.sort(key=lambda each: (each["service"], each["name"]))
    if target.json:
        screen.as_json(rows)
        return Code.OK
    columns = ("service", "name", "image", "status", "health", "restarts", "started", "ports")
    screen.table(
        [name.upper() for name in columns],
        [[", ".join(each[key]) if key == "ports" else str(each[key]) for key in columns] for each in rows],
    )
    return Code.OK


def missing(belongings: Belongings, state: State) -> list[str]:
    """The containers that the state knows and the engine has not."""
    there = {each.id for each in belongings.containers()}
    return [
        str((each.get("outputs") or {}).get("name") or each["id"])
        for each in state.of_type(CONTAINER)
        if each["id"] not in there
    ]


@click.command()
@command
def status(target: Target) -> int:
    """Say how the stack is. Exit code 6 when something does not run, is not healthy, or a certificate
    cannot be renewed; 4 when there is no stack."""
    state, belongings = target.state(), target.belongings
    known = {each["id"] for each in state.of_type(CONTAINER)}
    found = [each for each in belongings.containers() if each.id in known]
    gone = missing(belongings, state)
    held = [lock.told for lock in backend.locks(target.project, target.pulumi.folder)]
    run = target.pulumi.last_run()
    issued = certificates.certificates(belongings, state)
    well = bool(found) and not gone and not state.interrupted and all(is_well(each) for each in found)
    well = well and not certificates.failing(issued)
    services = {belongings.short(each): condition(each) for each in found}
    services |= dict.fromkeys(gone, "missing")
    services = dict(sorted(services.items()))
    in_maintenance = is_on(belongings)
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
