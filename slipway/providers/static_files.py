"""Static files of a service, copied out of its image into a volume from which nginx serves them itself.

New files are added beside the old ones: their names carry a hash, so a page that was loaded before a release still gets
its own. What is no longer part of the release is removed when the retention time has passed since it was.
"""

from __future__ import annotations

import io
import tarfile
import time
from collections.abc import Mapping
from typing import IO, Any, ClassVar

import pulumi
from docker.errors import NotFound
from docker.models.containers import Container
from pulumi.dynamic import Resource

from slipway.providers.engine import Failure, Properties, Provider, connect, have_image, helper_labels, remove
from slipway.providers.filling import FOLDER, PARENT, helper, run
from slipway.providers.volumes import holders

CURRENT, NEXT = ".current", ".next"
"""Lists of the files of the last copy and of this one: paths below the folder, one on each line."""
SWEEP = f"""
cd {PARENT}/{FOLDER}/"$1"
if [ -e {CURRENT} ]; then
    while IFS= read -r file; do [ ! -e "$file" ] || touch "$file"; done < {CURRENT}
else
    find . -type f -exec touch {{}} +
fi
find . -type f -mmin +"$2" -exec rm -f {{}} +
mv -f {NEXT} {CURRENT}
"""
"""A file's time says when it was last part of a release: the last copy's were until now."""


class StaticFilesProvider(Provider):
    """Copies when the image or a folder changed. Retention counts from the next copy that is without a file."""

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
                    target: b"".join(source.get_archive(path)[0]) for target, path in sorted(news["sources"].items())
                }
            except NotFound as error:
                raise Failure(f"the image has no folder for its static files: {error.explanation}") from None
            finally:
                remove(client, name)
            minutes = str(int(float(news["retention"]) // 60))
            with helper(client, news, ["sh", "-ec", SWEEP, "sh", news["folder"], minutes]) as container:
                container.put_archive(f"{PARENT}/{FOLDER}", repacked(news["folder"], found))
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


def repacked(folder: str, folders: Mapping[str, bytes]) -> bytes:
    """One archive of several, each with its contents below its target in the folder: regular files, readable by all,
    timed now; and the list of them all."""
    buffer, now = io.BytesIO(), time.time()
    names = []

    def add(name: str, size: int, content: IO[bytes] | None) -> None:
        copied = tarfile.TarInfo(f"{folder}/{name}")
        copied.size, copied.mode, copied.mtime = size, 0o644, now
        new.addfile(copied, content)

    with tarfile.open(fileobj=buffer, mode="w") as new:
        for target, archive in folders.items():
            with tarfile.open(fileobj=io.BytesIO(archive)) as old:
                for entry in filter(tarfile.TarInfo.isfile, old):
                    names.append(f"{target}/{entry.name.partition('/')[2]}")
                    add(names[-1], entry.size, old.extractfile(entry))
        listed = "".join(f"{name}\n" for name in names).encode()
        add(NEXT, len(listed), io.BytesIO(listed))
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
