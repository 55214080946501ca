"""What the client writes down of each request, one line each."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.release.schedule import Kind


@dataclass(frozen=True, kw_only=True)
class Record:
    """One request. Times are seconds since the epoch: `planned` is when it was due, `start` when it was sent.

    status   of the answer; 0 when there was none
    version  of the site that answered, as the answer tells it
    error    "" or what was wrong with the answer, or why there was none
    sha256   of what was sent, where that is stored
    """

    id: str
    kind: Kind
    kept: bool
    planned: float
    start: float
    end: float
    status: int
    version: str = ""
    error: str = ""
    sha256: str = ""

    @property
    def failed(self) -> bool:
        return bool(self.error) or not 200 <= self.status < 300

    @property
    def seconds(self) -> float:
        """From the moment it was due: a client that is late itself must not make the site look faster."""
        return self.end - self.planned

    def line(self) -> str:
        return json.dumps(asdict(self)) + "\n"


def read(file: Path) -> list[Record]:
    """All records of a log."""
    with file.open() as lines:
        return list(parsed(lines))


def parsed(lines: Iterable[str]) -> Iterator[Record]:
    """The records of whole lines; one that is being written is left out."""
    for line in lines:
        if line.endswith("\n"):
            fields = json.loads(line)
            yield Record(**{**fields, "kind": Kind(fields["kind"])})
