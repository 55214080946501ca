"""The secrets of one service as files: what a process finds in its environment without `docker inspect` showing it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pulumi

from components.context import Context
from components.databases import Databases
from components.secrets import Secrets
from slipway.core import references
from slipway.core.provisioning import Duty
from slipway.providers.files import FilesVolume
from slipway.settings.site import Service

MOUNT = "/run/slipway"
WRAPPER = Path(__file__).parents[1] / "slipway" / "build" / "exec"


@dataclass(frozen=True, kw_only=True)
class ServiceFilesArgs:
    """`duty` is the database login that the process gets; `uid` who may read the files."""

    context: Context
    service: Service
    secrets: Secrets
    databases: Databases | None
    duty: Duty
    uid: int
    image: pulumi.Input[str]


class ServiceFiles(pulumi.ComponentResource):
    """Owns a volume with one 0400 file for each secret variable and the wrapper that exports them.

    `plain` are the variables without a secret. `wrapped(command)` is the command that starts with all of them: it needs
    nothing but `sh` in the image.
    """

    volume: pulumi.Output[str]

    def __init__(self, name: str, args: ServiceFilesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("slipway:components:ServiceFiles", name, None, opts)
        context, service = args.context, args.service
        values: dict[str, pulumi.Input[str]] = {
            f"services.{other.name}.url": context.site.url_of(other) for other in context.site.services.values()
        }
        values |= {f"secrets.{secret}": args.secrets.of(service.name, secret) for secret in service.secrets}
        database: dict[str, pulumi.Input[str]] = {}
        if args.databases and service.database and service.database.url is None:
            dsn = args.databases.dsn(service, args.duty)
            password = args.databases.password(service, args.duty)
            database = dict(dsn.plain_values())
            database |= {"database.password": password, "database.url": password.apply(dsn.url)}
        elif service.database and (managed := service.database.url):
            database = {
                "database.url": pulumi.Output.all(**values).apply(lambda known: references.fill(managed, known))
            }
        plain, secret = references.split(service.env, service.secrets)
        known = {key: text for key, text in (values | database).items() if isinstance(text, str)}
        self.plain = {variable: references.fill(text, known) for variable, text in plain.items()}
        wrapper = WRAPPER.read_text()
        files = pulumi.Output.all(**(values | database)).apply(
            lambda found: {
                "exec": wrapper,
                **{f"env/{variable}": references.fill(text, found) for variable, text in secret.items()},
            }
        )
        self.volume = FilesVolume(
            name,
            engine=context.engine,
            volume=args.secrets.volume_name(name.removeprefix(context.name("")), files),
            files=files,
            uid=args.uid,
            gid=args.uid,
            image=args.image,
            labels=context.labels(service.name),
            opts=pulumi.ResourceOptions(parent=self),
        ).volume
        self.register_outputs({"volume": self.volume})

    @staticmethod
    def wrapped(command: list[str]) -> list[str]:
        return ["sh", f"{MOUNT}/exec", *command]
