"""The declaration as a user may write it: key names, types, ranges, defaults. An unknown key is an error.

`examples` are what a message tells the user to type.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

from slipway.nginx.main import INTERNAL_PORT
from slipway.settings.fields import (
    Address,
    CronExpression,
    DirectoryUrl,
    Email,
    Entry,
    Host,
    ImageName,
    Network,
    OffIsAWord,
    OnOrTable,
    ProbePath,
    Route,
    Text,
    Words,
    refuse,
    word_or_table,
)
from slipway.site.database import Preload
from slipway.site.edge import HeaderProfile, TlsMode, TlsProfile
from slipway.site.protocol import Protocol
from slipway.site.site import Strategy


class Table(BaseModel):
    """A set of keys, written in camelCase."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, frozen=True)


def _port(value: int) -> int:
    if value == INTERNAL_PORT:
        raise refuse(f"{value} is taken: the edge's own checks listen there")
    return value


class DatabaseTable(Table):
    """`database:` of a service, or `true`."""

    url: Text | None = Field(
        default=None, examples=["postgresql://app:{secrets.DB_PASSWORD}@db.example.org:5432/photos"]
    )
    service: Text | None = Field(default=None, examples=["web"])
    connections: int = Field(default=15, ge=1, le=1000, examples=[15])


class ScheduledTable(Table):
    """One entry of `schedule:` of a service."""

    cron: CronExpression = Field(examples=["0 3 * * *"])
    command: Words = Field(examples=["flask cleanup"])


class ServiceTable(Table):
    """One service of `services:`."""

    path: Text | None = Field(default=None, examples=["services/images"])
    image: ImageName | None = Field(default=None, examples=["redis:7.4"])
    app: Entry | None = Field(default=None, examples=["manage:app"])
    command: Words | None = Field(default=None, examples=["python worker.py"])
    entrypoint: bool | None = Field(default=None, examples=[False])
    route: Route | None = Field(default=None, examples=["/images/"])
    host: Host | None = Field(default=None, examples=["images.example.org"])
    uses: tuple[Text, ...] = Field(default=(), examples=[["images"]])
    database: Annotated[DatabaseTable | None, OnOrTable] = Field(default=None, examples=[True])
    migrate: Words | None = Field(default=None, examples=["flask db upgrade"])
    seed: Words | None = Field(default=None, examples=["python manage.py seed_db"])
    volumes: dict[str, Text] = Field(default={}, examples=[{"uploads": "/home/app/web/media"}])
    static: dict[str, Text] = Field(default={}, examples=[{"/static/": "app/static"}])
    idempotent: tuple[Text, ...] = Field(default=(), examples=[["/login"]])
    env: dict[str, Text] = Field(default={}, examples=[{"TITLE": "Photos"}])
    env_file: Text | None = Field(default=None, examples=["config/production.json"])
    secrets: tuple[Text, ...] = Field(default=(), examples=[["SECRET_KEY"]])
    replicas: int = Field(default=1, ge=1, le=32, examples=[2])
    memory: int = Field(default=256, ge=32, examples=[256])
    cpus: float = Field(default=1.0, ge=0.1, le=128, examples=[0.5])
    threads: int = Field(default=4, ge=1, le=256, examples=[16])
    pids: int | None = Field(default=None, ge=16, le=32768, examples=[512])
    port: Annotated[int, AfterValidator(_port)] = Field(default=5000, ge=1, le=65535, examples=[5000])
    protocol: Protocol = Field(default=Protocol.HTTP, examples=["uwsgi"])
    dev_port: int | None = Field(default=None, ge=1024, le=65535, examples=[8006])
    health: ProbePath | None = Field(default=None, examples=["/health"])
    ready: ProbePath | None = Field(default=None, examples=["/ready"])
    egress: bool = Field(default=False, examples=[True])
    strategy: Strategy = Field(default=Strategy.ROLLING, examples=["rolling"])
    schedule: dict[str, ScheduledTable] = Field(
        default={}, examples=[{"cleanup": {"cron": "0 3 * * *", "command": "flask cleanup"}}]
    )
    user: int = Field(default=1000, ge=1, le=65533, examples=[1000])


class PagesTable(Table):
    """`edge.pages:`"""

    maintenance: Text | None = Field(default=None, examples=["pages/maintenance.html"])
    unavailable: Text | None = Field(default=None, examples=["pages/unavailable.html"])
    too_large: Text | None = Field(default=None, examples=["pages/too-large.html"])


class TlsTable(Table):
    """`edge.tls:`, or its mode alone."""

    mode: Annotated[TlsMode, OffIsAWord] = Field(default=TlsMode.OFF, examples=["self-signed"])
    profile: TlsProfile = Field(default=TlsProfile.INTERMEDIATE, examples=["intermediate"])
    hsts: int = Field(default=0, ge=0, le=2 * 366 * 24 * 3600, examples=[15768000])
    certificate: Text | None = Field(default=None, examples=["tls/fullchain.pem"])
    key: Text | None = Field(default=None, examples=["tls/privkey.pem"])
    email: Email | None = Field(default=None, examples=["admin@example.org"])
    staging: bool = Field(default=False, examples=[True])
    directory: DirectoryUrl | None = Field(default=None, examples=["https://ca.example.org/acme/directory"])
    ca_bundle: Text | None = Field(default=None, examples=["tls/ca.pem"])


