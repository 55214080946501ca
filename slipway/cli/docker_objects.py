"""What a stack has on the engine, found by its labels: also when no state knows of it any more."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Sequence
from functools import cached_property
from typing import Any

import docker
from docker.errors import APIError, NotFound
from docker.models.containers import Container
from docker.models.networks import Network
from docker.models.volumes import Volume

from slipway.cli.engine_client import engine_client
from slipway.cli.errors import CliError, Code
from slipway.cli.project import Project
from slipway.cli.pulumi import environment
from slipway.core import kinds, naming, records
from slipway.core.topology import EDGE
from slipway.engine import connection
from slipway.settings.fields import is_name
from slipway.setup.choices import Choices

AUTOMATIC = re.compile(r"-[0-9a-f]{7}$")
"""What Pulumi puts behind a name."""
SECRET_FILES = re.compile(r"-files-[0-9a-f]{12}$")
"""The end of the names of volumes with secret files."""


class DockerObjects:
    """The containers, networks, volumes and images of one stack. Raises CliError when no engine answers."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.labels = naming.labels(project.name, project.stack)
        declared = str(project.declared.get("dockerHost") or "")
        # The engine that Pulumi is given: the user's DOCKER_HOST, else the one that set-up chose.
        self.address = connection.address(declared or None, environment(Choices.load(), os.environ))

    @cached_property
    def client(self) -> docker.DockerClient:
        return engine_client(self.address)

    @property
    def labelled(self) -> Any:
        """The engine's filter for what is this stack's."""
        return {"label": [f"{label}={value}" for label, value in self.labels.items()]}

    def containers(self) -> list[Container]:
        """All of them, running or not, the newest first."""
        found: list[Container] = self.client.containers.list(all=True, filters=self.labelled, ignore_removed=True)
        return found

    def of_service(self, service: str) -> list[Container]:
        """A service's own containers, the one to talk to first: running before stopped, well before unwell, new before
        old."""
        found = [each for each in self.containers() if service_of(each) == service and not is_helper(each)]
        return sorted(found, key=lambda each: (each.status != "running", health(each) not in {"", "healthy"}))

    def running(self, service: str) -> Container:
        """The container of a service to talk to. Raises CliError when none runs."""
        found = self.of_service(service)
        if found and found[0].status == "running":
            return found[0]
        known = sorted({service_of(each) for each in self.containers()} - {""})
        raise CliError(
            f"{self.project} has no running container of {service!r}",
            f"running or stopped are: {', '.join(known)}" if known else self.project.typed("up"),
            code=Code.MISSING,
        )

    def networks(self) -> list[Network]:
        found: list[Network] = self.client.networks.list(filters=self.labelled)
        return found

    def volumes(self) -> list[Volume]:
        found: list[Volume] = self.client.volumes.list(filters=self.labelled)
        return found

    def tags(self) -> list[str]:
        """The image names of the stack, releases included, also of services that have left it. What begins like them
        may be another stack's (`shop`'s `prod-eu` beside its `prod`): what runs or has data says so by its labels.

        As the engine lists them: docker-py's own list asks for each image again, and fails when one has just gone.
        """
        name, stack = self.project.name, self.project.stack
        own, theirs = naming.prefix(name, stack), connection.strangers(self.client, name, stack)
        closer = {other for other in (naming.prefix(*each) for each in theirs.values()) if len(other) > len(own)}
        found = []
        for tag in (tag for image in self.client.api.images() for tag in image["RepoTags"] or ()):
            repository, _, version = tag.rpartition(":")
            service = repository.removeprefix(own)
            if not repository.startswith(own) or repository in theirs or repository.startswith(tuple(closer)):
                continue
            if is_name(service) and (records.made_here(version) or version == "latest"):
                found.append(tag)
        return sorted(found)

    def image_names(self) -> dict[str, str]:
        """{image id: a name of it, without the stack's: ui:12}; the number of a release before any other."""
        own, tags = naming.prefix(self.project.name, self.project.stack), set(self.tags())
        named = {
            str(image.get("Id")): sorted(tags & set(image["RepoTags"] or ())) for image in self.client.api.images()
        }
        return {image: names[0].removeprefix(own) for image, names in named.items() if names}

    def has_image(self, image: str) -> bool:
        return connection.has_image(self.client, image)

    def short(self, container: Container) -> str:
        """A container's name without the stack's prefix and Pulumi's digits: images, images-2."""
        return AUTOMATIC.sub("", str(container.name).removeprefix(f"{self.project}-"))


def service_of(container: Container) -> str:
    return str(container.labels.get(naming.SERVICE_LABEL, ""))


def is_helper(container: Container) -> bool:
    """Whether it is a job's, or another that a run made for itself."""
    return naming.HELPER_LABEL in container.labels


def is_job_to_keep(container: Container) -> bool:
    """Whether it is a job that runs, or ended well: the next run takes it over (slipway.providers.job)."""
    ended_well = container.status == "exited" and container.attrs["State"].get("ExitCode") == 0
    return container.labels.get(naming.HELPER_LABEL) == naming.JOB and (container.status == "running" or ended_well)


def health(container: Container) -> str:
    """healthy, unhealthy or starting; empty where nothing checks it."""
    return str(container.attrs["State"].get("Health", {}).get("Status", ""))


def condition(container: Container) -> str:
    """In one word. The engine keeps the last health of a container that has stopped: it means nothing any more."""
    return (container.status == "running" and health(container)) or str(container.status)


def is_well(container: Container) -> bool:
    return container.status == "running" and health(container) in {"", "healthy"}


def remove_containers(containers: Collection[Container]) -> None:
    """Stops each as it wants to be stopped, nginx first and the database last, and removes it."""
    for container in sorted(containers, key=lambda each: kinds.labelled(service_of(each)).ends):
        try:
            grace = container.attrs["Config"].get("StopTimeout") or 10
            if container.status in {"running", "restarting"}:
                container.stop(timeout=grace)
            container.remove(v=True, force=True)
        except NotFound:
            continue


def remove_all(things: Sequence[Network | Volume]) -> list[str]:
    """Removes networks or volumes; the names of those that something else still uses."""
    kept = []
    for thing in things:
        try:
            thing.remove()
        except NotFound:
            continue
        except APIError as error:
            if error.status_code not in {403, 409}:
                raise
            kept.append(str(thing.name))
    return kept


def remade(volume: Volume) -> bool:
    """Whether it holds nothing that a run does not write anew: secret files, and what belongs to nginx."""
    name, labels = str(volume.name), volume.attrs.get("Labels") or {}
    if SECRET_FILES.search(name):
        return True
    return labels.get(naming.SERVICE_LABEL) == EDGE and bool(AUTOMATIC.search(name))
