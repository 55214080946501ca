"""What every container of a profile has in common: limits, a closed root, log rotation, a restart policy."""

from __future__ import annotations

from typing import Any

import pulumi_docker as docker

from slipway.core import scratch
from slipway.site.profile import Profile
from slipway.site.workload import Workload


def container(profile: Profile, workload: Workload) -> dict[str, Any]:
    """Arguments of docker.Container. Where the root is read-only, there is a tmpfs at /run as well, for process ids and
    sockets.

    Swap equals memory (otherwise the engine stores twice as much and every run sees a difference); cpus are written as
    the engine reads them back.
    """
    limits = workload.limits
    arguments: dict[str, Any] = {
        "memory": limits.memory,
        "memory_swap": limits.memory,
        "cpus": decimal(limits.cpus),
        "shm_size": limits.shared_memory,
        "restart": "unless-stopped",
        "user": workload.user,
        "tmpfs": dict(workload.tmpfs),
        "log_driver": "json-file",
        "log_opts": {"max-size": "10m", "max-file": "3"},
        "ulimits": [docker.ContainerUlimitArgs(name="nofile", soft=limits.open_files, hard=limits.open_files)],
        "wait": False,
        "must_run": True,
    }
    if not profile.hardened:
        return arguments
    return arguments | {
        "read_only": True,
        "tmpfs": scratch.run(workload.user) | dict(workload.tmpfs),
        "capabilities": docker.ContainerCapabilitiesArgs(drops=["ALL"]),
        "security_opts": ["no-new-privileges:true"],
    }


def decimal(cpus: float) -> str:
    """0.5 as "0.5", 1 as "1.0", 0.25 as "0.25": the engine's notation, any other is a change at every run."""
    text = f"{cpus:.3f}".rstrip("0")
    return f"{text}0" if text.endswith(".") else text
