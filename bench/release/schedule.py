"""The load: which request is sent when, settled beforehand and never by how fast earlier ones were answered.

Each second brings SHORT short requests, evenly spaced, three GETs for two POSTs; one slow request of 5 to 20 s; one
streamed answer, every third of them longer than the site's drain time; and every fifth second an upload of 8 MiB. Half
of each kind goes over kept connections, the other half over new ones.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

SHORT = 100
"""Short requests in a second."""
SLOWEST, FASTEST = 20.0, 5.0
"""Seconds that slow requests take."""
STREAM, LONG_STREAM = 3.0, 27.0
"""Seconds that a streamed answer takes, and every LONG-th of them: at any moment one has more than 24 s to go."""
LONG = 3
UPLOADS = 5
"""Seconds between two uploads."""
UPLOAD_BYTES = 8 * 1024 * 1024
GOLDEN = 0.618034
"""Multiples of it, without their whole part, are spread evenly."""


class Kind(StrEnum):
    """What is asked for."""

    GET = "get"
    POST = "post"
    SLOW = "slow"
    STREAM = "stream"
    UPLOAD = "upload"

    @property
    def stored(self) -> bool:
        """Whether the site writes it into its table."""
        return self in {Kind.POST, Kind.UPLOAD}


@dataclass(frozen=True)
class Planned:
    """One request. `at`: seconds from the start; `kept`: over a connection that is used again; `seconds`: how long the
    answer takes, 0 for as short as may be."""

    id: str
    at: float
    kind: Kind
    kept: bool
    seconds: float = 0.0


def schedule(short: int = SHORT) -> Iterator[Planned]:
    """The requests in the order of their times, without an end. Ids are unique within one schedule."""
    for second in itertools.count():
        yield from sorted(_second(second, short), key=lambda planned: planned.at)


def _second(second: int, short: int) -> Iterator[Planned]:
    for number in range(short):
        kind = Kind.GET if number % 5 < 3 else Kind.POST
        yield Planned(f"{second}-{number}", second + number / short, kind, kept=number % 2 == 0)
    slow = round(FASTEST + (SLOWEST - FASTEST) * (second * GOLDEN % 1), 1)
    yield Planned(f"{second}-slow", second + 0.505, Kind.SLOW, kept=second % 2 == 0, seconds=slow)
    long = second % LONG == 0
    kept = (second // LONG if long else second) % 2 == 0
    stream = LONG_STREAM if long else STREAM
    yield Planned(f"{second}-stream", second + 0.255, Kind.STREAM, kept=kept, seconds=stream)
    if second % UPLOADS == 0:
        yield Planned(f"{second}-upload", second + 0.755, Kind.UPLOAD, kept=second // UPLOADS % 2 == 0)
