"""Static files of a service, copied out of its image into a volume from which nginx serves them itself.

Each release has a folder of its own, which its routes name: none of it is seen before the switch, and a release that
does not get in changes nothing. Beside them stands one folder with the files of all releases, for pages that were
loaded before the switch and whose files carry a hash in their names. What is no longer part of a release is removed
when the retention time has passed since it was.
"""

from __future__ import annotations

import io
import tarfile
import time
from collections.abc import Mapping
from typing import ClassVar

import pulumi
from docker import DockerClient
from docker.errors import NotFound
from docker.models.containers import Container
from pulumi.dynamic import Resource

from slipway.core import statics
from slipway.core.naming import HELPER_LABEL
from slipway.core.nginx_main import LIVE
from slipway.core.statics import FORMER
from slipway.providers.engine import Failure, Properties, Provider, connect, have_image, helper_labels, remove
from slipway.providers.execution import NOT_RUNNING, execute
from slipway.providers.filling import FOLDER, PARENT, helper, run
from slipway.providers.volumes import holders

SWEEP = f"""
cd {PARENT}/{FOLDER}/"$1"
new=$2 minutes=$3
shift 3
mkdir -p "$new" {FORMER}
[ $# != 0 ] || set -- {FORMER}
for folder; do
    [ ! -d "$folder" ] || find "$folder" -exec touch {{}} +
done
cp -rlf "$new/." {FORMER}
find {FORMER} -type f -mmin +"$minutes" -exec rm -f {{}} +
for folder in */; do
    case " {FORMER} $new $* " in
        *" ${{folder%/}} "*) ;;
        *) find "$folder" -maxdepth 0 -mmin +"$minutes" -exec rm -rf {{}} + ;;
    esac
done
"""
"""Arguments: the service's folder, that of the new release in it, minutes of retention, the folders in force (none: all
that is there may be).

A file's time says when it was last part of a release: those in force are until now, and a file has the same time below
FORMER, because it is the same file (a hard link)."""


class StaticFilesProvider(Provider):
    """Copies when the image or a folder changed. Retention counts from the next copy that is without a file."""

    identity: ClassVar = ("volume", "folder")
    work: ClassVar = ("engine", "release")

    def id(self, props: Properties) -> str:
        return f"{props['volume']}:{props['folder']}"

    def do(self, olds: Properties, news: Properties) -> None:
        with connect(news["engine"]) as client:
            have_image(client, news["image"])
            name = f"{news['volume']}.{news['folder']}.source"
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
            former = {str(olds["release"])} if olds.get("release") else set()
            kept = sorted(in_force(client, news) or former)
            command = ["sh", "-ec", SWEEP, "sh", news["folder"], news["release"], minutes, *kept]
            with helper(client, news, command) as container:
                container.put_archive(f"{PARENT}/{FOLDER}", repacked(f"{news['folder']}/{news['release']}", found))
                run(container)

    def there(self, props: Properties) -> bool:
        with connect(props["engine"]) as client:
            try:
                client.volumes.get(props["volume"])
            except NotFound:
                return False
            if nginx := running_nginx(client, props):  # without it nobody asks for the files
                mounts = nginx.attrs["Mounts"]
                [root] = [each["Destination"] for each in mounts if each.get("Name") == props["volume"]]
                folder = f"{root}/{props['folder']}/{props['release']}"
                return all(has_files(nginx, f"{folder}/{target}") for target in props["sources"])
            return True


def running_nginx(client: DockerClient, props: Properties) -> Container | None:
    """nginx, as far as it runs; not what copies another service's files at the same time."""
    found = holders(client, props["volume"])
    return next((each for each in found if each.status == "running" and HELPER_LABEL not in each.labels), None)


def in_force(client: DockerClient, props: Properties) -> set[str]:
    """The folders of releases that nginx's routes name now; none where it does not run or has no routes yet."""
    nginx = running_nginx(client, props)
    if nginx is None:
        return set()
    _, routes = execute(nginx, ["sh", "-c", f"cat {LIVE}/*.conf"])
    return statics.in_force(props["folder"], routes)


def has_files(container: Container, folder: str) -> bool:
    """Whether there is anything in a folder of a container, which needs `ls`; also where it has ended meanwhile."""
    code, listed = execute(container, ["ls", "-A", folder])
    return code == NOT_RUNNING or (code == 0 and bool(listed.strip()))


def repacked(folder: str, folders: Mapping[str, bytes]) -> bytes:
    """One archive of several, each with its contents below its target in the folder: regular files, readable by all,
    timed now."""
    buffer, now = io.BytesIO(), time.time()
    with tarfile.open(fileobj=buffer, mode="w") as new:
        for target, archive in folders.items():
            with tarfile.open(fileobj=io.BytesIO(archive)) as old:
                for entry in filter(tarfile.TarInfo.isfile, old):
                    copied = tarfile.TarInfo(f"{folder}/{target}/{entry.name.partition('/')[2]}")
                    copied.size, copied.mode, copied.mtime = entry.size, 0o644, now
                    new.addfile(copied, old.extractfile(entry))
    return buffer.getvalue()


class StaticFiles(Resource, module="slipway", name="StaticFiles"):
    """`folder` is the service's in the volume, `release` the one below it that these files have to themselves: another
    for another image or other sources. `sources` maps folders below that to folders in the image; `retention` is in
    seconds."""

    def __init__(
        self,
        name: str,
        *,
        engine: pulumi.Input[str],
        volume: pulumi.Input[str],
        folder: str,
        release: pulumi.Input[str],
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
            "release": release,
            "image": image,
            "sources": sources,
            "retention": retention,
            "labels": labels,
        }
        super().__init__(StaticFilesProvider(), name, props, opts)
