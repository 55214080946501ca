"""What a container with a read-only root may write to besides its volumes."""

from __future__ import annotations

from slipway.core.container_paths import TMP


def run(user: str) -> dict[str, str]:
    """{/run: mount options}, for process ids and sockets. `user` is `uid` or `uid:gid`, as containers are given it.

    It is the user's own: older runtimes give a tmpfs the mode of the folder below it, whatever its options say.
    """
    return {"/run": f"uid={user.partition(':')[0]},mode=0755,size=16m"}


def tmp(size: int) -> dict[str, str]:
    """{/tmp: mount options}, of `size` MiB at most."""
    return {TMP: f"mode=1777,size={size}m"}
