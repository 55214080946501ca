"""Health checks that the engine gave up are known by what it tells of a container."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from slipway.core.health import overdue

STARTED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SECOND = 10**9


def container(
    *ends: int, running: bool = True, test: tuple[str, ...] = ("CMD", "true"), **check: Any
) -> dict[str, Any]:
    """One that was started at STARTED and whose checks ended so many seconds later; times as the engine writes them."""
    log = [{"End": f"{(STARTED + timedelta(seconds=end)).isoformat()}"} for end in ends]
    health = {"Health": {"Status": "starting", "Log": log}} if test else {}
    state = {"Running": running, "StartedAt": "2026-01-02T03:04:05.123456789Z", **health}
    return {"State": state, "Config": {"Healthcheck": {"Test": list(test), **check} if test else None}}


EVERY_FIVE: dict[str, Any] = {"Interval": 5 * SECOND, "Timeout": 3 * SECOND}


@pytest.mark.parametrize(
    ("seen", "seconds", "late"),
    [
        (container(**EVERY_FIVE), 9, False),
        (container(**EVERY_FIVE), 11, True),
        (container(5, 10, **EVERY_FIVE), 19, False),
        (container(5, 10, **EVERY_FIVE), 21, True),
        (container(5, 10, running=False, **EVERY_FIVE), 21, False),
        (container(), 61, False),
        (container(), 63, True),
        (container(test=("NONE",), **EVERY_FIVE), 600, False),
        (container(test=()), 600, False),
    ],
)
def test_a_check_is_overdue_when_the_next_one_should_have_ended(seen: dict[str, Any], seconds: int, late: bool) -> None:
    assert overdue(seen, STARTED + timedelta(seconds=seconds)) is late
