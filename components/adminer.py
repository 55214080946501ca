"""The database's web page, for development."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_docker as docker

from components import hardening
from components.context import Context, container_labels
from components.networks import Networks
from components.trial import tried
from slipway.core import processes, scratch, topology
from slipway.settings.site import POSTGRES_ALIAS, AdminerSettings

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
        described = dict(
            image=args.image,
            networks_advanced=args.networks.of(topology.ADMINER),
            ports=[
                docker.ContainerPortArgs(internal=PORT, external=args.settings.port, ip="127.0.0.1", protocol="tcp")
            ],
            **hardening.container(
                args.context.site.profile,
                memory=args.settings.memory,
                cpus=0.5,
                user="adminer",
                tmpfs=scratch.tmp(16),
            ),
        )
        child = pulumi.ResourceOptions(parent=self)
        keys = {PORT: ("adminer.port", "")}
        trial = tried(args.context, name, topology.ADMINER, described, keys=keys, opts=child)
        container = docker.Container(
            name,
            envs=[f"ADMINER_DEFAULT_SERVER={POSTGRES_ALIAS}"],
            labels=container_labels(args.context.labels(topology.ADMINER)),
            destroy_grace_seconds=5,
            **described,
            opts=hardening.replacement(delete_first=True, parent=self, depends_on=[trial]),
        )
        hardening.limit_pids(args.context, name, container, processes.LEAST, opts=child)
        # The query chooses the kind of server; adminer's own default is MySQL.
        self.url = container.name.apply(lambda _: f"http://127.0.0.1:{args.settings.port}/?pgsql={POSTGRES_ALIAS}")
        self.register_outputs({"url": self.url})
