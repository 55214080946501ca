"""The databases and roles of the services that have one on the stack's own server."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from components.context import Context
from components.postgres import Postgres
from components.secrets import Secrets
from slipway.core import budget
from slipway.core.dsn import Dsn
from slipway.core.provisioning import Duty, ServiceDatabase, database_name, login, provisioning_sql
from slipway.providers.database import DatabaseRoles
from slipway.settings.site import POSTGRES_ALIAS, POSTGRES_PORT, Service


@dataclass(frozen=True, kw_only=True)
class DatabasesArgs:
    context: Context
    secrets: Secrets
    postgres: Postgres


class Databases(pulumi.ComponentResource):
    """Owns each service's database, roles and login passwords; sets every password again whenever one changed or the
    server is another, so a re-created stack finds its old data. `ready` is what applications depend on.

    Removes nothing: a service that goes away leaves its database behind.
    """

    ready: list[pulumi.Resource]

    def __init__(self, name: str, args: DatabasesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("slipway:components:Databases", name, None, opts)
        self._secrets = args.secrets
        services = self._services = [
            service
            for service in args.context.site.services.values()
            if service.database and service.database.url is None
        ]
        passwords = {
            login(service.name, duty): self.password(service, duty) for service in services for duty in duties(service)
        }
        sql = pulumi.Output.all(**passwords).apply(
            lambda known: provisioning_sql(
                ServiceDatabase(
                    service=service.name,
                    connections=budget.connection_limit(service),
                    passwords={login(service.name, duty): known[login(service.name, duty)] for duty in duties(service)},
                )
                for service in services
            )
        )
        roles = DatabaseRoles(
            args.context.name("database-roles"),
            engine=args.context.engine,
            container=args.postgres.container.id,
            sql=sql,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.ready = [roles, args.postgres.pids_limit, *args.postgres.memberships]
        self.register_outputs({})

    def password(self, service: Service, duty: Duty) -> pulumi.Output[str]:
        return self._secrets.generated(service.name, "db", duty)

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

    @staticmethod
    def dsn(service: Service, duty: Duty) -> Dsn:
        """How the service reaches its database: plain strings, no output of the server."""
        name = database_name(service.name)
        return Dsn(host=POSTGRES_ALIAS, port=POSTGRES_PORT, name=name, user=login(service.name, duty))


def duties(service: Service) -> tuple[Duty, ...]:
    """The logins that a service uses: with migrations it runs without the right to change tables."""
    return ("owner", "runtime") if service.migrate else ("owner",)
