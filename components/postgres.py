"""The stack's own Postgres server."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_docker as docker

from components import hardening
from components.context import Context, container_labels
from components.networks import Networks
from components.secrets import Secrets
from components.trial import tried
from components.volumes import data_volume
from slipway.core import postgres, processes, rotation, scratch
from slipway.core.topology import POSTGRES
from slipway.providers.files import FilesVolume

UID = 999
CONFIG = "/etc/slipway"
GRACE = 90
"""Seconds for a fast shutdown with its checkpoint; killed earlier, the server recovers at its next start."""


@dataclass(frozen=True, kw_only=True)
class PostgresArgs:
    """`image` runs the official image's entry point, as its own user `postgres` (uid 999)."""

    context: Context
    networks: Networks
    secrets: Secrets
    image: pulumi.Input[str]


class Postgres(pulumi.ComponentResource):
    """Owns the server's container, configuration and data volume.

    Replaced delete-first, always: two servers on one data volume destroy it, and the lock in it does not see across
    containers. For the same reason the container has one fixed name: a run whose state knows nothing of a server that
    is still there cannot start a second. Where the profile keeps data, `destroy` leaves the volume and the next `up`
    adopts it by its name; it is not protected, because `destroy` would then remove the containers and fail.
    Applications know the server by its alias, never by an output: whatever uses an output of a delete-first resource
    is deleted first with it.
    """

    container: docker.Container

    def __init__(self, name: str, args: PostgresArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("slipway:components:Postgres", name, None, opts)
        context, settings = args.context, args.context.site.postgres
        site = context.site
        labels = context.labels(POSTGRES)
        volume = data_volume(context, POSTGRES, "data", parent=self)
        config = FilesVolume(
            context.name(POSTGRES, "config"),
            engine=context.engine,
            # Named by the first password: another name would be another container, and the server would be away.
            volume=args.secrets.volume_name(POSTGRES, _files(args.secrets, 0)),
            files=_files(args.secrets, args.secrets.generation(POSTGRES, rotation.SUPERUSER)),
            uid=UID,
            gid=UID,
            image=args.image,
            labels=labels,
            opts=pulumi.ResourceOptions(parent=self),
        )
        described = dict(
            image=args.image,
            networks_advanced=args.networks.only(POSTGRES, POSTGRES),
            volumes=[
                docker.ContainerVolumeArgs(volume_name=volume.name, container_path=postgres.DATA),
                docker.ContainerVolumeArgs(volume_name=config.volume, container_path=CONFIG, read_only=True),
            ],
            **hardening.container(
                site.profile,
                memory=settings.memory,
                cpus=settings.cpus,
                user=str(UID),
                tmpfs={"/var/run/postgresql": f"uid={UID},gid={UID},mode=0775,size=1m"} | scratch.tmp(64),
                shared_memory=settings.shared_memory,
            ),
        )
        check = postgres.check_command(settings)
        child = pulumi.ResourceOptions(parent=self)
        trial = tried(context, context.name(POSTGRES), POSTGRES, described, check=check, opts=child)
        self.container = docker.Container(
            context.name(POSTGRES),
            name=context.name(POSTGRES),
            command=postgres.command(settings),
            envs=[
                f"POSTGRES_PASSWORD_FILE={CONFIG}/superuser-password",
                f"POSTGRES_INITDB_ARGS={postgres.initdb_args()}",
                f"PGDATA={postgres.DATA}",
            ],
            labels=container_labels(labels),
            healthcheck=hardening.healthcheck(["CMD", *postgres.health_command()]),
            stop_signal="SIGINT",
            stop_timeout=GRACE,
            destroy_grace_seconds=GRACE,
            **described,
            opts=hardening.replacement(delete_first=True, parent=self, depends_on=[trial]),
        )
        self.memberships = args.networks.join(
            POSTGRES, self.container, first=POSTGRES, opts=pulumi.ResourceOptions(parent=self)
        )
        self.pids_limit = hardening.limit_pids(
            context,
            context.name(POSTGRES),
            self.container,
            processes.of_postgres(settings),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({"container": self.container.name})


def _files(secrets: Secrets, generation: int) -> pulumi.Output[dict[str, str]]:
    """The server's files, with the superuser's password after so many rotations."""
    return secrets.generated(POSTGRES, "superuser", generation=generation).apply(
        lambda password: {"pg_hba.conf": postgres.pg_hba(), "superuser-password": password}
    )
