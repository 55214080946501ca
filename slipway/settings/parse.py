"""From what was written to a Site: overrides merged, shapes checked, defaults filled in, then everything cross-checked.

Pure: reads the services' folders, and imports no pulumi.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from slipway.settings import checks, env_file, fields, pin, written
from slipway.settings.edge_table import PagesTable
from slipway.settings.engine_checks import Engine
from slipway.settings.explain import Location, explain, present
from slipway.settings.models import TOP_LEVEL, Declaration
from slipway.settings.problems import Problem, SettingsError, did_you_mean, without_consequences
from slipway.settings.service_table import ServiceTable
from slipway.site.database import Database, MigrationSettings, PostgresSettings
from slipway.site.edge import EdgeSettings, TlsSettings
from slipway.site.profile import PROFILES, Profile, guarding, profile_for
from slipway.site.site import AdminerSettings, BaseImages, Scheduled, Service, Site

FIRST_DEV_PORT = 8006
DEFAULT_ENTRY = "manage:app"


def parse(
    raw: Mapping[str, Any],
    *,
    project: str,
    stack: str,
    root: Path,
    base_images: Mapping[str, str],
    encrypted: Collection[str] = ("secrets",),
    engine: Engine | None = None,
) -> Site:
    """`raw` is the configuration by key, without the project's namespace; `encrypted` names the keys with a secret.

    `base_images` are the defaults; `engine` is asked whether the site fits it (None: not checked). Raises SettingsError
    with every problem at once.
    """
    site, declaration, problems = read(raw, project=project, stack=stack, root=root, base_images=base_images)
    problems += checks.everything(checks.Asked(site, declaration, frozenset(encrypted), engine))
    problems += pin.problems(site, engine)
    if remaining := without_consequences(problems):
        raise SettingsError(remaining, stack)
    return site


def read(
    raw: Mapping[str, Any], *, project: str, stack: str, root: Path, base_images: Mapping[str, str]
) -> tuple[Site, Declaration, list[Problem]]:
    """The site as far as it can be read: where something is wrong, its default stands in. And what is wrong, as far as
    a single value shows it."""
    problems = [
        Problem(path=key, what=f"unknown key{did_you_mean(key, TOP_LEVEL)}", fix=(f"Type: pulumi config rm {key}",))
        for key in raw
        if key not in TOP_LEVEL and ":" not in key  # of another namespace
    ]
    problems += checks.elsewhere(raw, project, stack)
    known = {key: value for key, value in raw.items() if key in TOP_LEVEL}
    overrides = known.pop("overrides", None) or {}
    pinned, recorded, found = pin.read(known.pop(pin.RELEASE, None))
    problems += found or ([] if pinned else checks.overrides(overrides, known.get("services")))
    services, secrets = known.get("services"), dict[str, tuple[str, ...]]()
    if isinstance(services, Mapping):
        changes = overrides if isinstance(overrides, Mapping) else {}
        declared = {name: {} if table is None else table for name, table in services.items()}
        known["services"] = {
            name: _merged(table, changes[name]) if name in changes else table for name, table in declared.items()
        }
        secrets = pin.secrets_of(known["services"])
    if pinned:
        known["services"], overrides = dict(recorded), {}
    elif isinstance(services, Mapping):
        problems += written.problems(raw, root, stack)
        known["services"], found = env_file.included(known["services"], root)
        problems += found
    tables = known.get("services") or {}
    declaration, found = _validated(known, overrides)
    problems += found
    profile, found = _profile(stack, declaration.profile)
    problems += found
    site = _site(declaration, profile, project=project, stack=stack, root=root, base_images=base_images)
    return replace(site, tables=tables, pin=pinned, declared_secrets=secrets), declaration, problems


def _merged(base: Any, change: Any) -> Any:
    """The change laid over the base: tables key by key, anything else whole; null takes a key back to its default."""
    if not (isinstance(base, Mapping) and isinstance(change, Mapping)):
        return base if change is None else change
    result = dict(base)
    for key, value in change.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = _merged(base[key], value) if key in base else value
    return result


def _validated(known: dict[str, Any], overrides: Mapping[str, Any]) -> tuple[Declaration, list[Problem]]:
    """The declaration without the parts that are wrong (their defaults stand in), and what was wrong with them."""
    problems: list[Problem] = []
    taken: set[Location] = set()
    while True:
        try:
            return Declaration.model_validate(known), problems
        except ValidationError as error:
            found = explain(error, overrides if isinstance(overrides, Mapping) else {})
            problems += [problem for location, problem in found if location not in taken]
            smaller: dict[str, Any] = known
            for location, _ in reversed(found):  # backwards: places in a list stay right
                # What is missing goes with the table that it is missing from.
                smaller = _without(smaller, location if present(known, location) else location[:-1])
                taken.add(location)
                if location[0] == "services" and len(location) == 2:
                    smaller["services"][location[1]] = {}  # others may go on naming it
            known = smaller if smaller != known else {}


def _without(table: Any, location: Location) -> Any:
    """The same without what is there."""
    if not location:
        return table
    key, *rest = location
    if isinstance(table, list):
        return [] if not rest else [entry for index, entry in enumerate(table) if index != key]
    if not isinstance(table, Mapping) or key not in table:
        return table
    inner = table[key]
    if rest and isinstance(inner, (Mapping, list)):
        return {**table, key: _without(inner, tuple(rest))}
    return {name: value for name, value in table.items() if name != key}


def _profile(stack: str, chosen: str | None) -> tuple[Profile, list[Problem]]:
    try:
        return profile_for(stack, chosen or None), []
    except KeyError:
        what = f"{chosen!r} is no profile{did_you_mean(str(chosen), PROFILES)}"
        fix = ("Type: pulumi config set profile prod",)
        return guarding(stack, chosen), [Problem(path="profile", what=what, fix=fix)]


def _site(
    declaration: Declaration,
    profile: Profile,
    *,
    project: str,
    stack: str,
    root: Path,
    base_images: Mapping[str, str],
) -> Site:
    ports = _dev_ports(declaration.services)
    sole = len(declaration.services) == 1
    images = {name: name_ for name, name_ in declaration.base_images.model_dump().items() if name_}
    services = {
        name: _service(name, table, sole=sole, dev_port=ports[name]) for name, table in declaration.services.items()
    }
    databases = any(service.owns_database for service in services.values())
    wants_adminer = profile.adminer and databases and "adminer" not in declaration.model_fields_set
    adminer = declaration.adminer.model_dump() if declaration.adminer else {} if wants_adminer else None
    return Site(
        project=project,
        stack=stack,
        profile=profile,
        services={service.name: service for service in _in_order(services.values())},
        edge=EdgeSettings(
            **declaration.edge.model_dump(exclude={"pages", "tls"}),
            pages=_pages(declaration.edge.pages),
            tls=TlsSettings(**declaration.edge.tls.model_dump()),
        ),
        postgres=PostgresSettings(**declaration.postgres.model_dump()),
        migrations=MigrationSettings(**declaration.migrations.model_dump()),
        adminer=None if adminer is None else AdminerSettings(**adminer),
        base_images=BaseImages(**{**base_images, **images}),
        configured_secrets={name: tuple(sorted(values)) for name, values in declaration.secrets.items()},
        rotations=declaration.rotations,
        deploy_timeout=declaration.deploy_timeout,
        drain=declaration.drain,
        keep_releases=declaration.keep_releases,
        root=root,
    )


def _in_order(services: Collection[Service]) -> list[Service]:
    """Each behind those whose database or volumes it uses; where they use each other's, as they were declared."""
    waiting, placed = sorted(services, key=lambda each: each.shares_database), list[Service]()
    while waiting:
        there = {service.name for service in waiting}
        chosen = next((each for each in waiting if not _needs(each) & there), waiting[0])
        waiting.remove(chosen)
        placed.append(chosen)
    return placed


