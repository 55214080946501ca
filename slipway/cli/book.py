"""The releases that are recorded in a stack's state."""

from __future__ import annotations

from dataclasses import dataclass

from slipway.cli.pulumi import State
from slipway.core import records
from slipway.core.resource_types import RELEASE


@dataclass(frozen=True)
class Book:
    """The records, newest first, and the number of the release that serves; empty before the first one."""

    records: tuple[records.Record, ...] = ()
    serving: str = ""

    @classmethod
    def of(cls, state: State) -> Book:
        outputs = next((each.get("outputs") or {} for each in state.of_type(RELEASE)), {})
        written = outputs.get("records") or ()
        return cls(tuple(records.Record.of(each) for each in written), str(outputs.get("serving") or ""))
