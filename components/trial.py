"""The trial of a container that is replaced delete-first, described by the very arguments that the container gets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi

from components.context import Context
from slipway.providers.trial import Trial
from slipway.site.workload import Workload


def tried(
    context: Context,
    name: str,
    workload: Workload,
    closed: Mapping[str, Any],
    *,
    network: pulumi.Input[str],
    opts: pulumi.ResourceOptions,
) -> Trial:
    """`name` is the container's, `closed` what its profile makes of it (components.hardening.container), `network` the
    first that it is on. The container depends on what is returned."""
    replaced, limits = workload.replaced, workload.limits
    mounts = [
        {"source": mount.folder or mount.volume, "target": mount.target, "read_only": mount.read_only}
        for mount in workload.mounts
        if mount.target != replaced.unseen
        and (mount.folder or mount.volume) is not None  # a nameless volume is the engine's, and always there
    ]
    ports = [
        {"ip": port.address, "port": port.outside, "port_setting": port.port_key, "ip_setting": port.address_key}
        for port in workload.ports
    ]
    return Trial(
        f"{name}-trial",
        engine=context.engine,
        container=name,
        labels=context.labels(workload.service),
        image=workload.image,
        user=workload.user,
        check=replaced.check,
        mounts=mounts,
        network=network,
        ports=ports,
        memory=limits.memory,
        shared_memory=limits.shared_memory,
        tmpfs=closed["tmpfs"],
        read_only=bool(closed.get("read_only")),
        opts=opts,
    )
