"""A running container joined to one more network.

The docker plugin replaces a container whose list of networks changes. Postgres and the edge must not be replaced
because a service is added, so they are declared with one network and joined to the others here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import pulumi
from docker import DockerClient
from docker.errors import APIError, NotFound
from pulumi.dynamic import Resource

from slipway.engine.containers import Properties, connect
from slipway.engine.errors import Failure
from slipway.providers.provider import Provider


class AttachmentProvider(Provider):
    """Joins and leaves. The engine keeps a membership over restarts of the container and of itself."""

    identity: ClassVar = ("container", "network")
    work: ClassVar = ("engine", "aliases")

    def id(self, props: Properties) -> str:
        return f"{props['container'][:12]}:{props['network']}"

    def do(self, _olds: Properties, news: Properties) -> None:
        with connect(news["engine"]) as client:
            found = membership(client, news)
            if found is not None:
                if set(news["aliases"]) <= set(found.get("Aliases") or ()):
                    return
                client.networks.get(news["network"]).disconnect(news["container"])
            try:
                client.networks.get(news["network"]).connect(news["container"], aliases=list(news["aliases"]))
            except (APIError, NotFound) as error:
                raise Failure(f"cannot join {news['network']}: {error.explanation}") from None

    def there(self, props: Properties) -> bool:
        with connect(props["engine"]) as client:
            return membership(client, props) is not None

    def delete(self, _id: str, props: Properties) -> None:
        with connect(props["engine"]) as client:
            if membership(client, props) is None:
                return
            try:
                client.networks.get(props["network"]).disconnect(props["container"], force=True)
            except NotFound:
                return


def membership(client: DockerClient, props: Properties) -> dict[str, Any] | None:
    """What the engine says of the container on that network; None when it is not on it or does not exist."""
    try:
        container = client.containers.get(props["container"])
    except NotFound:
        return None
    found: dict[str, Any] | None = container.attrs["NetworkSettings"]["Networks"].get(props["network"])
    return found


class Attachment(Resource, module="slipway", name="Attachment"):
    """`container` (its id) is on `network` (its name) under `aliases`."""

    def __init__(
        self,
        name: str,
        *,
        engine: pulumi.Input[str],
        container: pulumi.Input[str],
        network: pulumi.Input[str],
        aliases: Sequence[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props = {"engine": engine, "container": container, "network": network, "aliases": list(aliases)}
        super().__init__(AttachmentProvider(), name, props, opts)