class EdgeTable(Table):
    """`edge:`"""

    address: Address = Field(default="127.0.0.1", examples=["127.0.0.1"])
    port: int = Field(default=8100, ge=1, le=65535, examples=[8100])
    tls_port: int = Field(default=8443, ge=1, le=65535, examples=[8443])
    tls: Annotated[TlsTable, BeforeValidator(word_or_table(TlsMode, "mode"))] = Field(
        default=TlsTable(), examples=["self-signed"]
    )
    headers: Annotated[HeaderProfile, OffIsAWord] = Field(default=HeaderProfile.SAFE, examples=["safe"])
    rate_limits: dict[str, Annotated[int, Field(ge=1, le=60000)]] = Field(default={}, examples=[{"/login": 30}])
    connections_per_address: int = Field(default=1000, ge=0, le=65535, examples=[1000])
    max_header: int = Field(default=8, ge=4, le=64, examples=[16])
    hosts: tuple[Host, ...] = Field(default=(), examples=[["www.example.org"]])
    trusted_proxies: tuple[Network, ...] = Field(default=(), examples=[["10.0.0.0/8"]])
    max_body: int = Field(default=16, ge=1, le=4096, examples=[16])
    pages: PagesTable = Field(default=PagesTable(), examples=[{"maintenance": "pages/maintenance.html"}])
    static_retention: int = Field(default=7 * 24 * 3600, ge=60, le=366 * 24 * 3600, examples=[604800])
    static_max_age: int = Field(default=0, ge=0, le=366 * 24 * 3600, examples=[2592000])
    stream_timeout: int = Field(default=3600, ge=1, le=24 * 3600, examples=[600])
    memory: int = Field(default=256, ge=32, examples=[256])
    cpus: float = Field(default=1.0, ge=0.1, le=128, examples=[1.0])


class PostgresTable(Table):
    """`postgres:`"""

    memory: int = Field(default=512, ge=128, examples=[512])
    cpus: float = Field(default=1.0, ge=0.1, le=128, examples=[1.0])
    max_connections: int = Field(default=200, ge=20, le=10000, examples=[200])
    shared_memory: int = Field(default=256, ge=64, examples=[256])
    preload: tuple[Preload, ...] = Field(default=(), examples=[["pg_stat_statements"]])


class MigrationsTable(Table):
    """`migrations:`"""

    lock_timeout: int = Field(default=10, ge=1, le=3600, examples=[10])
    statement_timeout: int = Field(default=0, ge=0, le=86400, examples=[300])
    timeout: int = Field(default=600, ge=10, le=86400, examples=[600])


class AdminerTable(Table):
    """`adminer:`, or `true` and `false`."""

    port: int = Field(default=8081, ge=1024, le=65535, examples=[8081])
    memory: int = Field(default=128, ge=32, examples=[128])


class BaseImagesTable(Table):
    """`baseImages:`; what is left out comes from set-up."""

    python: ImageName | None = Field(default=None, examples=["python:3.13-slim"])
    postgres: ImageName | None = Field(default=None, examples=["postgres:17"])
    nginx: ImageName | None = Field(default=None, examples=["nginx:1.30"])
    adminer: ImageName | None = Field(default=None, examples=["adminer:5"])


Count = Annotated[int, Field(ge=0)]


class Declaration(Table):
    """All of the project's configuration, overrides merged in."""

    services: dict[str, ServiceTable] = Field(default={}, examples=[{"ui": {"route": "/"}}])
    edge: EdgeTable = Field(default=EdgeTable(), examples=[{"port": 8100}])
    postgres: PostgresTable = Field(default=PostgresTable(), examples=[{"memory": 512}])
    migrations: MigrationsTable = Field(default=MigrationsTable(), examples=[{"lockTimeout": 10}])
    adminer: Annotated[AdminerTable | None, OnOrTable] = Field(default=None, examples=[False])
    base_images: BaseImagesTable = Field(default=BaseImagesTable(), examples=[{"python": "python:3.13-slim"}])
    secrets: dict[str, dict[str, Any]] = Field(default={}, examples=[{"images": {"SECRET_KEY": "..."}}])
    rotations: dict[str, dict[str, Count]] = Field(default={}, examples=[{"images": {"SECRET_KEY": 1}}])
    profile: Text | None = Field(default=None, examples=["prod"])
    deploy_timeout: int = Field(default=120, ge=10, le=3600, examples=[120])
    docker_host: Text | None = Field(default=None, examples=["unix:///var/run/docker.sock"])
    drain: int = Field(default=30, ge=1, le=600, examples=[30])
    keep_releases: int = Field(default=5, ge=1, le=100, examples=[5])


TOP_LEVEL = (*(field.alias or name for name, field in Declaration.model_fields.items()), "overrides", "release")
