"""Files in volumes: secrets and configuration of hardened containers, and volumes that a service may write to.

The engine refuses to copy files into a container whose root is read-only, and a new volume belongs to root. So both go
through a helper container (slipway.engine.filling).
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import ClassVar

import pulumi
from docker import DockerClient
from docker.errors import APIError, ImageNotFound, NotFound
from pulumi.dynamic import CreateResult, Resource

from slipway.core.naming import HELPER_LABEL
from slipway.engine.containers import Properties, connect, remove
from slipway.engine.errors import Failure
from slipway.engine.filling import FOLDER, PARENT, PLACE, STAGED, helper, owner, pack, read, run
from slipway.engine.progress import say
from slipway.engine.volumes import holders, volume_exists
from slipway.providers.provider import recorded
from slipway.providers.volumes import ExistingVolumeProvider, VolumeProvider

OWNED = ".slipway"
"""The hidden file in every data volume."""
GIVE = f"""
find {PARENT}/{FOLDER} -xdev -user "$1" ! -path {PARENT}/{FOLDER}/{OWNED} -exec chown -h "$2" {{}} +
"""
"""What others own in it stays theirs. The hidden file goes last: a run that is killed is repeated."""
MARK = ".slipway-of"
"""The hidden file in a volume of files that another resource had before."""


class FilesVolumeProvider(VolumeProvider):
    """Fills a volume of its own with files, and removes it. Changed files of the same volume are replaced one by one,
    each in one step; their readers are not told, so callers put a keyed hash of the contents into the volume's name.

    A run that fails after it made another volume leaves the old one to be deleted by the next run; which may want that
    very volume again, because what was changed was taken back. So a volume that was there already is marked with whose
    it is now, and the resource that had it before leaves it alone.
    """

    work: ClassVar = ("engine", "files", "uid", "gid", "mode")

    def create(self, props: Properties) -> CreateResult:
        if not volume_exists(props):
            return super().create(props)
        mark = secrets.token_hex(4)
        self.do({}, {**props, "files": {**props["files"], MARK: mark}})
        return CreateResult(f"{self.id(props)}#{mark}", recorded(props))

    def do(self, olds: Properties, news: Properties) -> None:
        files: dict[str, str] = news["files"]
        before: dict[str, str] = olds.get("files", {})
        staged = STAGED if olds else ""
        archive = pack(files, uid=int(news["uid"]), gid=int(news["gid"]), mode=int(news["mode"]), staged=staged)
        with connect(news["engine"]) as client:
            client.volumes.create(news["volume"], labels=news["labels"])
            paths = sorted({*files, *before})
            with helper(client, news, ["sh", "-ec", PLACE, "sh", *paths]) as container:
                container.put_archive(PARENT, archive)
                if staged:
                    run(container)

    def delete(self, id_: str, props: Properties) -> None:
        with connect(props["engine"]) as client:
            try:
                volume = client.volumes.get(props["volume"])
            except NotFound:
                return
            mark = mark_of(client, props)
            if mark is not None and mark != id_.partition("#")[2]:
                return
            for container in holders(client, props["volume"]):
                # The container of a job that failed is kept for a look at it, but not longer than what it mounts.
                if HELPER_LABEL in container.labels and container.status != "running":
                    remove(client, str(container.id))
            try:
                volume.remove()
            except NotFound:
                return
            except APIError as error:
                if error.status_code != 409:
                    raise
                users = ", ".join(str(container.name) for container in holders(client, props["volume"]))
                raise Failure(f"volume {props['volume']} is still used by {users}") from None


def mark_of(client: DockerClient, props: Properties) -> str | None:
    """Whose the volume is: "" for the first one's. None where the image to look with is gone."""
    try:
        client.images.get(props["image"])
        with helper(client, props, ["true"]) as container:
            return read(container, MARK)
    except ImageNotFound:
        return None


class OwnedVolumeProvider(ExistingVolumeProvider):
    """Gives an existing volume to a user: its root, and where it was another user's before, the files of that one.

    A hidden file tells whose it was; it also keeps the volume from being empty, because an empty one would take its
    owner from the service's image, where that has the mounted path as well, each time a container starts with it.
    Raises Failure while a container of the former user runs: it could not write any more.
    """

    work: ClassVar = ("engine", "uid", "gid", "mode")

    def fill(self, props: Properties) -> None:
        uid, gid, mode = (int(props[key]) for key in ("uid", "gid", "mode"))
        root = pack({OWNED: "This volume belongs to its service.\n"}, uid=uid, gid=gid, mode=0o444, folder_mode=mode)
        with connect(props["engine"]) as client:
            with helper(client, props, ["true"]) as container:
                former = owner(container, OWNED)
            if former in {None, uid}:
                with helper(client, props, ["true"]) as container:
                    container.put_archive(PARENT, root)
                return
            if writers := [str(each.name) for each in holders(client, props["volume"]) if each.status == "running"]:
                raise Failure(
                    f"{props['volume']} belongs to user {former}, as whom {', '.join(writers)} writes to it, and not "
                    f"to user {uid}.\n  What to type: docker stop {' '.join(writers)}\n  and the same again"
                )
            say(f"{props['volume']}: the files of user {former} are given to user {uid}")
            with helper(client, props, ["sh", "-ec", GIVE, "sh", str(former), f"{uid}:{gid}"]) as container:
                run(container)
                container.put_archive(PARENT, root)


class FilesVolume(Resource, module="slipway", name="FilesVolume"):
    """A volume with files in it: `files` maps paths to contents and is kept secret whatever the caller passes.

    `mode` is the files'; folders get the matching one. `image` needs `sh`, `mv` and `rm`, and only when files change
    under the same volume name. Deleting the resource deletes the volume.
    """

    volume: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        engine: pulumi.Input[str],
        volume: pulumi.Input[str],
        files: pulumi.Input[Mapping[str, pulumi.Input[str]]],
        uid: int,
        gid: int,
        mode: int = 0o400,
        image: pulumi.Input[str],
        labels: Mapping[str, str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props = {
            "engine": engine,
            "volume": volume,
            "files": pulumi.Output.secret(files),
            "uid": uid,
            "gid": gid,
            "mode": mode,
            "image": image,
            "labels": dict(labels),
        }
        secret = pulumi.ResourceOptions(additional_secret_outputs=["files"])
        super().__init__(FilesVolumeProvider(), name, props, pulumi.ResourceOptions.merge(opts, secret))


class OwnedVolume(Resource, module="slipway", name="OwnedVolume"):
    """The root of `volume` (made by somebody else) belongs to `uid`:`gid`. Deleting the resource changes nothing."""

    volume: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        engine: pulumi.Input[str],
        volume: pulumi.Input[str],
        uid: int,
        gid: int,
        mode: int = 0o755,
        image: pulumi.Input[str],
        labels: Mapping[str, str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props = {
            "engine": engine,
            "volume": volume,
            "uid": uid,
            "gid": gid,
            "mode": mode,
            "image": image,
            "labels": dict(labels),
        }
        super().__init__(OwnedVolumeProvider(), name, props, opts)
