"""A limit of the processes of a running container.

The docker plugin has no field for it. The engine takes it by an update of the container, at once and for good: it is in
force while the container runs and after every restart, of the engine too.
"""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import Any, ClassVar

import pulumi
from docker import DockerClient
from docker.errors import APIError
from pulumi.dynamic import ReadResult, Resource

from slipway.engine.containers import Properties, connect, find
from slipway.engine.errors import Failure
from slipway.engine.progress import pause
from slipway.providers.provider import Provider, recorded

ENDING = 10
"""Seconds in which a container that is ending has ended; far more than the engine was seen to need (milliseconds)."""


class PidsLimitProvider(Provider):
    """Sets the limit. What a refresh finds instead of it is put right by the next `up`."""

    identity: ClassVar = ("container",)
    work: ClassVar = ("engine", "limit")

    def id(self, props: Properties) -> str:
        return str(props["container"])[:12]

    def do(self, _olds: Properties, news: Properties) -> None:
        with connect(news["engine"]) as client:
            limit(client, news["container"], int(news["limit"]))

    def read(self, id_: str, props: Properties) -> ReadResult:
        with connect(props["engine"]) as client:
            container = find(client, props["container"])
        if container is None:
            return ReadResult("", {})
        found = container.attrs["HostConfig"].get("PidsLimit") or 0
        return ReadResult(id_, {**recorded(props), "limit": found})

    def delete(self, _id: str, _props: Properties) -> None:
        """It goes with its container, which must not run without it until then."""


def limit(client: DockerClient, container: str, pids: int) -> None:
    """Sets the limit and makes sure that the engine keeps to it. Raises Failure.

    docker-py's own update knows no limit of processes, so the engine is asked as it asks. What is not named in the
    request stays as it is. A container in the moment of its end takes none: the engine answers 500, and takes it when
    the container has ended or runs again.
    """
    api = client.api
    url = f"{api.base_url}/v{api.api_version}/containers/{container}/update"
    answer = api.post(url, json={"PidsLimit": pids})
    deadline = time.monotonic() + ENDING
    while answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR and time.monotonic() < deadline:
        pause()
        answer = api.post(url, json={"PidsLimit": pids})
    if not answer.ok:
        raise Failure(f"the engine sets no limit of processes for {container[:12]}: {answer.text.strip()}")
    found: Any = None
    try:
        found = client.containers.get(container).attrs["HostConfig"].get("PidsLimit")
    except APIError as error:
        raise Failure(f"{container[:12]}: {error.explanation}") from None
    if found != pids:
        raise Failure(
            f"the engine keeps to no limit of processes: {container[:12]} has {found or 'none'} instead of {pids}. "
            "Does the host's kernel have the pids control group?"
        )


class PidsLimit(Resource, module="slipway", name="PidsLimit"):
    """`container` (its id) has at most `limit` processes and threads. Deleting the resource changes nothing."""

    def __init__(
        self,
        name: str,
        *,
        engine: pulumi.Input[str],
        container: pulumi.Input[str],
        limit: int,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(PidsLimitProvider(), name, {"engine": engine, "container": container, "limit": limit}, opts)
