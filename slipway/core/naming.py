"""Names and labels of what Slipway makes on the engine.

Labels of networks and volumes force a replacement, so those of `labels()` are constant for ever; what changes with a
release is only on the containers of services.
"""

from __future__ import annotations

PROJECT_LABEL = "slipway.project"
STACK_LABEL = "slipway.stack"
SERVICE_LABEL = "slipway.service"
RELEASE_LABEL = "slipway.release"

LONGEST_PREFIX = 32
"""A container's name is a DNS label (63 characters): prefix, service (20), replica and Pulumi's 8 characters fit."""


def prefix(project: str, stack: str) -> str:
    """What every resource's name starts with."""
    return f"{project}-{stack}-"


def labels(project: str, stack: str, service: str | None = None) -> dict[str, str]:
    """The constant labels, by which `down`, tests and clean-up find what belongs to a stack."""
    constant = {PROJECT_LABEL: project, STACK_LABEL: stack}
    return constant if service is None else {**constant, SERVICE_LABEL: service}


def release_labels(project: str, stack: str, service: str, release: str) -> dict[str, str]:
    """The labels of a service's container; `release` is that service's own content hash."""
    return {**labels(project, stack, service), RELEASE_LABEL: release}


def data_volume(project: str, stack: str, service: str, volume: str) -> str:
    """The explicit name of a data volume: the next `up` finds the data by it, also without any state."""
    return f"{prefix(project, stack)}{service}-{volume}"
