"""What travels: the whole site as frozen dataclasses, with every default filled in and every check passed.

Memory is in MiB, times are in seconds, cpus are cores. Nothing here holds a secret value: secrets are only named.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from slipway.site.database import Database, MigrationSettings, PostgresSettings
from slipway.site.edge import EdgeSettings, TlsMode
from slipway.site.profile import Profile
from slipway.site.protocol import Protocol

POSTGRES_ALIAS = "postgres"
POSTGRES_PORT = 5432


class Strategy(StrEnum):
    """How a new release of a service takes over: beside the old one, or after it has gone."""

    ROLLING = "rolling"
    RECREATE = "recreate"


@dataclass(frozen=True, kw_only=True)
class Scheduled:
    """A command (an argument list) that runs by the clock: `cron` has the five fields of crontab, in UTC."""

    cron: str
    command: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Service:
    """One service.

    name       also its host name inside the site
    path       folder that its image is built from, relative to Site.root; None for a ready-made `image`
    app        WSGI entry point run by gunicorn; None when `command` or a ready-made image runs instead
    command    argument list that runs instead of gunicorn
    entrypoint whether the image's ENTRYPOINT runs before each command; None: where it passes the command on
    route      path prefix at the edge, with a slash at both ends; None: not reachable from outside
    host       name that the route holds for; None: every name that no service claims
    migrate    argument list run once per release; seed: run after it where the profile says so
    volumes    {volume name: path in the container}; static: {URL path below the route: folder below `path`}
    others_volumes  {(service, its volume): path in the container}
    idempotent paths below the route at which a request may be sent to another container once more, a POST as well
    env        values may hold references (slipway.core.references); secrets: names of environment variables
    health     path below the route, for liveness; ready: what the release gate asks. None: not an HTTP service
    threads    requests that one gunicorn worker serves at a time; more of them wait in that worker
    pids       processes and threads of one container; None: slipway.core.processes decides
    egress     may reach the world outside
    schedule   {name: command that runs by the clock, in a container of its own}
    user       user id that it runs as
    """

    name: str
    path: str | None = None
    image: str | None = None
    app: str | None = None
    command: tuple[str, ...] | None = None
    entrypoint: bool | None = None
    route: str | None = None
    host: str | None = None
    uses: tuple[str, ...] = ()
    database: Database | None = None
    migrate: tuple[str, ...] | None = None
    seed: tuple[str, ...] | None = None
    volumes: Mapping[str, str] = field(default_factory=dict)
    others_volumes: Mapping[tuple[str, str], str] = field(default_factory=dict)
    static: Mapping[str, str] = field(default_factory=dict)
    idempotent: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    replicas: int = 1
    memory: int = 256
    cpus: float = 1.0
    threads: int = 4
    pids: int | None = None
    port: int = 5000
    protocol: Protocol = Protocol.HTTP
    dev_port: int | None = None
    health: str | None = None
    ready: str | None = None
    egress: bool = False
    strategy: Strategy = Strategy.ROLLING
    schedule: Mapping[str, Scheduled] = field(default_factory=dict)
    user: int = 1000

    @property
    def owns_database(self) -> bool:
        """Whether the stack's own server has a database of this service."""
        return self.database is not None and self.database.url is None and self.database.service is None

    @property
    def shares_database(self) -> bool:
        """Whether its database is another service's."""
        return self.database is not None and self.database.service is not None

    @property
    def routed(self) -> bool:
        """Whether the edge sends requests from outside to it."""
        return self.route is not None

    @property
    def http(self) -> bool:
        """Whether it answers HTTP requests at all: a worker or a Redis does not, and has no place at the edge."""
        return self.health is not None


@dataclass(frozen=True, kw_only=True)
class AdminerSettings:
    """Where adminer is published on 127.0.0.1."""

    port: int = 8081
    memory: int = 128


@dataclass(frozen=True, kw_only=True)
class BaseImages:
    """The names that builds and ready-made containers start from."""

    python: str
    postgres: str
    nginx: str
    adminer: str


