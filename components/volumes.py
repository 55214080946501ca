"""Volumes: how they are labelled, and those that hold data."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
import pulumi_docker as docker

from components.context import Context
from slipway.core import naming

PROVIDED = ["labels", "driverOpts"]
"""Inputs that are for a new volume only: the docker plugin would replace an existing one for other labels."""


def volume_labels(labels: Mapping[str, str]) -> list[docker.VolumeLabelArgs]:
    return [docker.VolumeLabelArgs(label=label, value=value) for label, value in labels.items()]


def data_volume(context: Context, service: str, volume: str, *, parent: pulumi.Resource) -> docker.Volume:
    """A volume whose content nobody can write anew. It has an explicit name, by which the next `up` finds it also where
    the state was lost, and where the profile keeps data `destroy` leaves it on the engine.

    It is not protected: with `protect`, `pulumi destroy` would remove the containers and then fail. Whatever uses it
    must know it by naming.data_volume(): what takes an output of a delete-first resource is deleted first with it.
    """
    return docker.Volume(
        context.name(service, volume),
        name=naming.data_volume(context.site.project, context.site.stack, service, volume),
        labels=volume_labels(context.labels(service)),
        opts=pulumi.ResourceOptions(
            parent=parent,
            retain_on_delete=context.site.profile.keep_data,
            delete_before_replace=True,
            ignore_changes=PROVIDED,
        ),
    )
