"""Data at risk that no plan shows, because Pulumi knows volumes by name only: one that is missing, a database that is
gone from its volume or is another server's, and data that the declared Postgres cannot read."""

from __future__ import annotations

import io
import re
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from docker.errors import NotFound
from docker.models.containers import Container
from docker.types import Mount

from slipway.cli import screen
from slipway.cli.docker_objects import DockerObjects
from slipway.cli.errors import CliError, Code
from slipway.cli.project import Project
from slipway.cli.pulumi import State
from slipway.core import impact, naming, postgres
from slipway.core.provisioning import database_name
from slipway.core.resource_types import ROLES, VOLUME
from slipway.core.topology import POSTGRES

TAG = re.compile(r":([1-3]\d)(?![0-9])[^/:]*$")
"""The tag of an image of Postgres 10 to 39; whoever numbers own images otherwise has them on the engine, or is told by
the trial."""
MAJOR = "PG_MAJOR="
"""The variable by which the official image says its version."""


def missing(objects: DockerObjects, state: State) -> list[str]:
    """What is at risk of the data that the state knows, in words. Where the profile does not keep data, none is."""
    if not objects.project.profile.keep_data:
        return []
    known = [impact.data_volume(_logical(each), each.get("inputs") or {}) for each in state.of_type(VOLUME)]
    there = {str(each.name) for each in objects.client.volumes.list()}
    gone = [name for name in known if name and name not in there]
    lost = [f"the volume {name} is gone from the engine: an empty one would take its place" for name in gone]
    volume = _volume(objects.project)
    recorded = next((_cluster(each) for each in state.of_type(ROLES)), "")
    if volume not in there or not recorded:
        return lost
    with _looking_into(objects, volume) as look:
        found = postgres.system_identifier(look(postgres.CONTROL_FILE)) if look else recorded
    if not found:
        lost.append(f"the volume {volume} holds no database any more: an empty one would be made")
    elif found != recorded:
        lost.append(f"the volume {volume} holds the data of another server ({found}) than the stack's ({recorded})")
    return lost


def refuse_unreadable(objects: DockerObjects) -> None:
    """Raises CliError where the data in the stack's volume is of another major version than the declared Postgres."""
    project, volume = objects.project, _volume(objects.project)
    image = base_image(project)
    declared = major_of(objects, image)
    if not declared or not project.site.owns_postgres:
        return
    try:
        objects.client.volumes.get(volume)
    except NotFound:
        return
    with _looking_into(objects, volume) as look:
        made = look(postgres.VERSION_FILE).decode().strip() if look else ""
    if made in {"", declared}:
        return
    raise CliError(
        f"{project}: the volume {volume} holds data of Postgres {made}, which Postgres {declared} cannot read "
        f"(baseImages.postgres: {image}); nothing was changed",
        f"go on with Postgres {made}: set baseImages.postgres back",
        *migration(project, made),
        code=Code.DATA_AT_RISK,
    )


def migration(project: Project, made: str) -> Iterator[str]:
    """How the data gets from one major version to another, line by line: what to type."""
    server, volume = f"{project}-{POSTGRES}", _volume(project)
    databases = [database_name(name) for name, service in project.site.services.items() if service.owns_database]
    slipway, stack = screen.command(), f"--stack {project.stack}"
    yield f"or move the data, with baseImages.postgres still at {made} up to the copy of the volume:"
    yield f"  {slipway} maintenance on {stack}"
    for each in databases:
        yield f"  docker exec -u postgres {server} pg_dump -Fc {each} > {each}.dump"
    yield f"  docker stop {server}"
    yield (
        f"  docker run --rm --network none -u 0 -v {volume}:/from:ro -v {volume}-{made}:/to "
        f"--entrypoint cp {base_image(project, made)} -a /from/. /to/"
    )
    yield f"  docker rm {server} && docker volume rm {volume}"
    yield f"  {slipway} up {stack} --allow-data-loss"
    for each in databases:
        yield f"  docker exec -i -u postgres {server} pg_restore --clean --if-exists -d {each} < {each}.dump"
    yield f"  {slipway} maintenance off {stack}"
    yield f"the data as it was stays in the volume {volume}-{made}"


def base_image(project: Project, major: str = "") -> str:
    """The name of the declared base of Postgres, of another major version where one is given."""
    image = project.site.base_images.postgres
    return TAG.sub(f":{major}", image) if major else image


def major_of(objects: DockerObjects, image: str) -> str:
    """The major version of Postgres in an image: as it says itself, else as its tag says; "" where nothing does."""
    if objects.has_image(image):
        variables = objects.client.images.get(image).attrs["Config"].get("Env") or ()
        said = [each.removeprefix(MAJOR) for each in variables if each.startswith(MAJOR)]
        if said:
            return str(said[0])
    tag = TAG.search(image.partition("@")[0])
    return tag[1] if tag else ""


@contextmanager
def _looking_into(objects: DockerObjects, volume: str) -> Iterator[Any]:
    """A function that reads a small file of the volume (b"" where there is none), through a container that never
    runs; None where the engine has no image to make it of."""
    servers = objects.of_service(POSTGRES)
    if servers:
        yield lambda file: _read(servers[0], f"{postgres.DATA}/{file}")
        return
    image = base_image(objects.project)
    if not objects.has_image(image):
        yield None
        return
    mount = Mount("/volume", volume, type="volume", read_only=True, no_copy=True)
    labels = {**objects.labels, naming.HELPER_LABEL: "look"}
    made = objects.client.containers.create(image, ["true"], mounts=[mount], network_mode="none", labels=labels)
    try:
        yield lambda file: _read(made, f"/volume/{file}")
    finally:
        made.remove(force=True)


def _read(container: Container, path: str) -> bytes:
    try:
        chunks, _ = container.get_archive(path)
    except NotFound:
        return b""
    with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as archive:
        content = archive.extractfile(archive.getmembers()[0])
        return content.read() if content else b""


def _volume(project: Project) -> str:
    return naming.data_volume(project.name, project.stack, POSTGRES, "data")


def _cluster(resource: Mapping[str, Any]) -> str:
    return str((resource.get("outputs") or {}).get("cluster") or "")


def _logical(resource: Mapping[str, Any]) -> str:
    return str(resource["urn"]).rpartition("::")[2]
