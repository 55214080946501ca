"""The one place that puts a Workload to the engine: containers, their limits of processes, their networks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pulumi
import pulumi_docker as docker

from components import hardening
from components.context import Context, container_labels
from components.networks import Networks
from components.trial import tried
from slipway.core.durations import go_duration
from slipway.providers.attachment import Attachment
from slipway.providers.pids_limit import PidsLimit
from slipway.site.workload import Health, Mount, Port, Workload

REPLACED = ["healthcheck", "tmpfs", "init", "#initerror"]
"""The docker plugin records changes to these without making them, and takes a container that failed to start for a
good one at the next run: replacing is the only true answer to either."""


@dataclass(frozen=True, kw_only=True)
class Running:
    """What a workload became: a container for each replica, with its limit. Whatever puts a container to use waits for
    `ready`, the limits and networks that it did not come with."""

    containers: Sequence[docker.Container]
    limits: Sequence[PidsLimit]
    attachments: Sequence[Attachment]

    @property
    def container(self) -> docker.Container:
        """The first, where there is one."""
        return self.containers[0]

    @property
    def names(self) -> list[pulumi.Output[str]]:
        """By which the engine knows them."""
        return [container.name for container in self.containers]

    @property
    def ready(self) -> list[pulumi.Resource]:
        return [*self.attachments, *self.limits]

    @property
    def everything(self) -> list[pulumi.Resource]:
        return [*self.containers, *self.ready]


def run(
    context: Context,
    networks: Networks,
    name: str,
    workload: Workload,
    *,
    parent: pulumi.Resource,
    after: Sequence[pulumi.Resource] = (),
    started_after: Sequence[pulumi.Resource] = (),
) -> Running:
    """Declares it under its logical name as children of `parent`. Its containers, and the trial of those that are
    deleted first, come `after` these resources; `started_after` is what only the containers wait for."""
    child = pulumi.ResourceOptions(parent=parent)
    logical = [f"{name}-{replica}" if replica > 1 else name for replica in range(1, workload.replicas + 1)]
    containers = list[docker.Container]()
    for each in logical:
        one = workload if each == name else replace(workload, ports=())
        # One after the other: starting several at once takes all of a small machine from those that serve.
        before = [*after, *containers[-1:]]
        containers.append(_container(context, networks, each, one, parent, before, started_after))
    limits = [
        # docker.Container has no argument for it.
        PidsLimit(
            f"{each}-pids-limit",
            engine=context.engine,
            container=container.id,
            limit=workload.limits.pids,
            opts=child,
        )
        for each, container in zip(logical, containers, strict=True)
    ]
    attachments = [
        Attachment(
            context.name(workload.service, "on", network),
            engine=context.engine,
            container=containers[0].id,
            network=networks.name(network),
            aliases=tuple(aliases or ()),
            opts=child,
        )
        for network, aliases in workload.networks.items()
        if workload.made_on and network != workload.made_on
    ]
    return Running(containers=containers, limits=limits, attachments=attachments)


def _container(
    context: Context,
    networks: Networks,
    name: str,
    workload: Workload,
    parent: pulumi.Resource,
    after: Sequence[pulumi.Resource],
    started_after: Sequence[pulumi.Resource],
) -> docker.Container:
    closed = hardening.container(context.site.profile, workload)
    depends_on = [*after, *started_after]
    if workload.replaced.delete_first:
        trial_opts = pulumi.ResourceOptions(parent=parent, depends_on=[*after])
        network = networks.name(workload.made_on or next(iter(workload.networks)))
        depends_on.append(tried(context, name, workload, closed, network=network, opts=trial_opts))
    stop = workload.stop
    return docker.Container(
        name,
        name=name if workload.fixed_name else None,
        image=workload.image,
        entrypoints=workload.entrypoint,
        command=workload.command,
        envs=_some(f"{key}={value}" for key, value in workload.environment.items()),
        labels=container_labels(context.labels(workload.service)),
        networks_advanced=[
            docker.ContainerNetworksAdvancedArgs(
                name=networks.name(network), aliases=None if aliases is None else list(aliases)
            )
            for network, aliases in workload.networks.items()
            if workload.made_on in {"", network}
        ],
        ports=_some(map(_port, workload.ports)),
        volumes=_some(map(_mount, workload.mounts)),
        healthcheck=_health(workload.health) if workload.health else None,
        init=workload.init or None,
        stop_signal=stop.signal,
        stop_timeout=stop.grace if stop.signal else None,
        destroy_grace_seconds=stop.grace,
        **closed,
        opts=pulumi.ResourceOptions(
            # Written out: the plugin's own default differs by what the container publishes.
            delete_before_replace=workload.replaced.delete_first,
            replace_on_changes=REPLACED,
            parent=parent,
            depends_on=depends_on,
        ),
    )


def _some(values: Iterable[Any]) -> Any:
    """None for an empty list: an argument that is not given."""
    return list(values) or None


def _mount(mount: Mount) -> docker.ContainerVolumeArgs:
    return docker.ContainerVolumeArgs(
        volume_name=mount.volume,
        host_path=mount.folder,
        container_path=mount.target,
        read_only=mount.read_only or None,
    )


def _port(port: Port) -> docker.ContainerPortArgs:
    return docker.ContainerPortArgs(internal=port.inside, external=port.outside, ip=port.address, protocol="tcp")


def _health(health: Health) -> docker.ContainerHealthcheckArgs:
    """Without a start period, because engines from 25 on probe at a pace of their own within it. The times of one that
    is switched off mean nothing, but the engine would hand back the image's for missing ones."""
    return docker.ContainerHealthcheckArgs(
        tests=["CMD", *health.command] if health.command else ["NONE"],
        interval=go_duration(health.interval),
        timeout=go_duration(health.timeout),
        retries=6,
    )
