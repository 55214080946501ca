"""What a planned change does to the running site, said from the plan that Pulumi's engine made.

A plan is a list of the engine's steps, as its events tell them: the operation, the resource's URN and type, its old and
new state, and which properties differ. Nothing is guessed a second time: what the engine leaves as it is has no impact.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from slipway.core import kinds, rotation
from slipway.core.naming import SERVICE_LABEL
from slipway.core.resource_types import CONTAINER, JOB, PASSWORD, RELEASE, VOLUME

RECORDS = ("pulumi:", "slipway:components:")
"""Types of what is only in the state: Pulumi's plugins, the stack, components."""

SWITCHED = frozenset({"containers", "edge", "upstreams", "routes", "pages"})
"""The inputs of a release whose change makes nginx reload."""
REPLACES = frozenset({"replace", "create-replacement", "delete-replaced"})


Step = Mapping[str, Any]


class Level(IntEnum):
    """How much it matters; what is worse is greater."""

    NONE = 0
    RELOAD = 1
    RELEASE = 2
    END = 3
    RESTART = 4
    DATA = 5


@dataclass(frozen=True, kw_only=True)
class Change:
    """One resource that does not stay as it is.

    `operation` is create, update, replace or delete; `fields` are the inputs that differ; `delete_first` says of a
    replacement that the old one goes before the new one comes; `kept`, that Pulumi leaves the thing on the engine;
    `inputs` are the old ones, of something new its own.
    """

    operation: str
    urn: str
    kind: str
    fields: frozenset[str] = frozenset()
    delete_first: bool = False
    kept: bool = False
    inputs: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The resource's logical name."""
        return self.urn.rpartition("::")[2]


@dataclass(frozen=True, order=True)
class Impact:
    """What one change does, and in words."""

    level: Level
    text: str


NOTHING = Impact(Level.NONE, "none")
RELOAD = Impact(Level.RELOAD, "reload of nginx")


def changes(plan: Sequence[Step]) -> list[Change]:
    """The changes of a plan, in its order, one for each resource."""
    found: dict[str, list[Step]] = {}
    for step in plan:
        if step["op"] in {"create", "update", "delete"} | REPLACES and not step["type"].startswith(RECORDS):
            found.setdefault(step["urn"], []).append(step)
    return [_change(steps) for steps in found.values()]


def impacts(plan: Sequence[Step]) -> list[tuple[Change, Impact]]:
    """Every change of a plan with what it does."""
    staying = {
        service(step["new"].get("inputs") or {}, step["urn"])
        for step in plan
        if step["type"] == CONTAINER and step.get("new") and step["op"] != "refresh"
    }
    drawn = [
        str(step["urn"]).rpartition("::")[2]
        for step in plan
        if step["type"] == PASSWORD and step["op"] not in {"delete", "refresh"}
    ]
    return [(change, impact(change, staying, drawn)) for change in changes(plan)]


def impact(change: Change, staying: Collection[str] = (), drawn: Collection[str] = ()) -> Impact:
    """What one change does. `staying` are the services that have a container afterwards, `drawn` the names of the
    generated secrets that are there afterwards."""
    if change.kind == VOLUME:
        return _of_volume(change)
    if change.kind == PASSWORD:
        return _of_password(change, drawn)
    if change.kind == CONTAINER:
        return _of_container(change, staying)
    if change.kind == RELEASE and change.operation != "delete":
        return RELOAD if change.operation != "update" or change.fields & SWITCHED else NOTHING
    if change.kind == JOB and change.fields == {"triggers"}:
        return Impact(Level.NONE, f"none; {change.name} runs before the switch if the database is another one")
    if change.kind == JOB and change.operation != "delete":
        return Impact(Level.NONE, f"none; {change.name} runs before the switch")
    return NOTHING


