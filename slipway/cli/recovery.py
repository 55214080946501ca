"""Before a run: what a killed one left behind is cleared away, so that the next one goes through."""

from __future__ import annotations

from collections.abc import Iterable

from docker.models.containers import Container

from slipway.cli import backend, screen
from slipway.cli.docker_objects import DockerObjects, is_helper, is_job_to_keep, remove_all, remove_containers
from slipway.cli.errors import CliError
from slipway.cli.pulumi import Pulumi, State
from slipway.core.resource_types import IMAGE


def unlock(pulumi: Pulumi) -> bool:
    """Removes the locks of runs of this machine whose processes are gone, and no others (`pulumi cancel` would
    remove a newer one too); returns whether there was one.

    Raises CliError when a run is at work, or may be, on another machine.
    """
    found = backend.locks(pulumi.project, pulumi.folder)
    backend.refuse_if_held(pulumi.project, found)
    for lock in found:
        screen.say(f"a run was killed and left its lock, which is removed ({lock})")
        lock.file.unlink(missing_ok=True)
    return bool(found)


def strangers(containers: Iterable[Container], state: State) -> list[str]:
    """The names of running containers that the state does not know, jobs left out."""
    return sorted(
        str(each.name)
        for each in containers
        if each.id not in state.ids and not is_helper(each) and each.status != "created"
    )


def clear(
    pulumi: Pulumi, objects: DockerObjects, state: State, *, killed: bool, yes: bool, ending: bool = False
) -> State:
    """Removes containers and networks that carry the stack's labels and are not in its state, and forgets what a
    killed run had begun to make; returns the state as it is then.

    Such a container must not stay: it holds a port, or, if it is a Postgres, the data volume, which two servers at
    once destroy. Where no run was killed the state itself was lost or is elsewhere: for a stack that keeps its data
    that needs a yes.

    What looks like the rest of a killed run may be the work of one that goes on elsewhere, of plain Pulumi's too. So
    the engine is looked at first, then Pulumi's lock is gone through, by a refresh, and then the state is read: whoever
    made what was seen has ended by then, and has recorded it unless it was killed. Raises CliError (Code.LOCKED), with
    nothing changed, where the lock is held.

    What a killed run left of a job is the next one's to take over, unless the stack is `ending`. Where the state was
    lost, the server that the job works on is replaced as well.
    """
    killed = killed or state.interrupted
    containers, networks = objects.containers(), objects.networks()
    if not (killed or strangers(containers, state)):
        return state
    if pulumi.run("refresh", "--yes", "--skip-preview", "--clear-pending-creates", quiet=True):
        raise CliError("the state could not be put right; what Pulumi said is above", "make doctor")
    if state.interrupted:
        screen.say("a run was killed while it made something; the state was put right")
    state = pulumi.state() or state
    unknown = strangers(containers, state)
    if not (killed or unknown):
        return state
    if unknown and not killed and pulumi.project.profile.keep_data:
        screen.say(f"running, but unknown to the state in {pulumi.environment.get('PULUMI_BACKEND_URL', 'use')}:")
        for name in unknown:
            screen.say(f"  {name}")
        screen.confirm(
            f"replace them (the data volumes stay, generated passwords and keys are drawn anew) in {pulumi.project}",
            word=pulumi.project.stack,
            yes=yes,
        )
    left = [
        each for each in containers if each.id not in state.ids and not (killed and not ending and is_job_to_keep(each))
    ]
    for container in left:
        screen.say(f"removing {container.name}, which the state does not know")
    remove_containers(left)
    remove_all([each for each in networks if each.id not in state.ids])
    return state


def rebuilt(objects: DockerObjects, state: State) -> list[str]:
    """Flags that build images anew which somebody removed from the engine: Pulumi takes a built image for there."""
    flags = []
    for image in state.of_type(IMAGE):
        digest = str((image.get("outputs") or {}).get("repoDigest", ""))
        if digest and not objects.has_image(digest):
            screen.say(f"the image {image['id']} is gone from the engine and is built anew")
            flags += ["--replace", str(image["urn"])]
    return flags
