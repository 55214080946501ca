"""The secrets of one service as files: what a process finds in its environment without `docker inspect` showing it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pulumi

from components.context import Context
from components.databases import Databases
from components.secrets import Secrets
from slipway.core import container_paths, gunicorn, references, rotation, schedule
from slipway.core.dsn import parse
from slipway.core.provisioning import Duty
from slipway.providers.files import FilesVolume
from slipway.site.site import Service

ENTRY = ["sh", f"{container_paths.SECRETS}/exec"]
"""Stands before a command, in place of the image's own entry point."""
SCHEDULE = "schedule.py"
WRAPPER = Path(__file__).parents[1] / "slipway/images/flask/exec"
SCHEDULER = Path(schedule.__file__)
WORKER = WRAPPER.with_name(f"{gunicorn.WORKER}.py")


@dataclass(frozen=True, kw_only=True)
class ServiceFilesArgs:
    """`duty` is the database login that the process gets; `uid` who may read the files; `entrypoint` what its image
    runs before each command."""

    context: Context
    service: Service
    secrets: Secrets
    databases: Databases | None
    duty: Duty
    uid: int
    image: pulumi.Input[str]
    entrypoint: pulumi.Output[list[str]]


class ServiceFiles(pulumi.ComponentResource):
    """Owns a volume with one 0400 file for each secret variable and the wrapper that exports them (and gunicorn's
    worker where that serves, and the program that starts scheduled commands where there are any).

    `plain` are the variables without a secret. `entrypoint` is the image's own, and `wrapped(command)` the command that
    starts behind it, with all variables: that needs nothing but `sh` in the image.
    """

    volume: pulumi.Output[str]
    entrypoint: pulumi.Output[list[str]]

    def __init__(self, name: str, args: ServiceFilesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("slipway:components:ServiceFiles", name, None, opts)
        context, service = args.context, args.service
        self.entrypoint = args.entrypoint
        secrets = {f"secrets.{secret}": args.secrets.of(service.name, secret) for secret in service.secrets}
        former = {secret: args.secrets.former(service.name, secret) for secret in service.secrets}
        fallbacks = {
            f"secrets.{secret}{rotation.FALLBACKS}": rotation.NO_FALLBACKS if value is None else _listed(value)
            for secret, value in former.items()
        }
        database = _database(args, secrets)
        values: dict[str, pulumi.Input[str]] = {**context.site.addresses(), **fallbacks, **secrets, **database}
        plain, secret = references.split(service.env, service.secrets)
        # Only from the first rotation on: before, it would change the files of every stack that is there.
        rotated = rotation.fallback_variables(service, (name for name, value in former.items() if value is not None))
        secret |= {variable: f"{{secrets.{variable}}}" for variable in rotated}
        known = {key: text for key, text in values.items() if isinstance(text, str)}
        # `flask` commands find the application as gunicorn does, also in images that know nothing of these settings.
        entry = {"FLASK_APP": service.app} if service.app else {}
        self.plain = entry | {variable: references.fill(text, known) for variable, text in plain.items()}
        programs = {"exec": WRAPPER.read_text()} | ({SCHEDULE: SCHEDULER.read_text()} if service.schedule else {})
        if service.app and not service.command and not context.site.profile.debug_server:
            programs[f"gunicorn/{WORKER.name}"] = WORKER.read_text()
        files = pulumi.Output.all(**values).apply(
            lambda found: {
                **programs,
                **{f"env/{variable}": references.fill(text, found) for variable, text in secret.items()},
            }
        )
        self.volume = FilesVolume(
            name,
            engine=context.engine,
            volume=args.secrets.volume_name(name.removeprefix(context.name("")).removesuffix("-files"), files),
            files=files,
            uid=args.uid,
            gid=args.uid,
            image=args.image,
            labels=context.labels(service.name),
            opts=pulumi.ResourceOptions(parent=self),
        ).volume
        self.register_outputs({"volume": self.volume})

    def wrapped(self, command: list[str]) -> pulumi.Output[list[str]]:
        return self.started(command).apply(lambda words: [*ENTRY, *words])

    def started(self, command: pulumi.Input[list[str]]) -> pulumi.Output[list[str]]:
        """What ENTRY gets as its arguments."""
        return pulumi.Output.all(self.entrypoint, command).apply(lambda both: [*both[0], *both[1]])


def _listed(value: pulumi.Output[str]) -> pulumi.Output[str]:
    return value.apply(lambda text: json.dumps([text]))


def _database(args: ServiceFilesArgs, secrets: Mapping[str, pulumi.Output[str]]) -> dict[str, pulumi.Input[str]]:
    """What the references {database.…} stand for: the service's own database, or the managed one that it names."""
    service = args.service
    if service.database is None:
        return {}
    password: pulumi.Output[str]
    if managed := service.database.url:
        dsn, reference = parse(managed)
        password = pulumi.Output.all(**secrets).apply(lambda known: references.fill(reference, known))
    else:
        assert args.databases is not None, "a site with such a service has a server of its own"
        dsn = args.databases.dsn(service, args.duty)
        password = args.databases.password(service, args.duty)
    return {**dsn.plain_values(), "database.password": password, "database.url": password.apply(dsn.url)}
