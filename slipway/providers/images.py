"""The images of one stack on the engine: their tags, and taking away what no kept release needs.

A tag is `<project>-<stack>-<service>:` and the number of the release, `latest` for the newest build, or `build-…` for
one that no release has made its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

import pulumi
from docker import DockerClient
from docker.errors import APIError, ImageNotFound
from pulumi.dynamic import Resource

from slipway.core import records
from slipway.providers.engine import Properties, Provider, connect, say

LAYER = re.compile(r"/([0-9a-z]{25})/")
"""A layer's folder on the engine. Where BuildKit made the layer, it is the id of BuildKit's cache entry too."""
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
        listed: Sequence[Mapping[str, Any]] = self.client.api.images()
        named = {str(name): str(image["Id"]) for image in listed for name in image["RepoTags"] or ()}
        return {name: image for name, image in named.items() if name.rpartition(":")[0] in own}

    def numbers(self) -> list[str]:
        """Of the releases that have tags."""
        return [name.rpartition(":")[2] for name in self.tags()]

    def tag(self, release: str, images: Mapping[str, str]) -> None:
        """Gives each service's image the name of the release."""
        for service, image in images.items():
            self.client.api.tag(image, self.repositories[service], release, force=True)

    def prune(self, kept: Iterable[records.Record]) -> list[str]:
        """Removes the tags that belong to no kept release, with them the images that have no other name, and of these
        the entries of the build cache. Returns the names; what a container still uses stays for the next time."""
        tags = self.tags()
        surplus = records.surplus(tags.keys(), kept, self.repositories)
        layers = {tags[name]: self.layers(tags[name]) for name in surplus}
        removed = [name for name in sorted(surplus) if self.removed(name)]
        gone = {image for image in layers if not self.has(image)}
        if gone:
            self.prune_cache(set().union(*(layers[image] for image in gone)))
        return removed

    def removed(self, name: str) -> bool:
        try:
            self.client.api.remove_image(name)
        except APIError as error:
            if error.status_code not in LEFT:
                raise
            return False
        return True

    def has(self, image: str) -> bool:
        try:
            self.client.images.get(image)
        except ImageNotFound:
            return False
        return True

    def layers(self, image: str) -> set[str]:
        """The cache entries that an image's layers are; none where the engine's storage does not tell."""
        try:
            data = self.client.images.get(image).attrs.get("GraphDriver", {}).get("Data") or {}
        except ImageNotFound:
            return set()
        return {found for folder in data.values() for found in LAYER.findall(folder)}

    def prune_cache(self, entries: set[str]) -> None:
        """Removes cache entries, except those that some image still consists of: the engine calls these shared."""
        api: Any = self.client.api  # the types do not know this filter
        for entry in sorted(entries):
            api.prune_builds(filters={"id": entry})


class ImageTagProvider(Provider):
    """Names an image that was built by its own digits: the next build takes `latest` away from it, and without a name
    nobody could tell any more whose it was."""

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
        say(f"release: removed the images of older releases: {', '.join(removed)}")
