"""`services:` as a user may write it."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

from slipway.nginx.main import INTERNAL_PORT
from slipway.settings.fields import (
    CronExpression,
    Entry,
    Host,
    ImageName,
    OnOrTable,
    ProbePath,
    Route,
    Text,
    Words,
    refuse,
)
from slipway.settings.table import Table, setting
from slipway.site.database import Database
from slipway.site.protocol import Protocol
from slipway.site.site import Service, Strategy


def _port(value: int) -> int:
    if value == INTERNAL_PORT:
        raise refuse(f"{value} is taken: the edge's own checks listen there")
    return value


class DatabaseTable(Table):
    """`database:` of a service, or `true`."""

    url: Text | None = setting(
        None,
        "address of a managed server, its password as `{secrets.NAME}`",
        example="postgresql://app:{secrets.DB_PASSWORD}@db.example.org:5432/photos",
    )
    service: Text | None = setting(None, "the service whose database it is, if not its own", example="web")
    connections: int = setting(
        Database.connections,
        "how many one worker process may open: SQLAlchemy's pool of 5 and its overflow of 10",
        example=15,
        ge=1,
        le=1000,
    )


class ScheduledTable(Table):
    """One entry of `schedule:` of a service."""

    cron: CronExpression = setting(
        ...,
        "five fields of crontab, or `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly`; in UTC",
        example="0 3 * * *",
    )
    command: Words = setting(..., "what runs then", example="flask cleanup")


class ServiceTable(Table):
    """One service of `services:`."""

    path: Text | None = setting(
        None,
        "folder that the image is built from, relative to `Pulumi.yaml`; it may lie outside the project "
        "(`../../services/ui`)",
        example="services/images",
        shown="`services/<name>`",
    )
    image: ImageName | None = setting(
        None,
        "a ready-made image instead, with its version: `redis:7.4`. Without `command` it runs its own, and then can "
        "have no secrets",
        example="redis:7.4",
    )
    app: Entry | None = setting(
        None,
        "WSGI entry point, `module:variable` or `module:factory()`; gunicorn runs it",
        example="manage:app",
        shown="`manage:app`",
    )
    command: Words | None = setting(
        None, "command that runs instead of gunicorn: a worker, another server", example="python worker.py"
    )
    entrypoint: bool | None = setting(
        None,
        "whether the image's ENTRYPOINT runs before each command, [see below](#the-image)",
        example=False,
        shown="`true` if it passes commands on",
    )
    route: Route | None = setting(
        None,
        "path prefix at the edge. Without one the service cannot be reached from outside",
        example="/images/",
        shown="none; `/` for a site with one service",
    )
    host: Host | None = setting(
        None,
        "host name that the route applies to; without `route` it means the whole host",
        example="images.example.org",
        shown="every name",
    )
    uses: tuple[Text, ...] = setting(
        (),
        "services that it may call: at `{services.NAME.url}`, or at `{services.NAME.host}` and `.port` where they do "
        "not speak HTTP. The latter are called directly, old and new containers alike during a release: give them "
        "`strategy: recreate`",
        example=["images"],
    )
    database: Annotated[DatabaseTable | None, OnOrTable] = setting(
        None,
        "`true`: a database and roles of its own. `{service: NAME}`: that of another service, for a worker beside it: "
        "with that service's logins, started after its migration, and without a `migrate` of its own. `{url: …}`: one "
        "on a managed server, [see below](#a-managed-database)",
        example=True,
        also=[{"type": "boolean"}],
    )
    migrate: Words | None = setting(
        None,
        "command, run once per release before any new container; the service then has no right to change tables. Both "
        "the old and the new code must work with the schema that it leaves: [releases.md](releases.md#migrations)",
        example="flask db upgrade",
    )
    seed: Words | None = setting(
        None, "command, run once, after the first `migrate`, in the dev profile", example="python manage.py seed_db"
    )
    volumes: dict[str, Text] = setting(
        {},
        "volume name: folder in the container. `SERVICE.VOLUME` is another service's, which must have the same `user`:"
        " `{images.uploads: /media}`",
        example={"uploads": "/home/app/web/media"},
    )
    static: dict[str, Text] = setting(
        {},
        "URL path below the route: folder below `path`, served by nginx itself. A path without a slash at its end may "
        "also be a single file: `/favicon.ico: app/static/favicon.ico`",
        example={"/static/": "app/static"},
    )
    idempotent: tuple[Text, ...] = setting(
        (),
        "paths below the route at which a POST may arrive twice without harm. If a container dies while handling a "
        "request, nginx sends it to another one (but not if it only takes longer than `drain`: then the client gets "
        "504): always if the method is idempotent (GET, PUT, DELETE), at these paths a POST or PATCH as well. "
        "Elsewhere those get 503, because nobody knows whether they were carried out",
        example=["/login"],
    )
    env: dict[str, Text] = setting(
        {},
        'environment variables; may contain [references](#references-in-env). Quote what YAML would change: `"01234"`,'
        ' `"1.10"`, `"2026-01-15"`',
        example={"TITLE": "Photos"},
    )
    env_file: Text | None = setting(
        None,
        'file of the project with more of them; those in `env` win. JSON, as a list of `{"name": …, "value": …}` or an'
        " object; or lines `NAME=value` as for `docker run --env-file`. May contain references too, but no secrets",
        example="config/production.json",
    )
    secrets: tuple[Text, ...] = setting(
        (), "environment variables with a generated value, or one that you set", example=["SECRET_KEY"]
    )
    replicas: int = setting(Service.replicas, "containers", example=2, ge=1, le=32)
    memory: int = setting(
        Service.memory,
        "limit of one container; the number of gunicorn workers follows from it",
        example=256,
        unit="MiB",
        ge=32,
    )
    cpus: float = setting(
        Service.cpus,
        "processor cores of one container; the number of gunicorn workers follows from them",
        example=0.5,
        unit="cores",
        ge=0.1,
        le=128,
    )
    threads: int = setting(
        Service.threads,
        "requests that one gunicorn worker serves at a time; an open WebSocket or stream is one. Further ones wait in "
        "that worker even if another is idle: give more to a service that answers slowly",
        example=16,
        ge=1,
        le=256,
    )
    pids: int | None = setting(
        None, "processes and threads of one container", example=512, shown="256, more for many workers", ge=16, le=32768
    )
    port: Annotated[int, AfterValidator(_port)] = setting(
        Service.port, "port that it listens on", example=5000, ge=1, le=65535
    )
    protocol: Protocol = setting(
        Service.protocol,
        "what nginx speaks with gunicorn: `http`, or `uwsgi`, gunicorn's second protocol. Apps notice no difference, "
        "WebSockets and streams included. In the dev profile Flask's server speaks HTTP",
        example="uwsgi",
    )
    dev_port: int | None = setting(
        None,
        "port on 127.0.0.1 in the dev profile",
        example=8006,
        shown="the next free from 8006, or from the site's lowest; none for a worker",
        ge=1024,
        le=65535,
    )
    health: ProbePath | None = setting(
        None,
        "path, below the route, that answers as long as the process is healthy",
        example="/health",
        shown="`/health`; none for a worker or an image without a route",
    )
    ready: ProbePath | None = setting(
        None, "path that must answer before a new container gets requests", example="/ready", shown="as `health`"
    )
    egress: bool = setting(
        Service.egress,
        "may connect to servers outside the site. Without it, [the engine's host is still in "
        "reach](security.md#the-engines-host) with Docker before 28",
        example=True,
        shown="`false`; `true` with a managed database",
    )
    strategy: Strategy = setting(
        Service.strategy,
        "`recreate` if two versions must never run side by side: the old container is then stopped first. For one "
        "replica; commands of `schedule` go on in the old version until the release has ended",
        example="rolling",
    )
    schedule: dict[str, ScheduledTable] = setting(
        {},
        "commands that run on a schedule, [see below](#scheduled-commands)",
        example={"cleanup": {"cron": "0 3 * * *", "command": "flask cleanup"}},
    )
    user: int = setting(
        Service.user,
        "user id that it runs as in prod; never root. With `volumes`, [a change needs a stop](#another-user)",
        example=1000,
        ge=1,
        le=65533,
    )
