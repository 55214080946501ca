"""The databases and roles of the services that have one on the stack's own server."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from components.context import Context
from components.postgres import Postgres
from components.secrets import Secrets
from slipway.core import budget, rotation
from slipway.core.dsn import Dsn
from slipway.core.provisioning import Duty, ServiceDatabase, database_name, login, provisioning_sql, slot
from slipway.core.topology import POSTGRES
from slipway.providers.database import DatabaseLogin, DatabaseRoles
from slipway.site.site import POSTGRES_ALIAS, POSTGRES_PORT, Service


@dataclass(frozen=True, kw_only=True)
class DatabasesArgs:
    context: Context
    secrets: Secrets
    postgres: Postgres


class Databases(pulumi.ComponentResource):
    """Owns each service's database, roles and login passwords; sets every password again whenever one changed or the
    server is another, so a re-created stack finds its old data.

    Each login that is in use is a resource of its own (DatabaseLogin): a rotation makes that of the other login, new
    containers start with it, and the former one is deleted, which locks it, when the containers that used it have gone.

    A service that uses another's database has that one's logins: here it is never asked who asks.

    Removes no data: a service that goes away leaves its database behind, without a login. `cluster` tells the server's
    data from any other: on another, migrations run again.
    """

    cluster: pulumi.Output[str]

    def __init__(self, name: str, args: DatabasesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("slipway:components:Databases", name, None, opts)
        self._secrets, self._site = args.secrets, args.context.site
        self._jobs = dict[str, pulumi.Resource]()
        services = self._services = [service for service in self._site.services.values() if service.owns_database]
        logins = {service.name: {self.login(service, duty): duty for duty in duties(service)} for service in services}
        passwords = {
            role: self.password(service, duty) for service in services for role, duty in logins[service.name].items()
        }
        limits = {service.name: budget.login_limit(self._site, service) for service in services}
        sql = pulumi.Output.all(**passwords).apply(
            lambda known: provisioning_sql(
                ServiceDatabase(
                    service=service.name,
                    connections=limits[service.name],
                    passwords={role: known[role] for role in logins[service.name]},
                )
                for service in services
            )
        )
        roles = DatabaseRoles(
            args.context.name("database-roles"),
            engine=args.context.engine,
            container=args.postgres.running.container.id,
            sql=sql,
            generations={service.name: self._generation(service) for service in services},
            limits=limits,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.cluster = roles.cluster
        self._ready = [roles, *args.postgres.running.ready]
        self._held = {
            service.name: [
                DatabaseLogin(
                    args.context.name(service.name, "db", duty, "login", *self._numbered(service)),
                    engine=args.context.engine,
                    container=args.context.name(POSTGRES),  # its output would be that of a delete-first resource
                    role=role,
                    opts=pulumi.ResourceOptions(parent=self, depends_on=[roles]),
                )
                for role, duty in logins[service.name].items()
            ]
            for service in services
        }
        self.register_outputs({})

    def ready(self, service: Service) -> list[pulumi.Resource]:
        """What whatever uses the service's database depends on. So its logins are locked only after it has gone, and
        who uses another's database waits for that one's migration."""
        owner = self._site.database_owner(service)
        jobs = [self._jobs[owner.name]] if service.shares_database else []
        return [*self._ready, *self._held.get(owner.name, ()), *jobs]

    def migrated_by(self, service: Service, jobs: pulumi.Resource) -> None:
        """Says what brings the service's database up to date; before anybody asks who shares it."""
        self._jobs[service.name] = jobs

    def password(self, service: Service, duty: Duty) -> pulumi.Output[str]:
        owner = self._site.database_owner(service)
        return self._secrets.generated(owner.name, "db", duty, generation=self._generation(owner))

    def login(self, service: Service, duty: Duty) -> str:
        """The login whose turn it is."""
        owner = self._site.database_owner(service)
        return login(owner.name, duty, slot(self._generation(owner)))

    def _generation(self, service: Service) -> int:
        return self._secrets.generation(service.name, rotation.DATABASE)

    def _numbered(self, service: Service) -> list[str]:
        generation = self._generation(service)
        return [str(generation)] if generation else []

    def logins(self) -> pulumi.Output[dict[str, dict[str, str]]]:
        """{service: what a person types to log in as its database's owner}: a secret."""

        def typed(service: Service) -> pulumi.Output[dict[str, str]]:
            dsn = self.dsn(service, "owner")
            return self.password(service, "owner").apply(
                lambda password: {
                    "server": dsn.host,
                    "username": dsn.user,
                    "password": password,
                    "database": dsn.name,
                }
            )

        return pulumi.Output.secret(pulumi.Output.all(**{each.name: typed(each) for each in self._services}))

    def dsn(self, service: Service, duty: Duty) -> Dsn:
        """How the service reaches its database: plain strings, no output of the server."""
        name = database_name(self._site.database_owner(service).name)
        return Dsn(host=POSTGRES_ALIAS, port=POSTGRES_PORT, name=name, user=self.login(service, duty))


def duties(service: Service) -> tuple[Duty, ...]:
    """The logins that a service uses: with migrations it runs without the right to change tables."""
    return ("owner", "runtime") if service.migrate else ("owner",)
