"""Who can reach whom: the networks of a site and what is on each.

A service reaches its own database and nothing else of Postgres's users. Each call that is declared (`uses`) has a
network of its own, on which the called one's name belongs to the edge, so that a release switches calls as well; or to
the called service itself, where the profile has no edge or the service does not speak HTTP (a Redis). A network for
each call, because a container cannot get one more name on a network without being cut off from it for a moment.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from slipway.site.site import POSTGRES_ALIAS, Site

EDGE = "edge"
POSTGRES = "postgres"
ADMINER = "adminer"
PUBLIC = "public"
CERTBOT = "certbot"


@dataclass(frozen=True, kw_only=True)
class NetworkPlan:
    """One network: {member: the names under which the others on it find that member}.

    `internal` networks have no way out; only from the others can ports be published and the world be reached.
    """

    name: str
    internal: bool
    members: Mapping[str, tuple[str, ...]]


def networks(site: Site) -> tuple[NetworkPlan, ...]:
    """All networks of a site, in a stable order. A service's own network exists even when it is alone on it."""
    plans = []
    for service in site.services.values():
        members: dict[str, tuple[str, ...]] = {service.name: ()}
        if site.at_edge(service):
            members[EDGE] = ()
        plans.append(NetworkPlan(name=service.name, internal=not site.profile.publish_services, members=members))
        if service.database and service.database.url is None:
            plans.append(
                NetworkPlan(
                    name=f"{service.name}-db",
                    internal=True,
                    members={service.name: (), POSTGRES: (POSTGRES_ALIAS,)},
                )
            )
        managed = service.database is not None and service.database.url is not None
        if (service.egress or managed) and not site.profile.publish_services:
            plans.append(NetworkPlan(name=f"{service.name}-egress", internal=False, members={service.name: ()}))
        for called in service.uses:
            answers = EDGE if site.at_edge(site.services[called]) else called
            members = {service.name: (), answers: (called,)}
            plans.append(NetworkPlan(name=f"{service.name}-{called}", internal=True, members=members))
    if site.profile.edge:
        plans.append(NetworkPlan(name=PUBLIC, internal=False, members={EDGE: ()}))
    if site.acme:
        plans.append(NetworkPlan(name=CERTBOT, internal=False, members={CERTBOT: ()}))
    if site.owns_postgres:
        members = {POSTGRES: (POSTGRES_ALIAS,)} | ({ADMINER: ()} if site.adminer else {})
        plans.append(NetworkPlan(name=POSTGRES, internal=True, members=members))
    if site.adminer:
        plans.append(NetworkPlan(name=ADMINER, internal=False, members={ADMINER: ()}))
    return tuple(plans)


def memberships(plans: tuple[NetworkPlan, ...], member: str) -> dict[str, tuple[str, ...]]:
    """{network: aliases} of one member."""
    return {plan.name: plan.members[member] for plan in plans if member in plan.members}
