"""releases: those that can be rolled back to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import click

from slipway.cli import screen
from slipway.cli.errors import Code
from slipway.cli.pulumi import State
from slipway.cli.target import Target, command
from slipway.core import records
from slipway.core.resource_types import RELEASE


@dataclass(frozen=True)
class History:
    """The releases that are recorded in a stack's state, the newest first, and the number of the one that serves; empty
    before the first one."""

    records: tuple[records.Record, ...] = ()
    serving: str = ""

    @classmethod
    def of(cls, state: State) -> History:
        outputs = next((each.get("outputs") or {} for each in state.of_type(RELEASE)), {})
        written = outputs.get("records") or ()
        return cls(tuple(records.Record.of(each) for each in written), str(outputs.get("serving") or ""))


@click.command()
@command
def releases(target: Target) -> int:
    """List the releases that can be rolled back to, the newest first."""
    history, pinned = History.of(target.state()), target.project.pinned
    rows = [row(each, history.serving, pinned) for each in history.records]
    if target.json:
        screen.as_json(rows)
        return Code.OK
    screen.table(
        ("RELEASE", "TIME (UTC)", "REVISION", "IMAGES", ""),
        [
            (
                each["release"],
                each["time"][:19].replace("T", " "),
                each["revision"],
                ", ".join(f"{service} {image}" for service, image in each["images"].items()),
                ", ".join(word for word in ("serving", "pinned") if each[word]),
            )
            for each in rows
        ],
    )
    return Code.OK


def row(record: records.Record, serving: str, pinned: str) -> dict[str, Any]:
    """What is shown of one release."""
    return {
        "release": record.release,
        "time": record.time,
        "revision": record.revision,
        "images": {service: records.short(image) for service, image in record.images.items()},
        "serving": record.release == serving,
        "pinned": record.release == pinned,
    }
