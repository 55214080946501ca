"""Whether the engine still runs a container's health check."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

LATE = timedelta(seconds=2)
"""How late a check may be on a busy machine."""
DEFAULT = 30 * 10**9
"""Nanoseconds: interval and timeout of a check that does not say."""


def overdue(container: Mapping[str, Any], now: datetime) -> bool:
    """Whether the next check should have ended before `now` (the engine's own time) and did not. `container` is what
    the engine tells when it is inspected.

    dockerd before version 23 gives up the health checks of containers that went on while it was away (live-restore,
    moby#41871): such a container keeps the health that it had, `starting` for ever, until it is paused or restarted.
    """
    state, check = container["State"], container["Config"].get("Healthcheck") or {}
    if not state["Running"] or not state.get("Health") or check.get("Test") == ["NONE"]:
        return False
    moments = [state["StartedAt"], *(each["End"] for each in state["Health"].get("Log") or ())]
    last = max(datetime.fromisoformat(moment) for moment in moments)
    allowed = (check.get("Interval") or DEFAULT) + (check.get("Timeout") or DEFAULT)
    return now - last > timedelta(microseconds=allowed / 1000) + LATE
