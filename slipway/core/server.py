"""What a server must have before a site is released to it, judged by what its engine and its shell say of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

OLDEST = (20, 10)
"""The oldest Docker that Slipway is tested on."""
MEMORY, DISK = 1900, 5
"""MiB of memory, of a machine that is sold as one with 2 GB; GiB of disk: base images, a few releases, the data."""
SKEW = 60
"""Seconds by which its clock may be wrong: certificates and logins know a time."""
DAEMON = "/etc/docker/daemon.json"
ARCHITECTURES = ("x86_64", "aarch64")


@dataclass(frozen=True, kw_only=True)
class Finding:
    """`well`: nothing to do. `must`: a release would fail, or be in danger; else it is advice. `fix` is what to do."""

    what: str
    said: str
    well: bool
    must: bool = True
    fix: str = ""


def findings(info: Mapping[str, Any], *, free_kib: int, clock: float, now: float) -> Iterator[Finding]:
    """`info` is the engine's, `free_kib` what is free where it keeps its data, `clock` the server's time and `now`
    ours, in seconds since 1970."""
    version = str(info.get("ServerVersion") or "?")
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdecimal())
    yield Finding(
        what="Docker",
        said=version,
        well=numbers >= OLDEST,
        fix=f"update Docker to {'.'.join(map(str, OLDEST))} or newer",
    )
    machine = str(info.get("Architecture") or "?")
    yield Finding(
        what="processor", said=machine, well=machine in ARCHITECTURES, fix=f"one of: {', '.join(ARCHITECTURES)}"
    )
    memory = int(info.get("MemTotal") or 0) >> 20
    yield Finding(
        what="memory",
        said=f"{memory} MiB",
        well=memory >= MEMORY,
        must=False,
        fix="2 GB are little as it is",
    )
    free, root = free_kib / (1 << 20), info.get("DockerRootDir", "/var/lib/docker")
    yield Finding(
        what="free disk",
        said=f"{free:.1f} GiB",
        well=free >= DISK,
        fix=f"{DISK} GiB where Docker keeps its data ({root}); what takes the room says  docker system df",
    )
    yield Finding(
        what="clock",
        said=f"{clock - now:+.0f} s",
        well=abs(clock - now) <= SKEW,
        fix="timedatectl set-ntp true",
    )
    yield Finding(
        what="live-restore",
        said="on" if info.get("LiveRestoreEnabled") else "off",
        well=bool(info.get("LiveRestoreEnabled")),
        must=False,
        fix=f'"live-restore": true in {DAEMON}, then  systemctl reload docker  (without it a restart of Docker is one '
        "of the site)",
    )
    yield Finding(
        what="address pools",
        said="own" if info.get("DefaultAddressPools") else "Docker's default",
        well=bool(info.get("DefaultAddressPools")),
        must=False,
        fix='"default-address-pools": [{"base": "10.209.0.0/16", "size": 26}] in the same file, then  systemctl '
        "restart docker  (Docker's default has room for about 30 networks)",
    )
