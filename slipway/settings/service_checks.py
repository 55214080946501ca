"""What must be right within one service: names, folders, entry point, volumes, and what excludes what."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from slipway.core import kinds, references
from slipway.settings import fields, wsgi
from slipway.settings.problems import Problem, closest, did_you_mean, spelled, write_service
from slipway.site.protocol import Protocol
from slipway.site.site import Service, Site, Strategy

RESERVED = kinds.OWN.keys() | {"localhost", "nginx", "public", "slipway", "stack", "template0", "template1"}
RESERVED_VARIABLES = {
    "SCRIPT_NAME": "it follows from the route",
    "GUNICORN_CMD_ARGS": "it would undo the site's settings",
}


def everything(site: Site, service: Service) -> list[Problem]:
    """All problems of one service."""
    return [found for check in CHECKS for found in check(site, service)]


def problem(service: Service, key: str | tuple[str, str], what: str, fix: tuple[str, ...], *because: str) -> Problem:
    """A problem of one key of the service; `because`: keys of it whose own mistake would explain this one."""
    path = spelled("services", service.name, *((key,) if isinstance(key, str) and key else key))
    return Problem(path=path, what=what, fix=fix, because=tuple(f"services.{service.name}.{key}" for key in because))


def _name(_: Site, service: Service) -> Iterator[Problem]:
    if service.name in RESERVED:
        what = "this name belongs to Slipway itself"
    elif service.owns_database and f"{service.name}-".startswith("pg-"):
        what = "its database's roles would be called pg_…, and those names belong to Postgres itself"
    elif not fields.is_name(service.name):
        what = (
            f"a service's name has small letters, digits and single hyphens, begins with a letter and has at most "
            f"{fields.LONGEST_NAME} characters"
        )
    else:
        return
    yield problem(
        service, "", what, (f"In Pulumi.yaml, rename the service, for example to {_other_name(service.name)}.",)
    )


def _other_name(name: str) -> str:
    letters = "".join(character if character.isascii() and character.isalnum() else "-" for character in name.lower())
    plain = (
        "-".join(part for part in letters.strip("-0123456789").split("-") if part)[: fields.LONGEST_NAME - 4] or "app"
    )
    plain = plain.removeprefix("pg-") if plain != "pg" else "db"
    return f"{plain}-app" if plain in RESERVED else plain


def _what_runs(site: Site, service: Service) -> Iterator[Problem]:
    name = service.name
    if service.image and service.app:
        yield problem(
            service,
            "app",
            "a ready-made image has no WSGI entry point to run",
            (f"In Pulumi.yaml, services.{name}: remove `app:` or `image:`",),
        )
    if service.image and not service.command and references.split(service.env, service.secrets)[1]:
        yield problem(
            service,
            "command",
            "its secrets are exported before a command starts, and a ready-made image does not say which",
            write_service(name, "command", value="redis-server --save 60 1"),
        )
    if service.command and service.app:
        yield problem(
            service,
            "app",
            "there is a command as well, and only one of them can run",
            (f"In Pulumi.yaml, services.{name}: remove `app:` or `command:`",),
        )
    if service.protocol is Protocol.UWSGI and not service.app:
        what = "only gunicorn is told to speak uwsgi, and here something else runs"
        remedy = (f"In Pulumi.yaml, services.{name}: remove `protocol:`",)
        yield problem(service, "protocol", what, remedy, "image", "command")
    if service.path is None or not site.needs_sources:
        return
    folder = site.root / service.path
    if PurePosixPath(service.path).is_absolute():
        yield problem(
            service,
            "path",
            f"{service.path} must be relative to the folder of Pulumi.yaml",
            write_service(name, "path", value=f"services/{name}"),
        )
    elif not folder.is_dir():
        siblings = [child.name for child in folder.parent.iterdir() if child.is_dir()] if folder.parent.is_dir() else []
        near = closest(folder.name, siblings)
        right = f"{PurePosixPath(service.path).parent}/{near}" if near else "FOLDER"
        fix = (*write_service(name, "path", value=right), f"or type: mkdir -p {service.path}")
        what = f"there is no folder {service.path}" + (f"; did you mean {right}?" if near else "")
        yield problem(service, "path", what, fix, "image")
    elif service.app and (missing := wsgi.missing(folder, service.app, service.path)):
        fix = write_service(name, "app", value=missing.suggestion)
        yield problem(service, "app", missing.what, fix, "path", "image", "command")


def _jobs(_: Site, service: Service) -> Iterator[Problem]:
    if service.migrate and not service.database:
        fix = write_service(service.name, "database", value=True)
        yield problem(service, "migrate", "there is no database to migrate", fix, "database")
    if service.routed and not service.http:
        fix = write_service(service.name, "health", value="/health")
        yield problem(service, "health", "a service with a route must say by which path it shows that it is well", fix)


def _strategy(_: Site, service: Service) -> Iterator[Problem]:
    if service.strategy is Strategy.RECREATE and service.replicas > 1:
        what = "replicas are replaced one after the other, so that two versions would run side by side"
        fix = write_service(service.name, "replicas", value=1)
        yield problem(service, "replicas", what, fix, "strategy")


def _schedule(_: Site, service: Service) -> Iterator[Problem]:
    if service.schedule and service.image:
        what = "a ready-made image need not have the Python that starts the commands: give the service a folder"
        yield problem(service, "schedule", what, write_service(service.name, "path", value="services/jobs"), "image")
    for name, each in service.schedule.items():
        if not fields.is_name(name):
            what = f"it has small letters, digits and single hyphens, and at most {fields.LONGEST_NAME} characters"
            example = {"cleanup": {"cron": each.cron, "command": " ".join(each.command)}}
            yield problem(service, ("schedule", name), what, write_service(service.name, "schedule", value=example))


def _static(site: Site, service: Service) -> Iterator[Problem]:
    for url, folder in service.static.items():
        key = ("static", url)
        example = write_service(service.name, "static", value={"/static/": folder})
        if not service.routed:
            yield problem(
                service,
                key,
                "without a route nobody can ask for static files",
                write_service(service.name, "route", value=f"/{service.name}/"),
                "route",
            )
        if not fields.is_url_path(url) or url == "/":
            yield problem(service, key, "must be a path below the route, such as /static/", example)
        if PurePosixPath(folder).is_absolute() or ".." in PurePosixPath(folder).parts:
            yield problem(service, key, f"{folder} must be a folder or a file below the service's own folder", example)
        elif service.path and site.needs_sources and (site.root / service.path).is_dir():
            source = site.root / service.path / folder
            if url.endswith("/") and source.is_file():
                what = f"{service.path}/{folder} is a single file, whose path has no slash at its end"
                alone = write_service(service.name, "static", value={url.rstrip("/"): folder})
                yield problem(service, key, what, alone, "path")
            elif not source.exists():
                what = f"there is no {'folder' if url.endswith('/') else 'folder or file'} {service.path}/{folder}"
                yield problem(service, key, what, example, "path")


def _variables(_: Site, service: Service) -> Iterator[Problem]:
    for name in (*service.env, *service.secrets):
        kind = "env" if name in service.env else "secrets"
        if not fields.is_variable(name):
            better = (
                "".join(character if character.isalnum() else "_" for character in name).strip("_").upper() or "NAME"
            )
            example: Any = {better: service.env[name]} if kind == "env" else [better]
            yield problem(
                service,
                (kind, name),
                "a variable's name has letters, digits and underscores",
                write_service(service.name, kind, value=example),
            )
        elif name in RESERVED_VARIABLES:
            yield problem(
                service,
                (kind, name),
                f"may not be set: {RESERVED_VARIABLES[name]}",
                (f"In Pulumi.yaml, services.{service.name}.{kind}: remove `{name}`",),
            )
    for name in sorted(set(service.env) & set(service.secrets)):
        yield problem(
            service,
            ("env", name),
            "is among the secrets as well, and only one of them can hold",
            (f"In Pulumi.yaml, services.{service.name}.env: remove `{name}`",),
        )


def _uses(site: Site, service: Service) -> Iterator[Problem]:
    others = [name for name in site.services if name != service.name]
    for name in service.uses:
        if name == service.name:
            what = "a service reaches itself anyway"
        elif name not in site.services:
            what = f"there is no service {name}{did_you_mean(name, others)}"
        else:
            continue
        rest = [used for used in service.uses if used in others]
        yield problem(service, "uses", what, write_service(service.name, "uses", value=rest or others[:1]))


CHECKS = (_name, _what_runs, _jobs, _strategy, _schedule, _static, _variables, _uses)
