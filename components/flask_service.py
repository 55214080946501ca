"""One service of the site: its containers, data volumes, secrets and one-shot jobs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from components.context import Context
from components.databases import Databases
from components.entrypoint import entrypoint
from components.networks import Networks
from components.secrets import Secrets
from components.service_files import ENTRY, ServiceFiles, ServiceFilesArgs
from components.service_jobs import ServiceJobs, ServiceJobsArgs
from components.volumes import data_volume
from components.workload import Running, run
from slipway.core import container_paths, gunicorn, naming, probes, processes, scratch
from slipway.core.timeouts import ladder
from slipway.core.topology import EDGE
from slipway.nginx import forwarding
from slipway.providers.files import OwnedVolume
from slipway.site.site import Service, Strategy
from slipway.site.workload import Health, Limits, Mount, Port, Replacement, Stop, Workload


@dataclass(frozen=True, kw_only=True)
class FlaskServiceArgs:
    """`image` is an image id; `databases` None where the site has no server of its own; `others` are the services that
    stand before this one."""

    context: Context
    service: Service
    image: pulumi.Input[str]
    networks: Networks
    secrets: Secrets
    databases: Databases | None
    others: Sequence[FlaskService]


class FlaskService(pulumi.ComponentResource):
    """Owns what one declared service needs at run time. A new version starts beside the old one (automatic names, no
    host port where there is an edge); the release decides when it takes over, and only then is the old one deleted.

    Its data volumes, `owned`, outlive `destroy` where the profile keeps data. The schedule's container is what
    `workload` says with other words to run.
    """

    files: ServiceFiles
    owned: dict[str, OwnedVolume]
    workload: Workload
    running: Running

    def __init__(self, name: str, args: FlaskServiceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("slipway:components:FlaskService", name, None, opts)
        self.args, self.service = args, args.service
        context, service, profile = args.context, args.service, args.context.site.profile
        child = pulumi.ResourceOptions(parent=self)
        owner = context.site.root.stat()
        self.uid = owner.st_uid if profile.bind_mounts else service.user
        # Named with its group: a user that the image does not know would make files of root's group.
        user = f"{owner.st_uid}:{owner.st_gid}" if profile.bind_mounts else str(service.user)
        source = str((context.site.root / service.path).resolve()) if profile.bind_mounts and service.path else None
        ready = args.databases.ready(service) if args.databases and service.database else []
        self.owned = {volume: self._data_volume(volume) for volume in service.volumes}
        others = {each.service.name: each for each in args.others}
        mounted = [(self.owned[volume], path) for volume, path in service.volumes.items()]
        mounted += [(others[owner].owned[volume], path) for (owner, volume), path in service.others_volumes.items()]
        volumes = [Mount(volume=each.volume, target=path) for each, path in mounted]
        files = self.files = ServiceFiles(
            f"{name}-files",
            ServiceFilesArgs(
                context=context,
                service=service,
                secrets=args.secrets,
                databases=args.databases,
                duty="runtime" if context.site.database_owner(service).migrate else "owner",
                uid=self.uid,
                image=args.image,
                entrypoint=entrypoint(context, service, args.image),
            ),
            child,
        )
        jobs = ServiceJobs(
            f"{name}-jobs",
            ServiceJobsArgs(
                context=context,
                service=service,
                image=args.image,
                uid=self.uid,
                user=user,
                networks=args.networks,
                secrets=args.secrets,
                databases=args.databases,
                files=files,
                volumes=volumes,
                source=source,
            ),
            pulumi.ResourceOptions(parent=self, depends_on=ready),
        )
        if args.databases:
            args.databases.migrated_by(service, jobs)
        mounts = [
            *volumes,
            # Of its own: each container has one to itself, and the engine removes it with the container.
            *([Mount(target=container_paths.SPOOL)] if scratch.spools(service) else []),
            Mount(volume=files.volume, target=container_paths.SECRETS, read_only=True),
        ]
        if source:
            mounts.insert(0, Mount(folder=source, target=container_paths.SOURCE))
        spooling = scratch.SPOOLING if scratch.spools(service) else {}
        command = self._command()
        self.workload = Workload(
            service=service.name,
            image=args.image,
            user=user,
            entrypoint=None if command is None else ENTRY,
            command=None if command is None else files.started(command),
            environment=dict(sorted((spooling | files.plain | self._own_variables()).items())),
            networks=args.networks.memberships(service.name),
            ports=self._ports(),
            mounts=mounts,
            tmpfs=scratch.tmp(64),
            limits=Limits(memory=service.memory, cpus=service.cpus, pids=processes.of_service(service)),
            health=self._health(),
            stop=Stop(signal="SIGTERM", grace=ladder(context.site.drain).stop),
            replicas=service.replicas,
            replaced=Replacement(
                delete_first=profile.publish_services or service.strategy is Strategy.RECREATE,
                check=[] if service.image else ["true"],
            ),
        )
        self.running = run(context, args.networks, name, self.workload, parent=self, after=[*ready, jobs])
        self.register_outputs({"names": self.running.names})

    def _command(self) -> pulumi.Input[list[str]] | None:
        """gunicorn on the declared entry point, Flask's server with reload, or the service's own command. None: a
        ready-made image runs what it is made to run; it then has no secret variables."""
        service, site, networks = self.service, self.args.context.site, self.args.networks
        if service.command:
            return list(service.command)
        if not service.app:
            return None
        if site.profile.debug_server:
            return ["flask", "--app", service.app, "--debug", "run", "--host=0.0.0.0", f"--port={service.port}"]
        # Whoever else can reach the service could claim any client address and scheme: only the edge's networks count.
        return networks.subnets(service.name, EDGE).apply(
            lambda edge: gunicorn.command(
                service,
                trusted=",".join(edge),
                drain=site.drain,
                max_header=site.edge.max_header,
                deploy_timeout=site.deploy_timeout,
            )
        )

    def _own_variables(self) -> dict[str, str]:
        """What every service gets: the prefix that gunicorn cuts off each path, and no .pyc files beside the source.

        While its database is down, its name is too, and on an internal network nothing says so: each look-up would
        hold a thread for ten seconds.
        """
        prefix = self.args.context.site.prefix(self.service)
        fixed = {
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONUNBUFFERED": "1",
            "HOME": container_paths.TMP,
            "RES_OPTIONS": "timeout:1 attempts:2",
        }
        return fixed | ({"SCRIPT_NAME": prefix} if prefix else {})

    def _ports(self) -> list[Port]:
        service = self.service
        if not (self.args.context.site.profile.publish_services and service.dev_port):
            return []
        chosen = f"overrides.{service.name}.devPort"
        return [Port(inside=service.port, outside=service.dev_port, address="127.0.0.1", port_key=chosen)]

    def _health(self) -> Health | None:
        site = self.args.context.site
        path = site.health_path(self.service)
        if path is None:
            # The generic image's own check asks a port that a worker has not got; a ready-made one knows what it runs.
            return Health(command=()) if self.service.path else None
        url = f"http://127.0.0.1:{self.service.port}{path}"
        name, protocol = forwarding.name_of(self.service, site.edge.hosts), site.protocol(self.service)
        return Health(
            command=probes.any_command(url, name) if self.service.image else probes.command(url, protocol, name)
        )

    def _data_volume(self, volume: str) -> OwnedVolume:
        context, service = self.args.context, self.service
        data = data_volume(context, service.name, volume, parent=self)
        return OwnedVolume(
            context.name(service.name, volume, "owner"),
            engine=context.engine,
            volume=naming.data_volume(context.site.project, context.site.stack, service.name, volume),
            uid=self.uid,
            gid=self.uid,
            image=self.args.image,
            labels=context.labels(service.name),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[data]),
        )
