"""The declaration as a user may write it: key names, types, ranges, defaults."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from slipway.settings.edge_table import EdgeTable
from slipway.settings.fields import ImageName, OnOrTable, Text
from slipway.settings.service_table import ServiceTable
from slipway.settings.table import Table, setting
from slipway.site.database import MigrationSettings, PostgresSettings, Preload
from slipway.site.site import AdminerSettings, Site


class PostgresTable(Table):
    """`postgres:`"""

    memory: int = setting(PostgresSettings.memory, "memory of the database server", example=512, unit="MiB", ge=128)
    cpus: float = setting(
        PostgresSettings.cpus, "processor cores of the database server", example=1.0, unit="cores", ge=0.1, le=128
    )
    max_connections: int = setting(
        PostgresSettings.max_connections, "Postgres's `max_connections`", example=200, ge=20, le=10000
    )
    shared_memory: int = setting(PostgresSettings.shared_memory, "size of `/dev/shm`", example=256, unit="MiB", ge=64)
    preload: tuple[Preload, ...] = setting(
        (),
        "libraries that the server loads when it starts; `pg_stat_statements` is the one that can be named",
        example=["pg_stat_statements"],
    )


class MigrationsTable(Table):
    """`migrations:`"""

    lock_timeout: int = setting(
        MigrationSettings.lock_timeout,
        "how long a statement of a migration waits for a lock. While it waits, the service's own statements on that "
        "table wait behind it",
        example=10,
        unit="s",
        ge=1,
        le=3600,
    )
    statement_timeout: int = setting(
        MigrationSettings.statement_timeout,
        "how long one statement of a migration may take; `0`: no limit. Both reach the command as `PGOPTIONS`, unless "
        "the service sets that variable in its `env`",
        example=300,
        unit="s",
        ge=0,
        le=86400,
    )
    timeout: int = setting(
        MigrationSettings.timeout,
        "how long the whole command may take; a `seed` as well",
        example=600,
        unit="s",
        ge=10,
        le=86400,
    )


class AdminerTable(Table):
    """`adminer:`, or `true` and `false`."""

    port: int = setting(AdminerSettings.port, "port on 127.0.0.1", example=8081, ge=1024, le=65535)
    memory: int = setting(AdminerSettings.memory, "limit of its container", example=128, unit="MiB", ge=32)


class BaseImagesTable(Table):
    """`baseImages:`; what is left out comes from set-up."""

    python: ImageName | None = setting(None, "what services and certbot are built from", example="python:3.13-slim")
    postgres: ImageName | None = setting(None, "what the database server is built from", example="postgres:17")
    nginx: ImageName | None = setting(None, "what the edge is built from", example="nginx:1.30")
    adminer: ImageName | None = setting(None, "runs as it is", example="adminer:5")


Count = Annotated[int, Field(ge=0)]


class Declaration(Table):
    """All of the project's configuration, overrides merged in."""

    services: dict[str, ServiceTable] = setting({}, "the services, by name", example={"ui": {"route": "/"}})
    profile: Text | None = setting(
        None,
        "`dev`: mounted source, Flask's debug server, each service on 127.0.0.1, `down` deletes the data. `prod`: "
        "gunicorn behind nginx, hardened containers, data kept",
        example="prod",
        shown="`dev` for stacks named `dev…`, else `prod`",
    )
    edge: EdgeTable = setting(EdgeTable(), "nginx", example={"port": 8100})
    postgres: PostgresTable = setting(PostgresTable(), "the database server", example={"memory": 512})
    migrations: MigrationsTable = setting(MigrationsTable(), "what a migration may take", example={"lockTimeout": 10})
    adminer: Annotated[AdminerTable | None, OnOrTable] = setting(
        None,
        "`false`, or `{port: 8081, memory: 128}`",
        example=False,
        shown="on in the dev profile if there is a database, never in prod",
        also=[{"type": "boolean"}],
    )
    base_images: BaseImagesTable = setting(
        BaseImagesTable(),
        "names of the images to build from: `python`, `postgres`, `nginx`; and `adminer`, which runs as it is",
        example={"python": "python:3.13-slim"},
        shown="what set-up chose",
    )
    secrets: dict[str, dict[str, Any]] = setting(
        {}, "values that you set, encrypted", example={"images": {"SECRET_KEY": "..."}}, shown="generated"
    )
    rotations: dict[str, dict[str, Count]] = setting(
        {},
        "how often each generated secret was rotated: `{ui: {SECRET_KEY: 1}, images: {database: 3}, postgres: "
        "{superuser: 1}, edge: {tls: 1}}`; `slipway rotate` counts here",
        example={"images": {"SECRET_KEY": 1}},
    )
    deploy_timeout: int = setting(
        Site.deploy_timeout,
        "how long a release waits for new containers before it gives up and changes nothing. It gives up sooner on one"
        " that keeps ending, was well and is no longer, or refuses its health check (404, 401)",
        example=120,
        unit="s",
        ge=10,
        le=3600,
    )
    docker_host: Text | None = setting(
        None,
        "address of the engine; `ssh://user@server`: [over SSH](production.md#from-your-own-machine-instead)",
        example="unix:///var/run/docker.sock",
        shown="`DOCKER_HOST`, or the current Docker context",
    )
    drain: int = setting(
        Site.drain,
        "the longest request; old containers get as long to finish, and up to 6 s more for requests that arrive late "
        "on keep-alive connections",
        example=30,
        unit="s",
        ge=1,
        le=600,
    )
    keep_releases: int = setting(
        Site.keep_releases,
        "how many releases are kept to roll back to; the images of older ones are removed",
        example=5,
        ge=1,
        le=100,
    )


class Beside(Table):
    """What is read by itself, before the declaration: it changes what the declaration is."""

    overrides: dict[str, Any] = setting(
        {},
        "what differs in this stack, by service and key; adds no service; tables are merged, `null` resets a key to "
        "its default",
        example={"ui": {"memory": 512}},
    )
    release: dict[str, Any] | None = setting(
        None,
        "written by `slipway rollback`: the release that the stack is pinned to, see [releases.md](releases.md)",
        example=None,
    )


TOP_LEVEL = tuple(field.alias or name for model in (Declaration, Beside) for name, field in model.model_fields.items())
