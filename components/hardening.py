"""What every container of a profile has in common: limits, a closed root, log rotation, a restart policy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_docker as docker

from components.context import Context
from slipway.core import scratch
from slipway.core.durations import go_duration
from slipway.providers.pids_limit import PidsLimit
from slipway.settings.profile import Profile

REPLACED = ["healthcheck", "tmpfs", "init", "#initerror"]
"""The docker plugin records changes to these without making them, and takes a container that failed to start for a
good one at the next run: replacing is the only true answer to either."""


def container(
    profile: Profile,
    *,
    memory: int,
    cpus: float,
    user: str,
    tmpfs: Mapping[str, str],
    shared_memory: int | None = None,
    open_files: int = 4096,
) -> dict[str, Any]:
    """Arguments of docker.Container. `memory` and `shared_memory` in MiB, `tmpfs` as {path: mount options}; where the
    root is read-only, there is one at /run as well, for process ids and sockets.

    Swap equals memory (otherwise the engine stores twice as much and every run sees a difference); cpus are written as
    the engine reads them back.
    """
    limits: dict[str, Any] = {
        "memory": memory,
        "memory_swap": memory,
        "cpus": decimal(cpus),
        "shm_size": shared_memory,
        "restart": "unless-stopped",
        "user": user,
        "tmpfs": dict(tmpfs),
        "log_driver": "json-file",
        "log_opts": {"max-size": "10m", "max-file": "3"},
        "ulimits": [docker.ContainerUlimitArgs(name="nofile", soft=open_files, hard=open_files)],
        "wait": False,
        "must_run": True,
    }
    if not profile.hardened:
        return limits
    return limits | {
        "read_only": True,
        "tmpfs": scratch.run(user) | dict(tmpfs),
        "capabilities": docker.ContainerCapabilitiesArgs(drops=["ALL"]),
        "security_opts": ["no-new-privileges:true"],
    }


def replacement(*, delete_first: bool, **options: Any) -> pulumi.ResourceOptions:
    """The order of a replacement, written out: the plugin's own default differs by what the container publishes."""
    return pulumi.ResourceOptions(delete_before_replace=delete_first, replace_on_changes=REPLACED, **options)


def healthcheck(tests: list[str], *, interval: int = 5, timeout: int = 3) -> docker.ContainerHealthcheckArgs:
    """Seconds. Without a start period, because engines from 25 on probe at a pace of their own within it."""
    return docker.ContainerHealthcheckArgs(
        tests=tests, interval=go_duration(interval), timeout=go_duration(timeout), retries=6
    )


def no_healthcheck() -> docker.ContainerHealthcheckArgs:
    """Not even the image's own. Its times mean nothing, but the engine would hand back the image's for missing ones."""
    return healthcheck(["NONE"])


def limit_pids(
    context: Context, name: str, container: docker.Container, limit: int, *, opts: pulumi.ResourceOptions
) -> PidsLimit:
    """The limit of a container's processes and threads, for which docker.Container has no argument. `name` is the
    container's. Whatever puts the container to use depends on it."""
    return PidsLimit(f"{name}-pids-limit", engine=context.engine, container=container.id, limit=limit, opts=opts)


def decimal(cpus: float) -> str:
    """0.5 as "0.5", 1 as "1.0", 0.25 as "0.25": the engine's notation, any other is a change at every run."""
    text = f"{cpus:.3f}".rstrip("0")
    return f"{text}0" if text.endswith(".") else text