def service(inputs: Mapping[str, Any], name: str) -> str:
    """What a container belongs to, by its label; else its name."""
    labels = inputs.get("labels") or ()
    found = (each["value"] for each in labels if isinstance(each, Mapping) and each.get("label") == SERVICE_LABEL)
    return str(next(found, name))


def _of_container(change: Change, staying: Collection[str]) -> Impact:
    owner = service(change.inputs, change.name)
    kind = kinds.made_by(change.urn)
    shown = kind.shown or owner
    if not kind.visitors:
        return NOTHING
    if change.operation == "create":
        return NOTHING if kind.alone else Impact(Level.RELEASE, f"new release of {shown} (no gap)")
    if change.operation == "update":  # the docker plugin does it in place: memory, for example
        return Impact(Level.RELEASE, f"start of {shown}, which was stopped") if "mustRun" in change.fields else NOTHING
    if change.operation == "delete":
        return NOTHING if owner in staying else Impact(Level.END, f"end of {shown}")
    if change.delete_first or kind.alone:
        return Impact(Level.RESTART, f"restart of {shown}, about {kind.gap} s")
    return Impact(Level.RELEASE, f"new release of {shown} (no gap)")


def data_volume(logical: str, inputs: Mapping[str, Any]) -> str:
    """The name of a volume that holds data; "" for one that each run writes anew.

    What holds data has a name of its own. Once made, those that Pulumi names have one as well: the logical name with
    seven hexadecimal digits behind it.
    """
    volume = str(inputs.get("name") or "")
    return "" if re.fullmatch(f"{re.escape(logical)}-[0-9a-f]{{7}}", volume) else volume


def _of_volume(change: Change) -> Impact:
    volume = data_volume(change.name, change.inputs)
    if change.operation not in {"replace", "delete"} or not volume:
        return NOTHING
    if change.kept and (left := kinds.labelled(service(change.inputs, change.name)).left):
        return Impact(Level.NONE, f"none; {volume} {left}")
    if change.kept:
        return Impact(Level.DATA, f"data at risk: the site loses the volume {volume}, which stays on the engine")
    return Impact(Level.DATA, f"data at risk: the volume {volume} is deleted")


def _of_password(change: Change, drawn: Collection[str]) -> Impact:
    """A value that was drawn once cannot be drawn again; where a later generation took its place, it need not be."""
    if change.operation not in {"replace", "delete"}:
        return NOTHING
    secret, generation = rotation.drawn_as(change.name)
    if change.operation == "delete" and any(
        secret == other and generation < later for other, later in map(rotation.drawn_as, drawn)
    ):
        return Impact(Level.NONE, f"none; {change.name} was rotated")
    done = "gets another value" if change.operation == "replace" else "is forgotten"
    return Impact(Level.DATA, f"data at risk: the generated secret {change.name} {done}")


def _change(steps: Sequence[Step]) -> Change:
    """From all the steps of one resource: a replacement has up to three."""
    first, operations = steps[0], [step["op"] for step in steps]
    order = [operation for operation in operations if operation in {"create-replacement", "delete-replaced"}]
    old: Step = next((step["old"] for step in steps if step.get("old")), {})
    new: Step = next((step["new"] for step in steps if step.get("new")), {})
    fields = {
        str(field).partition(".")[0].partition("[")[0]
        for step in steps
        for key in ("diffs", "keys", "detailedDiff")
        for field in step.get(key) or ()
    }
    before, after = old.get("inputs") or {}, new.get("inputs") or {}
    if not fields and old and new:  # of dynamic resources the engine is only told that something differs
        fields = {name for name in {*before, *after} if before.get(name) != after.get(name)}
    return Change(
        operation="replace" if REPLACES & set(operations) else operations[0],
        urn=str(first["urn"]),
        kind=str(first["type"]),
        fields=frozenset(fields),
        delete_first=order[:1] == ["delete-replaced"],
        kept=bool(old.get("retainOnDelete")),
        inputs=before or after,
    )
