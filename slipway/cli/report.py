"""Where the site is, and how to get at it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slipway.cli import screen
from slipway.cli.project import DEFAULT_STACK, Project
from slipway.cli.pulumi import Pulumi, State

SITE, SUFFIX, ADMINER = "url", "_url", "adminer"


def urls(project: Project, state: State) -> dict[str, str]:
    """{what: URL}, first the one that a visitor opens: `site` where nginx is in front, else the services by name."""
    found = {name: value for name, value in state.outputs.items() if isinstance(value, str) and "://" in value}
    named = {"site" if name == SITE else name.removesuffix(SUFFIX): url for name, url in found.items()}
    routes = {name: service.route for name, service in project.site.services.items()}
    return dict(
        sorted(
            named.items(), key=lambda item: (item[0] != "site", routes.get(item[0]) != "/", item[0] == ADMINER, item[0])
        )
    )


def closing(pulumi: Pulumi, state: State, run: Mapping[str, Any]) -> None:
    """What an operator wants to know after `up`."""
    project, command = pulumi.project, screen.command()
    stack = "" if project.stack == DEFAULT_STACK else f" --stack {project.stack}"
    screen.output().print(f"\n[bold green]{project} is up[/]  ({changes(run)})")
    if project.pinned:
        screen.output().print(
            f"  pinned to release {project.pinned}; back to the newest source:  {command} rollback --clear{stack}"
        )
    found = urls(project, state)
    screen.table(("", ""), [(f"  {name}", url) for name, url in found.items()])
    lines = [f"{command} logs --follow{stack}", f"{command} status{stack}"]
    if owners := [name for name, service in project.site.services.items() if service.owns_database]:
        lines.append(f"{command} psql {owners[0]}{stack}" if len(owners) > 1 else f"{command} psql{stack}")
    if ADMINER in found:
        lines.insert(0, f"{command} open adminer{stack}     shows how to log in")
    screen.output().print("\n".join(f"  {line}" for line in lines), markup=False)


def changes(run: Mapping[str, Any]) -> str:
    """ "2 created, 1 replaced, 45 unchanged" of an entry of the stack's history."""
    words = {"create": "created", "update": "updated", "replace": "replaced", "delete": "deleted", "same": "unchanged"}
    counted = run.get("resourceChanges") or {}
    return ", ".join(f"{counted[name]} {word}" for name, word in words.items() if counted.get(name)) or "no changes"


def machine(pulumi: Pulumi, state: State, run: Mapping[str, Any]) -> dict[str, Any]:
    """The same for machines."""
    return {
        "project": pulumi.project.name,
        "stack": pulumi.project.stack,
        "result": run.get("result"),
        "changes": run.get("resourceChanges") or {},
        "pinned": pulumi.project.pinned,
        "urls": urls(pulumi.project, state),
    }
