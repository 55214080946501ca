"""What can be seen of a container that is not fit to serve, collected for slipway.core.diagnosis."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from docker.errors import APIError, NotFound
from docker.models.containers import Container

from slipway.core.diagnosis import Evidence, Listener, listeners
from slipway.engine.containers import TAIL
from slipway.engine.execution import execute

MIB = 2**20
TABLES = ["cat", "/proc/net/tcp", "/proc/net/tcp6"]


def collect(container: Container, **known: Any) -> Evidence:
    """Looks at the container, as it was when it was last reloaded, from outside and inside. `known` are further fields
    of Evidence."""
    attributes: Mapping[str, Any] = container.attrs
    state = attributes["State"]
    again = state["Status"] == "running" and known.get("restarts")
    return Evidence(
        state={**state, **last_end(container)} if again else state,
        memory=int(attributes["HostConfig"].get("Memory") or 0) // MIB,
        log=tail(container),
        listeners=listening(container) if state["Status"] == "running" else None,
        **known,
    )


def last_end(container: Container) -> dict[str, Any]:
    """How a container that runs again ended the last time: its state tells of the run that goes on. The code is None
    where the engine does not know any more (it keeps 256 events, health checks among them:
    https://docs.docker.com/reference/cli/docker/system/events/)."""
    api: Any = container.client.api if container.client else None
    filters = {"container": container.id, "event": ["die", "oom"]}
    try:
        events = list(api.events(since=0, until=int(time.time()) + 1, filters=filters, decode=True))
    except APIError:
        events = []
    codes = [each["Actor"]["Attributes"]["exitCode"] for each in events if each["Action"] == "die"]
    killed = any(each["Action"] == "oom" for each in events)
    return {"ExitCode": int(codes[-1]) if codes else None, "OOMKilled": killed}


def tail(container: Container, lines: int = TAIL) -> str:
    """The last lines that it wrote; nothing where it is gone."""
    try:
        return container.logs(tail=lines).decode(errors="replace").strip()
    except (APIError, NotFound):
        return ""


def listening(container: Container) -> frozenset[Listener] | None:
    """The ports that something in it listens on; None where it has no `cat`, or ended meanwhile."""
    _, text = execute(container, TABLES)
    return listeners(text.splitlines()) if "local_address" in text else None
