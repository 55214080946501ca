"""A one-shot container: a migration, a seed. It runs when its inputs change, and the run fails when it fails.

The engine's own container resource can wait for an exit code but not fail on it, shows no log, and would not run the
job again after a failure.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

import pulumi
from docker import DockerClient
from docker.errors import NotFound
from docker.models.containers import Container
from docker.types import LogConfig, Mount
from pulumi.dynamic import Resource, UpdateResult

from slipway.core import container_paths, hashing, log_causes, scratch
from slipway.core.naming import JOB
from slipway.engine.containers import (
    UNPRIVILEGED,
    Properties,
    connect,
    find,
    have_image,
    helper_labels,
    log_tail,
    remove,
)
from slipway.engine.errors import Failure
from slipway.engine.evidence import tail
from slipway.engine.following import Log
from slipway.engine.progress import say, wait
from slipway.providers.provider import recorded
from slipway.providers.suspension import Suspendable

INPUTS_LABEL = "slipway.job"
"""Hash of the inputs that a job's container was made from."""
TRIGGERS = "triggers"
GRACE = 10
"""Seconds between SIGTERM and SIGKILL for a job that ran out of time: a database transaction is rolled back in less."""
HARDENED: dict[str, Any] = {
    "read_only": True,
    "tmpfs": {"/tmp": "rw,noexec,nosuid,nodev,size=64m"},  # noqa: S108
    "pids_limit": 256,
    **UNPRIVILEGED,
}


class JobProvider(Suspendable):
    """Runs the container, shows its log, removes it after success. One that failed is kept to be looked at until the
    next run.

    A run that was killed leaves the container to itself. The next one takes it over when it was made from the same
    inputs, so that a migration is neither cut off nor run twice; any other it ends first.
    """

    work: ClassVar = ("image", "command", "env", "networks", "mounts", "user")

    def id(self, props: Properties) -> str:
        return str(props["container"])

    def update(self, id_: str, olds: Properties, news: Properties) -> UpdateResult:
        if triggered(olds, news):
            self.do(olds, news)
        elif not news.get("once"):
            return super().update(id_, olds, news)
        return UpdateResult(recorded(news))

    def do(self, _olds: Properties, news: Properties) -> None:
        name, limit = str(news["container"]), float(news["timeout"])
        digest = hashing.of_value({key: news[key] for key in (*self.work, TRIGGERS)})
        with connect(news["engine"]) as client:
            container = unfinished(client, name, digest, news["labels"]) or start(client, news, digest)
            started = time.monotonic()
            log = Log(container)
            log.start()
            code = exit_code(container, limit)
            log.finish()
            if code:
                raise Failure(
                    f"{name} ended with exit code {code}{reason(container)}.\n  Its last lines:\n"
                    f"{log_tail(container)}\nIt is kept until the next run: docker logs {name}"
                )
            say(f"{name}: done after {time.monotonic() - started:.1f} s")
            remove(client, name)

    def delete(self, _id: str, props: Properties) -> None:
        with connect(props["engine"]) as client:
            if container := find(client, props["container"]):
                refuse_strangers(container, props["labels"])
            remove(client, props["container"])


def triggered(olds: Properties, news: Properties) -> bool:
    """Whether a trigger is another than the last time; one that was not known then is only recorded."""
    before, now = olds.get(TRIGGERS) or {}, news.get(TRIGGERS) or {}
    return any(now.get(name) not in {None, known} for name, known in before.items() if known is not None)


def refuse_strangers(container: Container, labels: Mapping[str, str]) -> None:
    """Raises Failure for another stack's: shop-eu's prod and shop's eu-prod give the same names."""
    if any(container.labels.get(label, value) != value for label, value in labels.items()):
        theirs = ", ".join(str(container.labels.get(label)) for label in labels)
        raise Failure(f"the container {container.name} is another stack's ({theirs}): rename one of the two stacks")


def unfinished(client: DockerClient, name: str, digest: str, labels: Mapping[str, str]) -> Container | None:
    """The container of a run that was killed, if it can be taken over; what cannot is ended and removed. `labels` are
    those of the stack and the service that it must have."""
    container = find(client, name)
    if container is None:
        return None
    refuse_strangers(container, labels)
    state = container.attrs["State"]
    ran = state["Status"] == "running" or (state["Status"] == "exited" and state["ExitCode"] == 0)
    if ran and container.labels.get(INPUTS_LABEL) == digest:
        say(f"{name}: taking over the run of {container.attrs['Created'][:19]} UTC")
        return container
    if state["Status"] == "running":
        container.stop(timeout=GRACE)
    remove(client, name)
    return None


