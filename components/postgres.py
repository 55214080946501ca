"""The stack's own Postgres server."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from components.context import Context
from components.networks import Networks
from components.secrets import Secrets
from components.volumes import data_volume
from components.workload import Running, run
from slipway.core import postgres, processes, rotation, scratch
from slipway.core.topology import POSTGRES
from slipway.providers.files import FilesVolume
from slipway.site.workload import Health, Limits, Mount, Replacement, Stop, Workload

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

    running: Running

    def __init__(self, name: str, args: PostgresArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("slipway:components:Postgres", name, None, opts)
        context, settings = args.context, args.context.site.postgres
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
            labels=context.labels(POSTGRES),
            opts=pulumi.ResourceOptions(parent=self),
        )
        described = Workload(
            service=POSTGRES,
            fixed_name=True,
            image=args.image,
            user=str(UID),
            command=postgres.command(settings),
            environment={
                "POSTGRES_PASSWORD_FILE": f"{CONFIG}/superuser-password",
                "POSTGRES_INITDB_ARGS": postgres.initdb_args(),
                "PGDATA": postgres.DATA,
            },
            networks=args.networks.memberships(POSTGRES),
            made_on=POSTGRES,
            mounts=[
                Mount(volume=volume.name, target=postgres.DATA),
                Mount(volume=config.volume, target=CONFIG, read_only=True),
            ],
            tmpfs={"/var/run/postgresql": f"uid={UID},gid={UID},mode=0775,size=1m"} | scratch.tmp(64),
            limits=Limits(
                memory=settings.memory,
                cpus=settings.cpus,
                pids=processes.of_postgres(settings),
                shared_memory=settings.shared_memory,
            ),
            health=Health(command=postgres.health_command()),
            stop=Stop(signal="SIGINT", grace=GRACE),
            replaced=Replacement(delete_first=True, check=postgres.check_command(settings)),
        )
        self.running = run(context, args.networks, context.name(POSTGRES), described, parent=self)
        self.register_outputs({"container": self.running.container.name})


def _files(secrets: Secrets, generation: int) -> pulumi.Output[dict[str, str]]:
    """The server's files, with the superuser's password after so many rotations."""
    return secrets.generated(POSTGRES, "superuser", generation=generation).apply(
        lambda password: {"pg_hba.conf": postgres.pg_hba(), "superuser-password": password}
    )
