"""Static files of a service, copied out of its image into a volume from which nginx serves them itself.

New files are added beside the old ones: their names carry a hash, so a page that was loaded before a release still gets
its own. What an image no longer has is removed when it is older than the retention time.
"""

from __future__ import annotations

import io
import tarfile
import time
from collections.abc import Mapping
from typing import Any, ClassVar

import pulumi
from docker.errors import NotFound
from docker.models.containers import Container
from pulumi.dynamic import Resource

from slipway.providers.engine import Failure, Properties, Provider, connect, have_image, helper_labels, remove
from slipway.providers.files import holders
from slipway.providers.filling import FOLDER, PARENT, helper, run

SWEEP = f"""
cd {PARENT}/{FOLDER}/"$1"
find . -type f -mmin +"$2" | while read -r file; do rm -f "$file"; done
"""


class StaticFilesProvider(Provider):
    """Copies when the image or a folder changed. The copied files' times are those of the copy, so that retention
    counts from when a file was last part of a release."""

    identity: ClassVar = ("volume", "folder")
    work: ClassVar = ("engine", "image", "sources")

    def id(self, props: Properties) -> str:
        return f"{props['volume']}:{props['folder']}"

    def do(self, _olds: Properties, news: Properties) -> None:
        with connect(news["engine"]) as client:
            have_image(client, news["image"])
            name = f"{news['volume']}.{news['folder'].replace('/', '.')}.source"
            remove(client, name)
            source = client.containers.create(
                news["image"], ["true"], name=name, entrypoint=[], labels=helper_labels(news["labels"], "static")
            )
            try:
                found = {
                    f"{news['folder']}/{target}": b"".join(source.get_archive(path)[0])
                    for target, path in sorted(news["sources"].items())
                }
            except NotFound as error:
                raise Failure(f"the image has no folder for its static files: {error.explanation}") from None
            finally:
                remove(client, name)
            minutes = str(int(float(news["retention"]) // 60))
            with helper(client, news, ["sh", "-ec", SWEEP, "sh", news["folder"], minutes]) as container:
                container.put_archive(f"{PARENT}/{FOLDER}", repacked(found))
                run(container)

    def there(self, props: Properties) -> bool:
        with connect(props["engine"]) as client:
            try:
                client.volumes.get(props["volume"])
            except NotFound:
                return False
            for container in holders(client, props["volume"]):
                if container.status == "running":  # nginx; without it nobody asks for the files
                    mounts = container.attrs["Mounts"]
                    [root] = [each["Destination"] for each in mounts if each.get("Name") == props["volume"]]
                    folder = f"{root}/{props['folder']}"
                    return all(has_files(container, f"{folder}/{target}") for target in props["sources"])
            return True


def has_files(container: Container, folder: str) -> bool:
    """Whether there is anything in a folder of a running container, which needs `ls`."""
    result: Any = container.exec_run(["ls", "-A", folder])
    return result.exit_code == 0 and bool(result.output.strip())


def repacked(folders: Mapping[str, bytes]) -> bytes:
    """One archive of several, each with its contents below its target: regular files, readable by all, timed now."""
    buffer, now = io.BytesIO(), time.time()
    with tarfile.open(fileobj=buffer, mode="w") as new:
        for target, archive in folders.items():
            with tarfile.open(fileobj=io.BytesIO(archive)) as old:
                for entry in filter(tarfile.TarInfo.isfile, old):
                    copied = tarfile.TarInfo(f"{target}/{entry.name.partition('/')[2]}")
                    copied.size, copied.mode, copied.mtime = entry.size, 0o644, now
                    new.addfile(copied, old.extractfile(entry))
    return buffer.getvalue()


class StaticFiles(Resource, module="slipway", name="StaticFiles"):
    """`sources` maps folders below `folder` in the volume to folders in the image; `retention` is in seconds."""

    def __init__(
        self,
        name: str,
        *,
        engine: pulumi.Input[str],
        volume: pulumi.Input[str],
        folder: str,
        image: pulumi.Input[str],
        sources: dict[str, str],
        retention: float,
        labels: dict[str, str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props = {
            "engine": engine,
            "volume": volume,
            "folder": folder,
            "image": image,
            "sources": sources,
            "retention": retention,
            "labels": labels,
        }
        super().__init__(StaticFilesProvider(), name, props, opts)
