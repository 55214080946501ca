"""The networks of a site."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_docker as docker

from components.context import Context
from slipway.core import topology
from slipway.providers.attachment import Attachment

ISOLATED = {"com.docker.network.bridge.gateway_mode_ipv4": "isolated"}
"""The host has no address on such a network: what listens on all of the host's addresses is not reached from it."""


@dataclass(frozen=True, kw_only=True)
class NetworksArgs:
    context: Context


class Networks(pulumi.ComponentResource):
    """Owns every network of the stack, as `slipway.core.topology` plans them.

    Containers that are replaced at each release name all their networks themselves (`of`). Postgres and the edge are
    declared with one and joined to the others (`join`), so that a new service never replaces them.
    """

    names: pulumi.Output[Mapping[str, str]]

    def __init__(self, name: str, args: NetworksArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("slipway:components:Networks", name, None, opts)
        self._context = args.context
        self._plans = topology.networks(args.context.site)
        labels = [docker.NetworkLabelArgs(label=label, value=value) for label, value in args.context.labels().items()]
        self._networks = {
            plan.name: docker.Network(
                args.context.name(plan.name),
                internal=plan.internal,
                options=ISOLATED if plan.internal and args.context.isolates else None,
                labels=labels,
                # A new one's only: for other options the docker plugin would replace it, and every container on it.
                opts=pulumi.ResourceOptions(parent=self, ignore_changes=["options"]),
            )
            for plan in self._plans
        }
        self.names = pulumi.Output.all(**{plan: network.name for plan, network in self._networks.items()})
        self.register_outputs({"names": self.names})

    def of(self, member: str) -> list[docker.ContainerNetworksAdvancedArgs]:
        """All networks of a member, for its container's `networks_advanced`."""
        return [self._attached(network, aliases) for network, aliases in self._memberships(member).items()]

    def only(self, member: str, network: str) -> list[docker.ContainerNetworksAdvancedArgs]:
        """One of its networks; the others come by `join`."""
        return [self._attached(network, self._memberships(member)[network])]

    def names_of(self, member: str) -> list[pulumi.Output[str]]:
        """The names of all networks of a member."""
        return [self._networks[network].name for network in self._memberships(member)]

    def join(
        self, member: str, container: docker.Container, *, first: str, opts: pulumi.ResourceOptions
    ) -> list[Attachment]:
        """Joins a container to all networks of its member but the `first`, which it was made with."""
        return [
            Attachment(
                self._context.name(member, "on", network),
                engine=self._context.engine,
                container=container.id,
                network=self._networks[network].name,
                aliases=aliases,
                opts=opts,
            )
            for network, aliases in self._memberships(member).items()
            if network != first
        ]

    def subnets(self, one: str, other: str) -> pulumi.Output[list[str]]:
        """The IPv4 ranges, in CIDR notation, of the networks that two members have in common."""
        shared = [self._networks[network] for network in self._memberships(one) if network in self._memberships(other)]
        ranges = (network.ipam_configs.apply(lambda pools: pools[0].subnet if pools else None) for network in shared)
        return pulumi.Output.all(*ranges).apply(lambda known: [str(subnet) for subnet in known if subnet])

    def _memberships(self, member: str) -> dict[str, tuple[str, ...]]:
        return topology.memberships(self._plans, member)

    def _attached(self, network: str, aliases: tuple[str, ...]) -> docker.ContainerNetworksAdvancedArgs:
        return docker.ContainerNetworksAdvancedArgs(name=self._networks[network].name, aliases=list(aliases))