def start(client: DockerClient, props: Properties, digest: str) -> Container:
    """Creates and starts the container, with all its networks before its first instruction."""
    have_image(client, props["image"])
    networks: list[str] = props["networks"]
    memory = f"{int(props['memory'])}m"
    hardened = {**HARDENED, "tmpfs": scratch.run(props["user"]) | HARDENED["tmpfs"]} if props["hardened"] else {}
    # Without a name: it goes with the container.
    spool = [Mount(container_paths.SPOOL, None, type="volume")] if props.get("spool") else []
    container = client.containers.create(
        props["image"],
        list(props["command"]),
        name=props["container"],
        entrypoint=[],
        environment=(scratch.SPOOLING if spool else {}) | dict(props["env"]),
        user=props["user"],
        mounts=[*spool, *map(mount, props["mounts"])],
        network=networks[0] if networks else None,
        network_mode=None if networks else "none",
        mem_limit=memory,
        memswap_limit=memory,
        init=True,
        log_config=LogConfig(type="json-file", config={"max-size": "10m", "max-file": "2"}),
        labels={**helper_labels(props["labels"], JOB), INPUTS_LABEL: digest},
        **hardened,
    )
    for network in networks[1:]:
        client.networks.get(network).connect(container)
    container.start()
    return container


def mount(described: Mapping[str, Any]) -> Mount:
    """A folder of the host where the source is a path, else a volume."""
    source = str(described["source"])
    kind: Literal["bind", "volume"] = "bind" if source.startswith("/") else "volume"
    return Mount(described["target"], source, type=kind, read_only=bool(described.get("read_only", False)))


def exit_code(container: Container, limit: float) -> int:
    """Waits for the end. Raises Failure, having stopped the container, after `limit` seconds."""

    def ended() -> bool:
        container.reload()
        return str(container.status) in {"exited", "dead"}

    def too_late() -> str:
        container.stop(timeout=GRACE)
        return (
            f"{container.name} was stopped: it took longer than {limit:g} s. Its last lines:\n"
            f"{log_tail(container)}\nIt is kept until the next run: docker logs {container.name}"
        )

    try:
        wait(ended, limit, too_late)
    except NotFound:
        raise Failure(f"somebody removed {container.name} while it ran") from None
    return int(container.attrs["State"]["ExitCode"])


def reason(container: Container) -> str:
    """What the exit code alone does not tell, as far as its end or its log show it."""
    if container.attrs["State"]["OOMKilled"]:
        return " (it needed more memory than its limit)"
    found = log_causes.in_log(log := tail(container)) or log_causes.exception(log)
    hint = f".\n  What to do: {found.hint}" if found and found.hint else ""
    return f": {found.what}{hint}" if found else ""


class Job(Resource, module="slipway", name="Job"):
    """Runs `command` in `image` to its end, once for each change of image, command, env, networks, mounts, user or
    `triggers` (whatever else needs a new run: which database it works on). A trigger without a value is not known yet.

    container  name of its container: one at a time
    env        plain values only: they can be read by inspecting the container; secrets come as files
    mounts     {"source": volume or folder of the host, "target": …, "read_only": …}
    memory     MiB; timeout: seconds
    spool      it has room on disk for large temporary files, as the service itself
    hardened   read-only root with /tmp, no capabilities, bounded processes
    once       only when it is made, and for changed `triggers`: what is run on data that people then work with
    suspended  it does not run now, whatever changed; later it does if anything differs from its last run
    """

    def __init__(
        self,
        name: str,
        *,
        engine: pulumi.Input[str],
        container: str,
        image: pulumi.Input[str],
        command: pulumi.Input[Sequence[str]],
        env: Mapping[str, pulumi.Input[str]],
        networks: Sequence[pulumi.Input[str]],
        mounts: Sequence[Mapping[str, pulumi.Input[Any]]],
        user: str,
        memory: int,
        timeout: float,
        labels: Mapping[str, str],
        hardened: bool = True,
        spool: bool = False,
        once: bool = False,
        suspended: bool = False,
        triggers: Mapping[str, pulumi.Input[str]] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props = {
            "engine": engine,
            "container": container,
            "image": image,
            "command": pulumi.Output.from_input(command).apply(list),
            "env": dict(env),
            "networks": list(networks),
            "mounts": [dict(each) for each in mounts],
            "user": user,
            "memory": memory,
            "timeout": timeout,
            "hardened": hardened,
            "once": once,
            "triggers": dict(triggers or {}),
            "labels": dict(labels),
            **{name: True for name, on in (("suspended", suspended), ("spool", spool)) if on},
        }
        super().__init__(JobProvider(), name, props, opts)
