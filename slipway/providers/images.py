"""The images of one stack on the engine: their tags, and taking away what no kept release needs.

A tag is `<project>-<stack>-<service>:` and the number of the release, `latest` for the newest build, or `build-…` for
one that no release has made its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

import pulumi
from docker import DockerClient
from docker.errors import APIError
from pulumi.dynamic import Resource

from slipway.core import records
from slipway.engine.containers import Properties, connect
from slipway.engine.progress import say
from slipway.providers.provider import Provider

CACHE_ONLY = {"type": "build-cache"}
CACHE_SECONDS = 10
"""For what is worth no more: a release is waiting."""
LEFT = {404, 409}
"""The engine's answers where an image is gone already, or where a container still uses it."""


class StackImages:
    """`services` are all that the stack has or had; nothing else than images of their names is touched."""

    def __init__(self, client: DockerClient, project: str, stack: str, services: Iterable[str]) -> None:
        self.client = client
        self.repositories = {service: records.repository(project, stack, service) for service in services}

    def tags(self) -> dict[str, str]:
        """{name with tag: image id}"""
        own = set(self.repositories.values())
        every = {name: image for image, names in self.names().items() for name in names}
        return {name: image for name, image in every.items() if name.rpartition(":")[0] in own}

    def names(self) -> dict[str, set[str]]:
        """{image id: all its names with tags}"""
        listed: Sequence[Mapping[str, Any]] = self.client.api.images()
        return {str(image["Id"]): set(image["RepoTags"] or ()) for image in listed}

    def numbers(self) -> list[str]:
        """Of the releases that have tags."""
        return [name.rpartition(":")[2] for name in self.tags()]

    def tag(self, release: str, images: Mapping[str, str]) -> None:
        """Gives each service's image the name of the release."""
        for service, image in images.items():
            self.client.api.tag(image, self.repositories[service], release, force=True)

    def prune(self, kept: Iterable[records.Record]) -> list[str]:
        """Removes the tags that belong to no kept release, with them the images that have no other name, and the
        entries of the build cache that only these images consisted of. Returns names of the images that are gone; what
        a container still uses stays for the next time."""
        tags = self.tags()
        surplus = records.surplus(tags.keys(), kept, self.repositories)
        last_names = any(names and names <= surplus for names in self.names().values())
        before = self.cached_layers() if last_names else None
        removed = [name for name in sorted(surplus) if self._remove(name)]
        after = self.cached_layers() if before else None
        if before is not None and after is not None:
            self.prune_cache(before - after)
        left = self.names().keys() if removed else set()
        return [name for name in removed if tags[name] not in left]

    def _remove(self, name: str) -> bool:
        """Whether it could be."""
        try:
            self.client.api.remove_image(name)
        except APIError as error:
            if error.status_code not in LEFT:
                raise
            return False
        return True

    def cached_layers(self) -> set[str] | None:
        """The ids of all entries of the build cache that some image consists of, which is what the engine calls shared;
        None where it does not say in time (older ones measure their volumes as well)."""
        api: Any = self.client.api
        try:
            answer = api.get(f"{api.base_url}/v{api.api_version}/system/df", params=CACHE_ONLY, timeout=CACHE_SECONDS)
        except OSError:
            return None
        if not answer.ok:
            return None
        return {str(entry["ID"]) for entry in answer.json().get("BuildCache") or () if entry["Shared"]}

    def prune_cache(self, entries: set[str]) -> None:
        """Removes entries that no image consists of any more, in as many rounds as they were built on each other."""
        api: Any = self.client.api  # the types do not know this filter
        while gone := {each for each in entries if api.prune_builds(filters={"id": [each]})["CachesDeleted"]}:
            entries = entries - gone


class ImageTagProvider(Provider):
    """Names an image that was built by its own digits: the next build takes `latest` away from it. Without a name
    nobody could tell any more whose it was, and with the containerd image store it would be gone."""

    work: ClassVar = ("image", "repository")

    def id(self, props: Properties) -> str:
        return str(props["repository"])

    def do(self, _olds: Properties, news: Properties) -> None:
        image = str(news["image"])
        with connect(news["engine"]) as client:
            client.api.tag(image, news["repository"], records.build_tag(image), force=True)

    def delete(self, _id: str, _props: Properties) -> None:
        """Images go when no release that is kept needs them."""


class ImageTag(Resource, module="slipway", name="ImageTag"):
    """A tag of its own for `image` (an id) in `repository`, until a release has one for it."""

    def __init__(
        self,
        name: str,
        *,
        engine: pulumi.Input[str],
        image: pulumi.Input[str],
        repository: str,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props = {"engine": engine, "image": image, "repository": repository}
        super().__init__(ImageTagProvider(), name, props, opts)


def tell(removed: Sequence[str]) -> None:
    if removed:
        say(f"release: removed images that no kept release needs: {', '.join(removed)}")
