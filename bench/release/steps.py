"""What a run does one after the other, and what is written down of each step."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class What(StrEnum):
    """A new version that is good, a way back to an earlier one, a new version that must be refused."""

    RELEASE = "release"
    ROLLBACK = "rollback"
    BROKEN = "broken"


def plan(releases: int, rollbacks: int, broken: int) -> list[What]:
    """So many of each, evenly mixed. Begins with a release wherever there is one, to have something to go back from."""
    counts = {What.RELEASE: releases, What.ROLLBACK: rollbacks, What.BROKEN: broken}
    places = [
        ((number + (0 if what is What.RELEASE else 0.5)) / count, order, what)
        for order, (what, count) in enumerate(counts.items())
        for number in range(count)
    ]
    return [what for *_, what in sorted(places)]


@dataclass(kw_only=True)
class Step:
    """One command. Times are seconds since the epoch, None for what did not happen.

    version   that it brings; the one that was refused where it is broken
    started   when the first container of the new release was started
    serving   when the first answer of the new version came in
    drained   when the first old container was told to stop: Pulumi does that when the release has ended
    code      exit code of the command; `case`, `missing`, `reported`: of a broken one, which it is, what its report
              should have said and did not, and what it said
    """

    what: What
    version: str
    start: float
    end: float = 0.0
    started: float | None = None
    serving: float | None = None
    drained: float | None = None
    code: int = 0
    case: str = ""
    missing: list[str] = field(default_factory=list)
    reported: list[str] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        return self.end - self.start

    @property
    def wanted(self) -> bool:
        """Whether the command ended as it must: well, or for a broken version with an error."""
        return (self.code != 0) == (self.what is What.BROKEN)
