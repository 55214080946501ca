"""The trial of a container that is replaced delete-first, described by the very arguments that the container gets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from components.context import Context
from slipway.providers.trial import Trial

Keys = Mapping[int, tuple[str, str]]
"""{port in the container: the settings that chose the published port and address}; "" for an address nobody chose."""


def tried(
    context: Context,
    name: str,
    service: str,
    described: Mapping[str, Any],
    *,
    check: Sequence[str] = (),
    keys: Keys | None = None,
    leave_out: str = "",
    opts: pulumi.ResourceOptions,
) -> Trial:
    """`name` is the container's, `described` its arguments, `check` a command that only looks at its configuration,
    `leave_out` the path of a mount that the check must not see. The container depends on what is returned."""
    mounts = [
        {
            "source": each.host_path or each.volume_name,
            "target": each.container_path,
            "read_only": bool(each.read_only),
        }
        for each in described.get("volumes") or ()
        if each.container_path != leave_out
        and (each.host_path or each.volume_name) is not None  # a nameless volume is the engine's, and always there
    ]
    ports = [
        {"ip": each.ip or "", "port": each.external, "port_setting": port, "ip_setting": address}
        for each in described.get("ports") or ()
        for port, address in [(keys or {})[each.internal]]
    ]
    return Trial(
        f"{name}-trial",
        engine=context.engine,
        container=name,
        labels=context.labels(service),
        image=described["image"],
        user=described["user"],
        check=check,
        mounts=mounts,
        network=described["networks_advanced"][0].name,
        ports=ports,
        memory=described["memory"],
        shared_memory=described["shm_size"],
        tmpfs=described["tmpfs"],
        read_only=bool(described.get("read_only")),
        opts=opts,
    )
