"""rollback: back to an earlier release."""

from __future__ import annotations

from typing import Any

import click

from slipway.cli import backend, screen, stack_file
from slipway.cli.docker_objects import DockerObjects, is_helper
from slipway.cli.errors import CliError, Code
from slipway.cli.project import Project
from slipway.cli.pulumi import State
from slipway.cli.releases import History
from slipway.cli.target import Target, changing
from slipway.cli.up import bring_up
from slipway.core import records
from slipway.core.kinds import data_volumes
from slipway.core.resource_types import JOB
from slipway.core.topology import POSTGRES
from slipway.engine.schema import fingerprint
from slipway.settings.pin import RELEASE
from slipway.site.site import Site

NOTE = "# written by `slipway rollback`; `slipway rollback --clear` takes it out again"


@click.command()
@click.argument("release", required=False)
@click.option("--force", is_flag=True, help="Roll back although migrations ran since, or data is at risk.")
@click.option("--clear", is_flag=True, help="End a rollback: the next `up` goes on with the newest source.")
@changing
def rollback(target: Target, *, release: str | None, force: bool, clear: bool) -> int:
    """Go back to an earlier release: by default to the one before the one that serves.

    Pins the stack to it in its stack file, so that `up` keeps it there, and brings it up: its images and its services
    as they were declared, with today's secrets. Nothing is built, and the database is not touched.
    """
    if clear and (release or force):
        raise CliError("--clear goes alone", code=Code.USAGE)
    backend.refuse_if_held(target.project, backend.locks(target.project, target.pulumi.folder))
    if clear:
        return end(target)
    state = target.state()
    record = chosen(History.of(state), release, target.project)
    refuse_without_images(target.objects, record)
    if not force:
        refuse_without_force(target, state, record)
    return pin_and_bring_up(target, record, force=force)


def pin_and_bring_up(target: Target, record: records.Record, *, force: bool) -> int:
    """Pins the stack and brings it up. After a failure it stays pinned, so that `up` goes on from there; but a release
    that is refused because data is at risk must not be what every later `up` is refused for."""
    project, before = target.project, stack_file.content(target.project)
    stack_file.put(project, RELEASE, pin_of(record), NOTE)
    screen.say(f"{project} is pinned to release {record.release}, of {record.time}")
    code: int = Code.FAILED
    try:
        code = bring_up(target.again(), refresh=True, yes=False, allow_data_loss=force, arguments=())
    except CliError as error:
        code = error.code
        if error.code == Code.DATA_AT_RISK:
            stack_file.put_back(project, before)
            raise CliError(
                error.problem,
                f"{project.file.name} is as it was before",
                f"if you mean it:  slipway rollback {record.release} --force --stack {project.stack}",
                code=error.code,
            ) from None
        raise
    finally:
        if code not in {Code.OK, Code.DATA_AT_RISK}:
            screen.say(f"  {project} stays pinned; to end that:  slipway rollback --clear --stack {project.stack}")
    return code


def end(target: Target) -> int:
    """Takes the pin away; what serves goes on serving until the next run."""
    project = target.project
    if project.declared.get(RELEASE):
        stack_file.take_out(project, RELEASE, NOTE)
        screen.say(f"{project} is no longer pinned. The newest source comes with:  {project.typed('up')}")
    else:
        screen.say(f"{project} is not pinned to a release")
    if target.json:
        screen.as_json({"project": project.name, "stack": project.stack, "pinned": ""})
    return Code.OK


def chosen(history: History, release: str | None, project: Project) -> records.Record:
    """The record to go back to. Raises CliError where there is none."""
    found = records.find(history.records, release) if release else records.before(history.records, history.serving)
    if found is None:
        what = f"release {release}" if release else "an earlier release"
        there = ", ".join(each.release for each in history.records) or "none"
        raise CliError(
            f"there is no record of {what} of {project}; recorded: {there}",
            f"slipway releases --stack {project.stack}",
            code=Code.MISSING,
        )
    return found


def refuse_without_images(objects: DockerObjects, record: records.Record) -> None:
    gone = [service for service, image in record.images.items() if not objects.has_image(image)]
    if gone:
        raise CliError(
            f"the engine no longer has the images of release {record.release}: {', '.join(sorted(gone))}",
            f"roll back to another one:  slipway releases --stack {objects.project.stack}",
            code=Code.MISSING,
        )


def refuse_without_force(target: Target, state: State, record: records.Record) -> None:
    """Raises CliError where the old code would meet another schema, or where data would go with a service."""
    older = target.project.pinned_to(pin_of(record))
    problems = [
        *(
            f"{service}: migrations ran since release {record.release}"
            for service in migrated(target, state, record, older)
        ),
        *(f"the data volume {name} would be deleted with its service" for name in lost_volumes(target.project, older)),
    ]
    if problems:
        raise CliError(
            "; ".join(problems),
            "the schema is never moved back: is it one that the old code can work with?",
            "if so:  add --force",
            code=Code.NOT_CONFIRMED,
        )


def migrated(target: Target, state: State, record: records.Record, older: Site) -> list[str]:
    """The services of a release, whose site `older` is, whose database has another schema now. Where it is on a managed
    server that cannot be asked: those that another image migrated last."""
    servers = [each for each in target.objects.of_service(POSTGRES) if not is_helper(each)]
    changed = [
        service
        for service, was in record.schema.items()
        if not (servers and was and fingerprint(servers[0], service) == was)
    ]
    last = {str(each["outputs"]["container"]): each["outputs"].get("image") for each in state.of_type(JOB)}
    for name, service in older.services.items():
        managed = service.database is not None and service.database.url is not None
        if name in record.schema or not (managed and service.migrate):
            continue
        if last.get(f"{target.project}-{name}-migrate") != (record.images.get(name) or service.image):
            changed.append(name)
    return changed


def lost_volumes(project: Project, older: Site) -> list[str]:
    """Data volumes that the site has and that it had not in an older release, in a stack that does not keep its data.
    Certificates are no loss: with `tls: acme` they are issued again."""
    if project.profile.keep_data:
        return []
    return sorted(set(data_volumes(project.site)) - set(data_volumes(older)))


def pin_of(record: records.Record) -> dict[str, Any]:
    """What a stack's configuration says of the release that it is held at."""
    return {"release": record.release, "images": dict(record.images), "services": dict(record.services)}
