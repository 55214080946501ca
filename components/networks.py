"""The networks of a site."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_docker as docker

from components.context import Context
from slipway.core import topology

ISOLATED = {"com.docker.network.bridge.gateway_mode_ipv4": "isolated"}
"""The host has no address on such a network: what listens on all of the host's addresses is not reached from it."""


@dataclass(frozen=True, kw_only=True)
class NetworksArgs:
    context: Context


class Networks(pulumi.ComponentResource):
    """Owns every network of the stack, as `slipway.core.topology` plans them.

    Containers that are replaced at each release are made on all their networks. Postgres and the edge are made on one
    and joined to the others, so that a new service never replaces them.
    """

    names: pulumi.Output[Mapping[str, str]]

    def __init__(self, name: str, args: NetworksArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("slipway:components:Networks", name, None, opts)
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

    def memberships(self, member: str) -> dict[str, tuple[str, ...]]:
        """{network: aliases} of a member, as its Workload names them."""
        return topology.memberships(self._plans, member)

    def name(self, network: str) -> pulumi.Output[str]:
        """By which the engine knows a network of the plan."""
        return self._networks[network].name

    def names_of(self, member: str) -> list[pulumi.Output[str]]:
        """The names of all networks of a member."""
        return [self.name(network) for network in self.memberships(member)]

    def subnets(self, one: str, other: str) -> pulumi.Output[list[str]]:
        """The IPv4 ranges, in CIDR notation, of the networks that two members have in common."""
        shared = [self._networks[network] for network in self.memberships(one) if network in self.memberships(other)]
        ranges = (network.ipam_configs.apply(lambda pools: pools[0].subnet if pools else None) for network in shared)
        return pulumi.Output.all(*ranges).apply(lambda known: [str(subnet) for subnet in known if subnet])
