"""The kinds of containers that a site is made of, and what the rest of the program must know of each.

Whoever adds a kind adds a row here, and a component that makes it: budgets, checks, previews, the order of an end, the
images that are pruned and the networks that may lead out go by this table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from slipway.core import budget, naming
from slipway.core.topology import ADMINER, CERTBOT, EDGE, POSTGRES, PUBLIC
from slipway.site.site import Site


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One row.

    component  the class of the component that makes it, which stands in its URN
    name       of the only one that a site has; "" where there may be several, called after their services
    shown      what messages call it instead
    there      whether a site has one; `memory` and `volumes` are asked where it has
    built      its image is built here under its name, and nobody else's
    memory     MiB of all its containers during a release, when old and new ones run side by side
    volumes    its volumes with data, as (owner, volume)
    left       what is said of such a volume that stays behind without it; "": that its data is at risk
    visitors   their requests go through it: what is done to it, they may notice
    alone      there are never two: it goes before the new one comes, so that visitors notice each replacement
    gap        about how many seconds pass from the end of the old one until the new one answers: the longest that
               `python -m bench.restarts` has measured on two cores, rounded up (edge 1.4, Postgres 0.9, services 9.2:
               their health check asks every five seconds). Before that, the old one finishes the requests that it has
    ends       when it is stopped with the rest of the site: the lowest first
    way_out    how the names of its networks that lead out end, in a profile that publishes no services
    routine    regular expressions: what its server says of itself, whatever a site is asked
    """

    component: str
    name: str = ""
    shown: str = ""
    there: Callable[[Site], bool]
    built: bool = False
    memory: Callable[[Site], int] = lambda _: 0
    volumes: Callable[[Site], list[tuple[str, str]]] = lambda _: []
    left: str = ""
    visitors: bool = False
    alone: bool = False
    gap: int = 0
    ends: int = 1
    way_out: str = ""
    routine: tuple[str, ...] = ()


SERVICE = Kind(
    component="FlaskService",
    there=lambda site: bool(site.services),
    memory=lambda site: sum(budget.running_memory(service) for service in site.services.values()),
    volumes=lambda site: [(service.name, volume) for service in site.services.values() for volume in service.volumes],
    visitors=True,
    gap=10,
    way_out="egress",
    routine=(
        r"\[[^]]+\] \[\d+\] \[(?:DEBUG|INFO)\] ",  # gunicorn
        # Flask's server of development: from the container itself come health checks alone.
        r'127\.0\.0\.1 - - \[[^]]+\] "(?:\x1b\[[\d;]*m)*GET [^"]*" (?:\x1b\[[\d;]*m)*[23]\d\d ',
    ),
)
KINDS = (
    SERVICE,
    Kind(
        component="Schedule",
        there=lambda site: any(service.schedule for service in site.services.values()),
        memory=lambda site: sum(service.memory for service in site.services.values() if service.schedule),
        alone=True,
    ),
    Kind(
        component="ServiceJobs",
        there=lambda site: any(service.migrate or service.seed for service in site.services.values()),
    ),
    Kind(
        component="Edge",
        name=EDGE,
        shown="nginx",
        there=lambda site: site.profile.edge,
        built=True,
        memory=lambda site: site.edge.memory,
        visitors=True,
        alone=True,
        gap=2,
        ends=0,
        way_out=PUBLIC,
        routine=(r"\d{4}/\d\d/\d\d [\d:]{8} \[(?:debug|info|notice)\] ",),
    ),
    Kind(
        component="Postgres",
        name=POSTGRES,
        shown="Postgres",
        there=lambda site: site.owns_postgres,
        built=True,
        memory=lambda site: site.postgres.memory,
        volumes=lambda _: [(POSTGRES, "data")],
        visitors=True,
        alone=True,
        gap=2,
        ends=2,
        routine=(
            r"[\d:. -]{19,}\w+ \[\d+\] (?:LOG|INFO|NOTICE): (?!.*(?:terminat|interrupt|not properly))",
            r"PostgreSQL Database directory appears to contain a database; Skipping initialization$",
        ),
    ),
    Kind(
        component="Certbot",
        name=CERTBOT,
        there=lambda site: site.acme,
        built=True,
        memory=lambda _: 160,  # Python twice, certbot being started beside what starts it
        volumes=lambda _: [(CERTBOT, "data")],
        left="with account and certificates stays, and `tls: acme` finds it again",
        alone=True,
        way_out=CERTBOT,
    ),
    Kind(
        component="Adminer",
        name=ADMINER,
        there=lambda site: site.adminer is not None,
        memory=lambda site: site.adminer.memory if site.adminer else 0,
        alone=True,
        routine=(r"\[[^]]+\] \[?[\d.:a-f]+\]?:\d+ (?:Accepted|Closing)$",),  # PHP
    ),
)
OWN = {kind.name: kind for kind in KINDS if kind.name}
"""{name: kind} of what a site has one of: no service may be called so."""
BUILT = frozenset(name for name, kind in OWN.items() if kind.built)
"""The names of the images that Slipway builds for itself."""


def of(site: Site) -> list[Kind]:
    """Those that a site has."""
    return [kind for kind in KINDS if kind.there(site)]


def labelled(owner: str) -> Kind:
    """The kind of what belongs to this owner, by its label."""
    return OWN.get(owner, SERVICE)


def made_by(urn: str) -> Kind:
    """The kind of a container, by the component that stands in its URN."""
    return next((kind for kind in KINDS if f"slipway:components:{kind.component}$" in urn), SERVICE)


def data_volumes(site: Site) -> Iterator[str]:
    """The names of the volumes that components.volumes.data_volume() makes for the site."""
    for kind in of(site):
        for owner, volume in kind.volumes(site):
            yield naming.data_volume(site.project, site.stack, owner, volume)


def memory(site: Site) -> int:
    """MiB of everything during a release."""
    return sum(kind.memory(site) for kind in of(site))
