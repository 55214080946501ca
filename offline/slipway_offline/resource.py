"""What a plugin's resource types are made of: `Resource` with its operations, and how an operation fails."""

# What a base class does by default needs few of its arguments.
# ruff: noqa: ARG002
from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from .properties import Change, Problem, Schema, completed, differences
from .values import UNKNOWN

Values = dict[str, Any]


class OperationError(Exception):
    """The operation did not happen. The engine drops it, where any other exception leaves it pending in the state."""


class InitError(Exception):
    """The resource exists but is not well: it is kept in the state with `outputs`, and the run fails."""

    def __init__(self, reason: str, resource_id: str, outputs: Values) -> None:
        super().__init__(reason)
        self.resource_id, self.outputs = resource_id, outputs


@dataclass(frozen=True)
class Call:
    """What an operation may know about itself beyond the inputs.

    `timeout` is the customTimeouts option in seconds, None where the program sets none. `cancelled` is set when the
    user interrupts the run: whatever waits should then give up. `log` shows a line, `status` one that only stays until
    the next.
    """

    urn: str
    cancelled: threading.Event
    log: Callable[[str], None]
    status: Callable[[str], None]
    timeout: float | None = None


class Resource:
    """One resource type: what its inputs may be, what it gives out, and its operations over plain dicts.

    Keys of inputs and outputs are camelCase; `__`-prefixed ones are this side's own notes, which the engine keeps in
    the state without showing them. A failure is an `OperationError`, or an `InitError` when the thing was made all
    the same; any other exception tells the engine that nobody knows how the resource was left.
    """

    token: ClassVar[str]                # such as "docker:index/volume:Volume"
    properties: ClassVar[Schema] = {}   # the inputs
    outputs: Sequence[str] = ()         # what is given out besides the inputs
    delete_first: bool = False          # the order of a replacement, unless the program says otherwise
    autoname: bool = False              # it gets a name `<logical>-<7 hex>` when the program gives none

    def check(self, inputs: Values) -> list[Problem]:
        """Completes `inputs` in place; tells what is wrong with them beyond what the properties say."""
        return []

    def create(self, call: Call, inputs: Values) -> tuple[str, Values]:
        """Makes the resource: (id, outputs)."""
        raise NotImplementedError

    def read(self, call: Call, resource_id: str, state: Values, inputs: Values) -> tuple[Values, Values] | None:
        """The outputs and inputs as they really are, None when the thing is gone. For an import both come empty."""
        return state, inputs

    def update(self, call: Call, resource_id: str, old: Values, inputs: Values) -> Values:
        """Changes in place from the outputs `old`: the new outputs."""
        return old | inputs

    def delete(self, call: Call, resource_id: str, state: Values) -> None:
        """Removes what may be gone already."""

    def changes(self, old_inputs: Values, state: Values, new: Values) -> list[Change]:
        """What differs: between inputs, so that an output which reads differently from its input is no difference."""
        return differences(self.properties, old_inputs, new)

    def planned(self, inputs: Values) -> Values:
        """The outputs that a preview of `create` can promise."""
        chosen = [key for key, wanted in self.properties.items() if wanted.computed]
        return dict.fromkeys([*self.outputs, *chosen], UNKNOWN) | completed(self.properties, inputs)

    def planned_update(self, old: Values, inputs: Values) -> Values:
        """The outputs that a preview of `update` can promise."""
        return old | completed(self.properties, inputs)


def given(mapping: Mapping[str, Any]) -> Values:
    """`mapping` without the keys that say nothing."""
    return {key: value for key, value in mapping.items() if value not in (None, [], {})}
