"""down: takes a stack off the engine, with its data only when asked for by name."""

from __future__ import annotations

from collections.abc import Collection

import click
from docker.errors import APIError, NotFound

from slipway.cli import recovery, screen
from slipway.cli.docker_objects import DockerObjects, remade, remove_all, remove_containers
from slipway.cli.errors import CliError, Code
from slipway.cli.target import Target, changing
from slipway.cli.up import PASSED_ON


@click.command()
@click.option("--delete-data", is_flag=True, help="Remove the data volumes, the images and the stack itself as well.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask before deleting data.")
@PASSED_ON
@changing
def down(target: Target, *, delete_data: bool, yes: bool, arguments: tuple[str, ...]) -> int:
    """Take the stack down. In prod the data stays, and the next `up` finds it.

    Works by the labels on the engine where the state was lost.
    """
    pulumi, objects = target.pulumi, target.objects
    state = pulumi.state()
    images = {str(each.attrs["Image"]) for each in objects.containers()}
    if delete_data:
        for volume in objects.volumes():
            screen.say(f"  {volume.name}")
        screen.confirm(
            f"all data of {target.project} will be deleted, the volumes above among it",
            word=target.project.stack,
            yes=yes,
        )
    killed = recovery.unlock(pulumi)
    if state:
        state = recovery.clear(pulumi, objects, state, killed=killed, yes=True, ending=True)
    if state and state.resources:
        code = pulumi.run("destroy", "--yes", "--skip-preview", "--suppress-outputs", *arguments, quiet=target.json)
        if code:
            screen.say(f"error: {target.project} is not quite down; what Pulumi said is above", "bold red")
            again = target.project.typed("down", delete_data=delete_data)
            screen.say(f"  when the cause is gone, the same again goes on from here:  {again}")
            return Code.FAILED
    kept = sweep(objects, everything=delete_data or not target.project.profile.keep_data)
    if delete_data:
        kept += delete_images(objects, images)
        if state is not None:
            pulumi.forget()
    result(target, kept, delete_data=delete_data)
    return Code.OK


def sweep(objects: DockerObjects, *, everything: bool) -> list[str]:
    """Removes what still carries the stack's labels; returns the names of what stays. Data volumes go only with
    `everything`."""
    remove_containers(objects.containers())
    kept = remove_all(objects.networks())
    volumes = objects.volumes()
    data = [] if everything else [each for each in volumes if not remade(each)]
    kept += remove_all([each for each in volumes if each not in data])
    if kept:
        raise CliError(
            f"still used by something that is not of {objects.project}: {', '.join(kept)}",
            "remove that, then type the same again",
        )
    return [str(each.name) for each in data]


def delete_images(objects: DockerObjects, used: Collection[str]) -> list[str]:
    """Removes the names that the stack gave to images, and those that its containers `used` and that have no name left.
    What other containers use stays and is returned."""
    client, kept = objects.client, []
    for tag in objects.tags():
        try:
            client.images.remove(tag)
        except NotFound:
            continue
        except APIError as error:
            if error.status_code != 409:
                raise
            kept.append(tag)
    for image in used:
        if objects.has_image(image) and not client.images.get(image).tags:
            try:
                client.images.remove(image)
            except APIError as error:
                if error.status_code not in {404, 409}:
                    raise
    return kept


def result(target: Target, kept: list[str], *, delete_data: bool) -> None:
    if target.json:
        screen.as_json({"project": target.project.name, "stack": target.project.stack, "kept": kept})
        return
    screen.output().print(f"\n[bold]{target.project} is down[/]")
    if kept:
        screen.output().print(f"  kept: {', '.join(kept)}", markup=False)
    if kept and not delete_data:
        screen.output().print(f"  delete that as well:  {target.project.typed('down', delete_data=True)}", markup=False)