def _needs(service: Service) -> set[str]:
    owner = service.database.service if service.database else None
    return ({name for name, _ in service.others_volumes} | ({owner} if owner else set())) - {service.name}


def _pages(table: PagesTable) -> dict[str, str]:
    """{name of the page: file}, of those that are named."""
    return {page: file for page, file in table.model_dump().items() if file}


def _service(name: str, table: ServiceTable, *, sole: bool, dev_port: int) -> Service:
    """The table with the defaults that depend on its other keys."""
    ordinary = table.image is None and table.command is None
    route = table.route or ("/" if table.host or (sole and ordinary) else None)
    default_health = "/health" if ordinary or route else None
    health = table.health if "health" in table.model_fields_set else default_health
    values = table.model_dump(exclude={"database", "env_file"})
    return Service(
        **{
            **values,
            "name": name,
            "path": None if table.image else table.path or f"services/{name}",
            "app": table.app or (DEFAULT_ENTRY if ordinary else None),
            "route": route,
            "health": health,
            "ready": table.ready or health,
            "volumes": {key: path for key, path in table.volumes.items() if not fields.others_volume(key)},
            "others_volumes": {
                owned: path for key, path in table.volumes.items() if (owned := fields.others_volume(key))
            },
            "database": Database(**table.database.model_dump()) if table.database else None,
            "schedule": {key: Scheduled(**each.model_dump()) for key, each in table.schedule.items()},
            "dev_port": dev_port if health or table.dev_port else None,
        }
    )


def _dev_ports(services: Mapping[str, ServiceTable]) -> dict[str, int]:
    """Each service's own port on 127.0.0.1: the declared ones, and for the others the next free from the lowest."""
    ports = {name: table.dev_port for name, table in services.items() if table.dev_port}
    first = min(ports.values(), default=FIRST_DEV_PORT)
    free = (port for port in range(first, 65536) if port not in set(ports.values()))
    return {name: ports.get(name) or next(free) for name in services}
