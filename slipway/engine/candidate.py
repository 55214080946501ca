"""One container of a release on its way to be let in, as the engine and nginx see it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from docker.errors import NotFound
from docker.models.containers import Container

from slipway.core.diagnosis import ENDED, diagnose, last_probe, refused, refuses
from slipway.core.health import overdue
from slipway.engine.containers import indented
from slipway.engine.errors import Failure
from slipway.engine.evidence import collect
from slipway.engine.progress import say

SETTLING = 3
"""Seconds that a new container must have been well before it gets requests: some die at their first work. One without
a health check must have run as long."""

REFUSING = 5
"""Seconds for which it must have refused what is asked through nginx before it is given up."""


@dataclass
class Candidate:
    """A container of the release. `mine` is how it is described in slipway.providers.release.Release.

    new       it was not part of the release before
    expected  restarts that it had when it was looked at first
    status    the last answer through nginx, None before it is asked; `answered` whether it was a good one;
              `refused_since` when the first of an unbroken row of refusals came
    """

    mine: Mapping[str, Any]
    container: Container
    new: bool
    expected: int = 0
    since: float = 0
    was_well: bool = False
    status: int | None = None
    answered: bool = False
    well_since: float | None = None
    refused_since: float | None = None

    @property
    def name(self) -> str:
        return str(self.mine["name"])

    @property
    def behind_nginx(self) -> bool:
        return bool(self.mine["upstream"])

    def look(self) -> bool:
        """Asks the engine; whether the container is well. Afterwards `hopeless` is current too."""
        try:
            self.container.reload()
        except NotFound:
            raise Failure(f"{self.mine['service']}: somebody removed the container {self.name}") from None
        state = self.container.attrs["State"]
        health = (state.get("Health") or {}).get("Status")
        if health in {None, "none"}:
            settled = not self.new or time.monotonic() - self.since >= SETTLING
            health = "healthy" if settled else "starting"
        if self.hopeless or not state["Running"] or health != "healthy":
            self.well_since = None
            return False
        self.well_since = self.well_since or time.monotonic()
        self.was_well = True
        return True

    def resume_health_checks(self, now: datetime) -> None:
        """Has the engine check the health again, if it has given that up: it does so when a pause ends. A run that was
        killed may have left the pause."""
        if self.container.status != "paused" and overdue(self.container.attrs, now):
            say(f"release: the engine does not check the health of {self.name} any more; it is told to")
            self.container.pause()
            self.container.reload()
        if self.container.status == "paused":
            self.container.unpause()
            self.container.reload()

    @property
    def restarts(self) -> int:
        return max(0, int(self.container.attrs["RestartCount"]) - self.expected)

    @property
    def hopeless(self) -> bool:
        """Whether it cannot get well any more by itself: it ended, keeps ending, was well and is no longer, or refuses
        what it is asked. One that was never well and gives no such answer may still be starting, however long."""
        state = self.container.attrs["State"]
        health = state.get("Health") or {}
        # A pause makes it unhealthy as well, without a failed check, until the next one.
        unhealthy = health.get("Status") == "unhealthy" and bool(health["FailingStreak"])
        if state["Status"] in ENDED or state["Status"] == "restarting" or self.restarts:
            return True
        return (unhealthy and self.was_well) or bool(refused(state)) or self._refuses()

    def heard(self, status: int, *, good: bool) -> None:
        """Takes note of an answer through nginx."""
        self.status, self.answered = status, good
        self.refused_since = (self.refused_since or time.monotonic()) if refuses(status) else None

    def _refuses(self) -> bool:
        return self.refused_since is not None and time.monotonic() - self.refused_since >= REFUSING

    def steady(self) -> bool:
        """Whether it has been well for long enough."""
        return self.well_since is not None and time.monotonic() - self.well_since >= SETTLING

    def ready(self) -> bool:
        """Whether it is well and, where nginx will send requests to it, gave a good answer."""
        return self.well_since is not None and (self.answered or not self.behind_nginx)

    def why_not_yet(self) -> str:
        state = self.container.attrs["State"]
        if self.well_since is None:
            said = last_probe(state)
            status = (state.get("Health") or {}).get("Status") or state["Status"]
            return f"{self.name} is {status}" + (f", its health check says: {said}" if said else "")
        if not self.ready():
            answer = {None: "was not asked yet", 0: "does not answer"}.get(self.status, f"gives status {self.status}")
            return f"{self.name} is healthy, {self.mine['ready']} through nginx {answer}"
        return f"{self.name} is ready, and has to stay so"

    def problem(self, waited: float) -> str:
        """The report of what is wrong with it."""
        seen = collect(
            self.container,
            restarts=self.restarts,
            port=int(self.mine["port"]),
            path=self.mine["ready"],
            status=self.status,
            waited=waited,
            was_well=self.was_well,
        )
        found = diagnose(seen)
        hint = f"\n  What to do: {found.hint}" if found.hint else ""
        wrote = f"\n  Its last lines:\n{indented(seen.log)}"
        return f"{self.mine['service']}: {self.name} {found.what}.{hint}{wrote}"

    def addresses(self) -> set[str]:
        """Where nginx may have found it."""
        networks = self.container.attrs["NetworkSettings"]["Networks"].values()
        return {f"{each['IPAddress']}:{int(self.mine['port'])}" for each in networks if each["IPAddress"]}
