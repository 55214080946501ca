"""What can fail about a container that is replaced delete-first is tried before the one that serves is deleted: the
image is there, the engine takes the limits and the mounts, the user may start a program, the published addresses are
free, and the program accepts its configuration.

A helper container like the one to come is started for a moment, with a command that only looks. It cannot publish what
the container to be replaced holds itself: that becomes free for the new one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

import pulumi
from docker import DockerClient
from docker.errors import APIError, DockerException
from docker.models.containers import Container
from pulumi.dynamic import ReadResult, Resource

from slipway.core.bindings import Binding, Setting, refused, to_try
from slipway.core.naming import HELPER_LABEL
from slipway.engine.containers import UNPRIVILEGED, Properties, connect, have_image, helper_labels, remove
from slipway.engine.errors import Failure
from slipway.engine.filling import run
from slipway.providers.job import mount
from slipway.providers.provider import Provider, recorded


class TrialProvider(Provider):
    """Tries, when it is made and whenever what the container is made of changes. Raises Failure, and leaves nothing on
    the engine either way. Where nothing runs that could be lost, only addresses are tried.

    A refresh forgets addresses that the stack does not hold any more: whoever took them meanwhile is found.
    """

    work: ClassVar = (
        "image", "user", "check", "mounts", "network", "ports", "memory", "shared_memory", "tmpfs", "read_only"
    )  # fmt: skip

    def id(self, props: Properties) -> str:
        return f"{props['container']}-trial"

    def do(self, _olds: Properties, news: Properties) -> None:
        with connect(news["engine"]) as client:
            own = running(client, news["labels"])
            wanted = [Setting.of(each) for each in news["ports"]]
            publish = to_try(wanted, [binding for each in own for binding in bindings(each)])
            if own or publish:
                attempt(client, news, publish)

    def read(self, id_: str, props: Properties) -> ReadResult:
        with connect(props["engine"]) as client:
            held = [binding for each in running(client, props["labels"]) for binding in bindings(each)]
        kept = [each for each in props["ports"] if Setting.of(each).binding in held]
        return ReadResult(id_, {**recorded(props), "ports": kept})

    def delete(self, _id: str, _props: Properties) -> None:
        """Nothing was left."""


def attempt(client: DockerClient, props: Properties, publish: Mapping[Setting, Binding]) -> None:
    """Creates and starts the helper, and waits for its end."""
    service, name = str(props["container"]), f"{props['container']}.trial"
    remove(client, name)
    try:
        have_image(client, props["image"])
        container = create(client, name, props, publish.values())
    except DockerException as error:
        raise Failure(f"{service}: the engine refuses its container: {words(error)}\n{UNTOUCHED}") from None
    try:
        if props["check"] or publish:
            run(container)
    except APIError as error:
        said = words(error)
        if props["check"] or not NO_PROGRAM.search(said):
            raise Failure(problem(client, service, said, publish)) from None
    except Failure as failure:
        raise Failure(f"{service}: what it would run does not accept its settings: {failure}\n{UNTOUCHED}") from None
    finally:
        remove(client, name)


NO_PROGRAM = re.compile(r"executable file not found|no such file or directory", re.IGNORECASE)
"""A ready-made image need not have a `true`; the engine looks for it last."""
UNTOUCHED = "Nothing was deleted: what ran goes on as it was."


def create(client: DockerClient, name: str, props: Properties, publish: Iterable[Binding]) -> Container:
    memory = f"{int(props['memory'])}m"
    return client.containers.create(
        props["image"],
        list(props["check"]) or ["true"],
        name=name,
        entrypoint=[],
        user=props["user"],
        mounts=[mount(each) for each in props["mounts"]],
        network=props["network"],
        ports={f"{number}/tcp": each.published for number, each in enumerate(publish, start=1)},
        mem_limit=memory,
        memswap_limit=memory,
        shm_size=f"{int(props['shared_memory'])}m" if props["shared_memory"] else None,
        tmpfs=dict(props["tmpfs"]),
        read_only=bool(props["read_only"]),
        healthcheck={"test": ["NONE"]},
        labels=helper_labels(props["labels"], "trial"),
        **UNPRIVILEGED,
    )


def problem(client: DockerClient, service: str, said: str, publish: Mapping[Setting, Binding]) -> str:
    """Why the helper could not be started, with the setting to change where it is an address."""
    for setting, binding in publish.items():
        if found := refused(said, binding):
            holders = [
                str(each.name)
                for each in client.containers.list(ignore_removed=True)
                if HELPER_LABEL not in each.labels and any(binding.meets(other) for other in bindings(each))
            ]
            return f"{service}: {setting.explain(found, holders)}\n{UNTOUCHED}"
    return f"{service}: its container does not start: {said}\n{UNTOUCHED}"


def running(client: DockerClient, labels: Mapping[str, str]) -> list[Container]:
    """The running containers with these labels, helpers left out."""
    filters: Any = {"label": [f"{label}={value}" for label, value in labels.items()]}
    found = client.containers.list(filters=filters, ignore_removed=True)
    return [each for each in found if HELPER_LABEL not in each.labels]


def bindings(container: Container) -> list[Binding]:
    """The addresses that the engine publishes for it."""
    published = container.attrs["NetworkSettings"].get("Ports") or {}
    return [Binding(each["HostIp"], int(each["HostPort"])) for found in published.values() for each in found or ()]


def words(error: DockerException) -> str:
    return str(getattr(error, "explanation", "") or error).strip()


class Trial(Resource, module="slipway", name="Trial"):
    """`container` (its logical name) could start now. Deleting the resource changes nothing.

    labels     of the container that it replaces: what that one publishes counts as free
    check      the command that only looks; empty: the engine makes the container, and starts it only for its `ports`
    mounts     {"source": volume or folder of the host, "target": …, "read_only": …}
    ports      {"ip", "port", "port_setting", "ip_setting"} each: what is published, and the keys to change
    memory     MiB, as `shared_memory`
    """

    def __init__(
        self,
        name: str,
        *,
        engine: pulumi.Input[str],
        container: str,
        labels: Mapping[str, str],
        image: pulumi.Input[str],
        user: str,
        check: Sequence[str],
        mounts: Sequence[Mapping[str, pulumi.Input[Any]]],
        network: pulumi.Input[str],
        ports: Sequence[Mapping[str, Any]],
        memory: int,
        shared_memory: int | None,
        tmpfs: Mapping[str, str],
        read_only: bool,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props = {
            "engine": engine,
            "container": container,
            "labels": dict(labels),
            "image": image,
            "user": user,
            "check": list(check),
            "mounts": [dict(each) for each in mounts],
            "network": network,
            "ports": [dict(each) for each in ports],
            "memory": memory,
            "shared_memory": shared_memory or 0,
            "tmpfs": dict(tmpfs),
            "read_only": read_only,
        }
        super().__init__(TrialProvider(), name, props, opts)
