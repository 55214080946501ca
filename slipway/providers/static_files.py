"""Static files of a service, copied out of its image into a volume from which nginx serves them itself.

Each release has a folder of its own, which its routes name: none of it is seen before the switch, and a release that
does not get in changes nothing. Beside them stands one folder with those files of all releases that have a hash in
their names, for pages that were loaded before the switch. A content is there once: all of these are hard links to it,
so that a file that does not change keeps its time, and with it the ETag that browsers know.

The time of a release's folder says when the release was last known to be in force. What has not been for longer than
the retention is removed, at the next run, also if that changes nothing else.
"""

from __future__ import annotations

from typing import ClassVar

import pulumi
from docker import DockerClient
from docker.errors import DockerException, NotFound
from docker.models.containers import Container
from pulumi.dynamic import DiffResult, Resource, UpdateResult

from slipway.core.container_paths import SOURCE
from slipway.core.naming import HELPER_LABEL
from slipway.engine import connection
from slipway.engine.containers import Properties, connect, have_image, helper_labels, remove
from slipway.engine.errors import Failure
from slipway.engine.execution import NOT_RUNNING, execute
from slipway.engine.filling import FOLDER, PARENT, helper, run
from slipway.engine.image_files import ImageFiles
from slipway.engine.shelf import Layout, NewRelease, Shelf
from slipway.engine.volumes import holders
from slipway.nginx import statics
from slipway.nginx.main import LIVE, STATIC
from slipway.providers.provider import Provider, recorded

NO_FILE = 1
"""The exit code of cat where there is nothing of this name."""
LONGEST = "3600"
"""Seconds after which a helper that a killed run left ends by itself."""


class StaticFilesProvider(Provider):
    """Copies when the image or a folder changed; whenever it works, it removes what is outdated."""

    identity: ClassVar = ("volume", "folder")

    def id(self, props: Properties) -> str:
        return f"{props['volume']}:{props['folder']}"

    def diff(self, id_: str, olds: Properties, news: Properties) -> DiffResult:
        result = super().diff(id_, olds, news)
        result.changes = result.changes or any_outdated(news)
        return result

    def update(self, _id: str, olds: Properties, news: Properties) -> UpdateResult:
        self.do(olds, news)
        return UpdateResult(recorded(news))

    def do(self, olds: Properties, news: Properties) -> None:
        with connect(news["engine"]) as client, helper(client, tools(news), ["sleep", LONGEST]) as container:
            container.start()
            shelf = Shelf(container, f"{PARENT}/{FOLDER}", news["folder"])
            layout = shelf.look()
            same = olds.get("release") == news["release"] and olds.get("engine") == news["engine"]
            new = None if same and news["release"] in layout.times else copy(client, news, shelf, layout)
            former = {str(olds["release"])} if olds.get("release") else set()
            shelf.lay(layout, new, in_force(client, news) or former, float(news["retention"]))

    def there(self, props: Properties) -> bool:
        with connect(props["engine"]) as client:
            try:
                client.volumes.get(props["volume"])
            except NotFound:
                return False
            if nginx := running_nginx(client, props):  # without it nobody asks for the files
                code, _ = execute(nginx, ["test", "-d", f"{STATIC}/{props['folder']}/{props['release']}"])
                return code in {0, NOT_RUNNING}
            return True

    def delete(self, _id: str, props: Properties) -> None:
        """Removes the service's folder, unless the whole volume goes with the stack."""
        with connect(props["engine"]) as client:
            made = tools(props)
            if running_nginx(client, props) and connection.has_image(client, made["image"]):
                with helper(client, made, ["rm", "-rf", f"{PARENT}/{FOLDER}/{props['folder']}"]) as container:
                    run(container)


def copy(client: DockerClient, news: Properties, shelf: Shelf, layout: Layout) -> NewRelease:
    """Brings what the image has into the volume, where nothing shows it yet."""
    have_image(client, news["image"])
    name = f"{news['volume']}.{news['folder']}.source"
    remove(client, name)
    source = client.containers.create(
        news["image"], ["true"], name=name, entrypoint=[], labels=helper_labels(news["labels"], "static")
    )
    new = NewRelease(news["folder"], news["release"], layout.contents)
    try:
        shelf.clear()
        shelf.container.put_archive(shelf.root, new.archive(news["sources"], ImageFiles(source, SOURCE)))
    finally:
        remove(client, name)
    return new


def tools(props: Properties) -> Properties:
    """The properties of a helper, whose image is not the service's own: in a state of before there is no other."""
    return {**props, "image": props.get("tools") or props["image"]}


def running_nginx(client: DockerClient, props: Properties) -> Container | None:
    """nginx, as far as it runs; not what copies another service's files at the same time."""
    found = holders(client, props["volume"])
    return next((each for each in found if each.status == "running" and HELPER_LABEL not in each.labels), None)


def in_force(client: DockerClient, props: Properties) -> set[str]:
    """The folders of releases that nginx's routes name now; none where it does not run or has no routes yet. Raises
    Failure where a busy engine does not let it say: the files of the release that serves could otherwise be removed."""
    nginx = running_nginx(client, props)
    if nginx is None:
        return set()
    code, routes = execute(nginx, ["sh", "-c", f"cat {LIVE}/*.conf"])
    if code not in {0, NO_FILE, NOT_RUNNING}:
        raise Failure(f"{nginx.name} does not say which releases are in force (exit code {code}): {routes.strip()}")
    return statics.in_force(props["folder"], routes)


def any_outdated(props: Properties) -> bool:
    """Whether a release is there whose time is over. Where no engine or no nginx answers, that can wait."""
    try:
        with connect(props["engine"]) as client:
            nginx = running_nginx(client, props)
            serving = in_force(client, props)
            layout = Shelf(nginx, STATIC, props["folder"]).look(files=False) if nginx and serving else Layout()
    except (Failure, DockerException):
        return False
    return bool(layout.expired(serving, float(props["retention"])))


class StaticFiles(Resource, module="slipway", name="StaticFiles"):
    """`folder` is the service's in the volume, `release` the one below it that these files have to themselves: another
    for another image or other sources. `sources` maps paths below that to folders or single files in the image;
    `retention` is in seconds; `tools` is an image with a shell and nothing of the service's, which works in the volume.
    """

    def __init__(
        self,
        name: str,
        *,
        engine: pulumi.Input[str],
        volume: pulumi.Input[str],
        folder: str,
        release: pulumi.Input[str],
        image: pulumi.Input[str],
        tools: pulumi.Input[str],
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
            "tools": tools,
            "sources": sources,
            "retention": retention,
            "labels": labels,
        }
        super().__init__(StaticFilesProvider(), name, props, opts)
