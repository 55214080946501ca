"""The database's web page, for development."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from components.context import Context
from components.networks import Networks
from components.workload import run
from slipway.core import processes, scratch, topology
from slipway.site.site import POSTGRES_ALIAS, AdminerSettings
from slipway.site.workload import Limits, Port, Replacement, Stop, Workload

PORT = 8080


@dataclass(frozen=True, kw_only=True)
class AdminerArgs:
    context: Context
    settings: AdminerSettings
    networks: Networks
    image: pulumi.Input[str]


class Adminer(pulumi.ComponentResource):
    """Owns one adminer container on 127.0.0.1, which already knows the server. Only profiles with adminer have it."""

    url: pulumi.Output[str]

    def __init__(self, name: str, args: AdminerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("slipway:components:Adminer", name, None, opts)
        described = Workload(
            service=topology.ADMINER,
            image=args.image,
            user="adminer",
            environment={"ADMINER_DEFAULT_SERVER": POSTGRES_ALIAS},
            networks=args.networks.memberships(topology.ADMINER),
            ports=[Port(inside=PORT, outside=args.settings.port, address="127.0.0.1", port_key="adminer.port")],
            tmpfs=scratch.tmp(16),
            limits=Limits(memory=args.settings.memory, cpus=0.5, pids=processes.LEAST),
            stop=Stop(grace=5),
            replaced=Replacement(delete_first=True),
        )
        container = run(args.context, args.networks, name, described, parent=self).container
        # The query chooses the kind of server; adminer's own default is MySQL.
        self.url = container.name.apply(lambda _: f"http://127.0.0.1:{args.settings.port}/?pgsql={POSTGRES_ALIAS}")
        self.register_outputs({"url": self.url})
