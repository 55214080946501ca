"""Names and labels of what Slipway makes on the engine.

The docker plugin replaces what carries other labels than before, so they are constant for ever.
"""

from __future__ import annotations

PROJECT_LABEL = "slipway.project"
STACK_LABEL = "slipway.stack"
SERVICE_LABEL = "slipway.service"
HELPER_LABEL = "slipway.helper"
"""On every container that a run makes for itself; its value says what for."""
JOB = "job"
"""The value for a migration, a seed: what must neither be cut off nor run twice."""

LONGEST_PREFIX = 32
"""A container's name is a DNS label (63 characters): prefix, service (20), replica and Pulumi's 8 characters fit."""


def prefix(project: str, stack: str) -> str:
    """What every resource's name starts with."""
    return f"{project}-{stack}-"


def labels(project: str, stack: str, service: str | None = None) -> dict[str, str]:
    """The constant labels, by which `down`, tests and clean-up find what belongs to a stack."""
    constant = {PROJECT_LABEL: project, STACK_LABEL: stack}
    return constant if service is None else {**constant, SERVICE_LABEL: service}


def data_volume(project: str, stack: str, service: str, volume: str) -> str:
    """The explicit name of a data volume: the next `up` finds the data by it, also without any state."""
    return f"{prefix(project, stack)}{service}-{volume}"
