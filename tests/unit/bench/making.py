"""Records and steps with everything that a test does not care about filled in."""

from __future__ import annotations

from typing import Any

from bench.release.records import Record
from bench.release.schedule import Kind
from bench.release.steps import Step, What


def record(identity: str = "1", kind: Kind = Kind.GET, at: float = 0.0, took: float = 0.01, **others: Any) -> Record:
    given: dict[str, Any] = {"kept": True, "status": 200, "start": at, **others}
    return Record(id=identity, kind=kind, planned=at, end=at + took, **given)


def stored(identity: str, **others: Any) -> Record:
    return record(identity, Kind.POST, **{"status": 201, "sha256": "abc", **others})


def step(what: What = What.RELEASE, **others: Any) -> Step:
    return Step(**{"what": what, "version": "v1", "start": 100.0, "end": 120.0, "serving": 110.0, **others})
