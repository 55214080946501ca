"""The commands of a service that run by the clock."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

import pulumi

from components.context import Context
from components.flask_service import FlaskService
from components.networks import Networks
from components.service_files import SCHEDULE
from components.workload import run
from slipway.core import container_paths
from slipway.site.workload import Health, Replacement

PROGRAM = ["python", f"{container_paths.SECRETS}/{SCHEDULE}"]


@dataclass(frozen=True, kw_only=True)
class ScheduleArgs:
    """`release` is what must have succeeded before the commands of new code may run."""

    context: Context
    service: FlaskService
    networks: Networks
    release: pulumi.Resource


class Schedule(pulumi.ComponentResource):
    """Owns one container of the service's image that starts its scheduled commands, with the service's own variables,
    secrets, volumes, networks and limits. Their output is the container's log.

    Replaced delete-first, after the release: two versions would run each command twice. A minute that falls into the
    change is left out.
    """

    def __init__(self, name: str, args: ScheduleArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("slipway:components:Schedule", name, None, opts)
        context, owner, service = args.context, args.service, args.service.service
        jobs = {job: (each.cron, each.command) for job, each in sorted(service.schedule.items())}
        described = replace(
            owner.workload,
            service=f"{service.name}-schedule",
            replicas=1,
            entrypoint=[],
            command=owner.files.wrapped([*PROGRAM, json.dumps(jobs)]),
            networks=dict.fromkeys(owner.workload.networks),  # others find the service by its names, and not this
            ports=(),
            health=Health(command=[*PROGRAM, "--check"]),
            init=True,  # whatever a command leaves behind is ours to bury
            replaced=Replacement(delete_first=True, check=["true"]),
        )
        running = run(context, args.networks, name, described, parent=self, started_after=[args.release])
        self.register_outputs({"container": running.container.name})
