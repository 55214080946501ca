"""What a container with a read-only root may write to besides its volumes."""

from __future__ import annotations

from slipway.core.container_paths import SPOOL, TMP
from slipway.site.site import Service

SPOOLING = {"TMPDIR": SPOOL}
"""Where Python's tempfile, and so Werkzeug, keeps a large upload while it is read. Not on a tmpfs: that has to be sized
beforehand and counts as the container's memory, and `edge.maxBody` for every request at once may be more than both."""


def spools(service: Service) -> bool:
    """Whether its containers get room for that: a ready-made image need not have the folder, and one of the service's
    own volumes may be mounted there."""
    return bool(service.path) and SPOOL not in service.volumes.values()


def run(user: str) -> dict[str, str]:
    """{/run: mount options}, for process ids and sockets. `user` is `uid` or `uid:gid`, as containers are given it.

    It is the user's own: older runtimes give a tmpfs the mode of the folder below it, whatever its options say.
    """
    return {"/run": f"uid={user.partition(':')[0]},mode=0755,size=16m"}


def tmp(size: int) -> dict[str, str]:
    """{/tmp: mount options}, of `size` MiB at most."""
    return {TMP: f"mode=1777,size={size}m"}
