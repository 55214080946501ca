"""What can be seen of a container that is not fit to serve, collected for slipway.core.diagnosis."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from docker.errors import APIError, NotFound
from docker.models.containers import Container

from slipway.core.diagnosis import Evidence, Listener, listeners
from slipway.providers.engine import TAIL

MIB = 2**20
TABLES = ["cat", "/proc/net/tcp", "/proc/net/tcp6"]


def collect(container: Container, **known: Any) -> Evidence:
    """Looks at the container, as it was when it was last reloaded, from outside and inside. `known` are further fields
    of Evidence."""
    attributes: Mapping[str, Any] = container.attrs
    state = attributes["State"]
    return Evidence(
        state=state,
        memory=int(attributes["HostConfig"].get("Memory") or 0) // MIB,
        log=tail(container),
        listeners=listening(container) if state["Status"] == "running" else None,
        **known,
    )


def tail(container: Container, lines: int = TAIL) -> str:
    """The last lines that it wrote; nothing where it is gone."""
    try:
        return container.logs(tail=lines).decode(errors="replace").strip()
    except (APIError, NotFound):
        return ""


def listening(container: Container) -> frozenset[Listener] | None:
    """The ports that something in it listens on; None where it has no `cat`, or ended meanwhile."""
    try:
        result: Any = container.exec_run(TABLES)
    except (APIError, NotFound):
        return None
    text = result.output.decode(errors="replace")
    return listeners(text.splitlines()) if "local_address" in text else None