@dataclass(frozen=True, kw_only=True)
class Pin:
    """The recorded release that the stack is held at, and its {service: image id}."""

    release: str
    images: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Site:
    """Everything that was declared for one stack.

    services             by name; those that use another's database stand behind it
    adminer              None: there is none
    configured_secrets   {service: names whose values were set}; the others are generated
    rotations            {service: {secret: how often it was rotated}} (slipway.core.rotation)
    deploy_timeout       how long the release gate waits for new containers
    drain                the longest request; how long the old containers get to finish (slipway.core.timeouts)
    keep_releases        how many releases can be rolled back to
    tables               the services as they were written, overrides merged in: what a release's record holds
    pin                  None: the stack is as it is declared. Else its services are those of this release
    declared_secrets     {service: names of its secrets} as they are declared, also while the stack is pinned
    root                 the project's folder, which services' paths are relative to
    """

    project: str
    stack: str
    profile: Profile
    services: Mapping[str, Service]
    edge: EdgeSettings
    postgres: PostgresSettings
    adminer: AdminerSettings | None
    migrations: MigrationSettings = field(default_factory=MigrationSettings)
    base_images: BaseImages
    configured_secrets: Mapping[str, tuple[str, ...]]
    rotations: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    deploy_timeout: int = 120
    drain: int = 30
    keep_releases: int = 5
    tables: Mapping[str, object] = field(default_factory=dict)
    pin: Pin | None = None
    declared_secrets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    root: Path

    @property
    def owns_postgres(self) -> bool:
        """Whether a service has its database on the stack's own server."""
        return any(service.owns_database for service in self.services.values())

    def database_owner(self, service: Service) -> Service:
        """The service whose database it uses: itself, or the one that it names."""
        named = service.database.service if service.database else None
        return self.services.get(named, service) if named else service

    @property
    def needs_sources(self) -> bool:
        """Whether the services' folders matter: not while it is pinned to images that hold the source."""
        return self.pin is None or self.profile.bind_mounts

    def chosen(self, service: Service) -> tuple[str, ...]:
        """The names of its secrets whose values were set; the others are generated."""
        return self.configured_secrets.get(service.name, ())

    def prefix(self, service: Service) -> str:
        """What stands before every path of the service ("" or "/images"), gunicorn's SCRIPT_NAME."""
        return "" if self.profile.debug_server else (service.route or "/").rstrip("/")

    def health_path(self, service: Service) -> str | None:
        """The path to ask for liveness, route prefix included."""
        return None if service.health is None else self.prefix(service) + service.health

    def ready_path(self, service: Service) -> str | None:
        """The path to ask before traffic is sent, route prefix included."""
        return None if service.ready is None else self.prefix(service) + service.ready

    def protocol(self, service: Service) -> Protocol:
        """What nginx speaks with it; Flask's debug server knows HTTP alone."""
        return Protocol.HTTP if self.profile.debug_server else service.protocol

    def url_of(self, service: Service) -> str:
        """Where other services of the site reach it; no slash at the end."""
        return f"http://{service.name}:{service.port}{self.prefix(service)}"

    def addresses(self) -> dict[str, str]:
        """What the references {services.…} stand for (slipway.core.references.fill)."""
        return {
            f"services.{name}.{key}": value
            for name, each in self.services.items()
            for key, value in (("url", self.url_of(each)), ("host", name), ("port", str(each.port)))
        }

    def callers(self, service: Service) -> tuple[str, ...]:
        """The services that may call it."""
        return tuple(other.name for other in self.services.values() if service.name in other.uses)

    def hosts(self) -> tuple[tuple[str, ...], ...]:
        """The names of each server for visitors, those of the services without a `host` first; empty: every name."""
        routed = [service for service in self.services.values() if service.routed]
        own = tuple((host,) for host in dict.fromkeys(service.host for service in routed) if host)
        nameless = any(not service.host for service in routed)
        return (self.edge.hosts, *own) if nameless or self.edge.hosts else own

    @property
    def acme(self) -> bool:
        """Whether an ACME authority issues the certificates."""
        return self.profile.edge and self.edge.tls.mode is TlsMode.ACME

    def at_edge(self, service: Service) -> bool:
        """Whether the edge sends requests to it, from outside or from other services."""
        return self.profile.edge and service.http and (service.routed or bool(self.callers(service)))
