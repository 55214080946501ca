"""The commands of a service that run by the clock."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pulumi
import pulumi_docker as docker

from components import hardening
from components.context import Context, container_labels
from components.flask_service import SCRATCH, FlaskService
from components.networks import Networks
from components.service_files import SCHEDULE
from components.trial import tried
from slipway.core import container_paths, processes
from slipway.core.timeouts import ladder

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

    container: docker.Container

    def __init__(self, name: str, args: ScheduleArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("slipway:components:Schedule", name, None, opts)
        context, owner, service = args.context, args.service, args.service.service
        jobs = {job: (each.cron, each.command) for job, each in sorted(service.schedule.items())}
        grace = ladder(context.site.drain).stop
        described = dict(
            image=owner.args.image,
            networks_advanced=[
                docker.ContainerNetworksAdvancedArgs(name=network) for network in args.networks.names_of(service.name)
            ],
            volumes=owner.mounts,
            **hardening.container(
                context.site.profile, memory=service.memory, cpus=service.cpus, user=owner.user, tmpfs=SCRATCH
            ),
        )
        label, child = f"{service.name}-schedule", pulumi.ResourceOptions(parent=self)
        trial = tried(context, name, label, described, check=["true"], opts=child)
        self.container = docker.Container(
            name,
            entrypoints=[],
            command=owner.files.wrapped([*PROGRAM, json.dumps(jobs)]),
            envs=owner.environment,
            labels=container_labels(context.labels(label)),
            healthcheck=hardening.healthcheck(["CMD", *PROGRAM, "--check"]),
            init=True,  # whatever a command leaves behind is ours to bury
            stop_signal="SIGTERM",
            stop_timeout=grace,
            destroy_grace_seconds=grace,
            **described,
            opts=hardening.replacement(delete_first=True, parent=self, depends_on=[args.release, trial]),
        )
        hardening.limit_pids(context, name, self.container, processes.of_service(service), opts=child)
        self.register_outputs({"container": self.container.name})
