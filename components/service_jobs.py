"""The one-shot commands of a service: its migration, once per release, and its seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from components.context import Context
from components.databases import Databases
from components.networks import Networks
from components.secrets import Secrets
from components.service_files import ServiceFiles, ServiceFilesArgs
from slipway.core import container_paths, scratch
from slipway.core.postgres import migration_options
from slipway.providers.job import Job
from slipway.site.site import Service
from slipway.site.workload import Mount

FIXED = {"PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1", "HOME": container_paths.TMP}
"""Variables of every command."""


@dataclass(frozen=True, kw_only=True)
class ServiceJobsArgs:
    """`user` runs the commands, `uid` may read their files; `files` are the running service's own, `volumes` its data
    volumes, `source` a folder of the host to mount."""

    context: Context
    service: Service
    image: pulumi.Input[str]
    uid: int
    user: str
    networks: Networks
    secrets: Secrets
    databases: Databases | None
    files: ServiceFiles
    volumes: Sequence[Mount]
    source: str | None


class ServiceJobs(pulumi.ComponentResource):
    """Owns the jobs; the service's containers depend on them, so none starts before they succeeded.

    The migration logs in as the owner of the database; the seed as the service itself, once in the life of its data.
    Both run again on a new database.
    While the stack is pinned to an older release neither runs: the schema is never moved back.
    """

    def __init__(self, name: str, args: ServiceJobsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("slipway:components:ServiceJobs", name, None, opts)
        self.args = args
        service, jobs = args.service, list[Job]()
        if service.migrate:
            owner = ServiceFiles(
                f"{name}-migrate-files",
                ServiceFilesArgs(
                    context=args.context,
                    service=service,
                    secrets=args.secrets,
                    databases=args.databases,
                    duty="owner",
                    uid=args.uid,
                    image=args.image,
                    entrypoint=args.files.entrypoint,
                ),
                pulumi.ResourceOptions(parent=self),
            )
            options = {"PGOPTIONS": migration_options(args.context.site.migrations)} if service.database else {}
            own = options.keys() & service.env.keys()
            jobs.append(self._job("migrate", service.migrate, owner, env={} if own else options, after=[]))
        if service.seed and args.context.site.profile.seed:
            self._job("seed", service.seed, args.files, after=jobs, once=True)
        self.register_outputs({})

    def _job(
        self,
        what: str,
        command: Sequence[str],
        files: ServiceFiles,
        *,
        after: Sequence[Job],
        env: Mapping[str, str] | None = None,
        once: bool = False,
    ) -> Job:
        args = self.args
        context, service = args.context, args.service
        mounts: list[dict[str, pulumi.Input[Any]]] = [
            {"source": files.volume, "target": container_paths.SECRETS, "read_only": True},
            *({"source": volume.volume, "target": volume.target} for volume in args.volumes),
        ]
        if args.source:
            mounts.append({"source": args.source, "target": container_paths.SOURCE})
        return Job(
            context.name(service.name, what),
            engine=context.engine,
            container=context.name(service.name, what),
            image=args.image,
            command=files.wrapped(list(command)),
            env=files.plain | FIXED | dict(env or {}),
            networks=args.networks.names_of(service.name),
            mounts=mounts,
            user=args.user,
            memory=service.memory,
            timeout=context.site.migrations.timeout,
            once=once,
            triggers={"cluster": args.databases.cluster} if args.databases and on_server(service) else {},
            labels=context.labels(service.name),
            hardened=context.site.profile.hardened,
            spool=scratch.spools(service),
            suspended=context.site.pin is not None,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[*after]),
        )


def on_server(service: Service) -> bool:
    """Whether its database is on the stack's own server."""
    return service.owns_database or service.shares_database
