"""What must fit together across the whole site. Each check yields its problems; none stops at the first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from slipway.core import budget, naming
from slipway.settings import (
    edge_checks,
    engine_checks,
    fields,
    image_checks,
    location_checks,
    reference_checks,
    rotation_checks,
    service_checks,
    volume_checks,
)
from slipway.settings.engine_checks import Engine
from slipway.settings.models import TOP_LEVEL, Declaration
from slipway.settings.problems import Problem, and_type, closest, did_you_mean, set_config, write_service
from slipway.site.site import Site

EXAMPLE = ("  ui:", "    route: /")


@dataclass(frozen=True)
class Asked:
    """The site as it would be, what was asked for, the keys that hold secrets, and the engine (None: not asked)."""

    site: Site
    declaration: Declaration
    encrypted: frozenset[str]
    engine: Engine | None


def everything(asked: Asked) -> list[Problem]:
    """All problems of the site."""
    problems = [problem for check in CHECKS for problem in check(asked)]
    problems += [*edge_checks.everything(asked.site), *rotation_checks.everything(asked.site)]
    problems += location_checks.everything(asked.site)
    problems += engine_checks.everything(asked.site, asked.engine) if asked.engine else []
    for service in asked.site.services.values():
        problems += service_checks.everything(asked.site, service)
        problems += volume_checks.everything(asked.site, service)
        problems += reference_checks.everything(asked.site, service)
        problems += image_checks.everything(asked.site, service)
    return problems


def overrides(table: Any, services: Any) -> list[Problem]:
    """Whether the stack's `overrides` are a table of services that exist."""
    if not isinstance(table, Mapping):
        return [
            Problem(
                path="overrides",
                what="must be a table: service, then what differs in this stack",
                fix=("Type: pulumi config rm overrides", "      pulumi config set --path overrides.SERVICE.replicas 2"),
            )
        ]
    problems = []
    names = list(services) if isinstance(services, Mapping) else []
    for name, change in table.items():
        if name not in names:
            what = f"there is no service {name}{did_you_mean(str(name), names)}"
        elif change is not None and not isinstance(change, Mapping):
            what = f"must be a table of what differs in this stack, not {change!r}"
        else:
            continue
        fix: tuple[str, ...] = (f"Type: pulumi config rm --path overrides.{name}",)
        if name not in names and fields.is_name(str(name)):
            fix += ("Overrides change services and add none. To add it:", *write_service(str(name), value=change or {}))
        problems.append(Problem(path=f"overrides.{name}", what=what, fix=fix, because=("services",)))
    return problems


def elsewhere(keys: Iterable[str], project: str, stack: str) -> Iterator[Problem]:
    """Settings in the namespace of another project: this one was renamed, or its file was copied. `profile` alone says
    nothing, because Pulumi's providers have such a key too (`aws:profile`)."""
    named: dict[str, list[str]] = {}
    for key in keys:
        namespace, colon, name = key.partition(":")
        if colon and name in TOP_LEVEL:
            named.setdefault(namespace, []).append(name)
    for namespace, names in named.items():
        if names == ["profile"]:
            continue
        what = f"belongs to a project called {namespace}, and this one is called {project}: nobody reads it"
        fix = (
            f"In Pulumi.{stack}.yaml, write `{project}:` instead of `{namespace}:` before {', '.join(names)}",
            f"or, to go on with the containers and the data of {namespace}: `name: {namespace}` in Pulumi.yaml",
        )
        yield Problem(path=f"{namespace}:{names[0]}", what=what, fix=fix)


def _services(asked: Asked) -> Iterator[Problem]:
    if not asked.site.services:
        fix = ("Write in Pulumi.yaml, as config.services.default:", *EXAMPLE)
        yield Problem(path="services", what="there is no service", fix=fix)


def _names(asked: Asked) -> Iterator[Problem]:
    project, stack = asked.site.project, asked.site.stack
    if len(naming.prefix(project, stack)) > naming.LONGEST_PREFIX:
        what = (
            f"{project}-{stack}- is longer than {naming.LONGEST_PREFIX} characters, and containers' host names begin so"
        )
        yield Problem(
            path="project and stack",
            what=what,
            fix=("Shorten `name:` in Pulumi.yaml, or choose:", "  pulumi stack rename prod"),
        )
    if (project + stack).lower() != project + stack:
        what = f"{project}-{stack} holds capital letters, and names of images may not"
        yield Problem(
            path="project and stack",
            what=what,
            fix=(
                "Write `name:` in Pulumi.yaml in small letters, and choose:",
                f"  pulumi stack rename {stack.lower()}",
            ),
        )
    derived: dict[str, str] = {}
    for service in asked.site.services.values():
        replicas = (str(number) for number in range(2, service.replicas + 1))
        schedule = ["schedule"] if service.schedule else []
        for suffix in ("db", "egress", *schedule, *service.uses, *service.volumes, *replicas):
            name = f"{service.name}-{suffix}"
            other = name if name in asked.site.services else derived.setdefault(name, service.name)
            if other != service.name:
                what = f"what belongs to {service.name} is called {name} too"
                fix = (f"In Pulumi.yaml, rename the service {other}.",)
                yield Problem(path=f"services.{other}", what=what, fix=fix)


def _routes(asked: Asked) -> Iterator[Problem]:
    services = list(asked.site.services.values())
    routed = [service for service in services if service.routed]
    shape = tuple(f"services.{service.name}" for service in services)
    if services and not routed:
        ordinary = next((service.name for service in services if service.app), services[0].name)
        fix = write_service(ordinary, "route", value="/")
        yield Problem(
            path="services", what="no service has a route, so nothing could be reached", fix=fix, because=shape
        )
    for service in routed:
        if service.host in asked.site.edge.hosts:
            what = f"{service.host} is among edge.hosts, which stand for the services without a host"
            fix = ("Type: pulumi config rm --path edge.hosts", f"or in Pulumi.yaml remove `host:` of {service.name}")
            yield Problem(path=f"services.{service.name}.host", what=what, fix=fix)


def _dev_ports(asked: Asked) -> Iterator[Problem]:
    taken = {asked.site.adminer.port: "adminer"} if asked.site.adminer else {}
    for service in asked.site.services.values():
        if service.dev_port is None:
            continue
        if other := taken.get(service.dev_port):
            what = f"{service.dev_port} is the port of {other} already"
            free = next(port for port in range(8006, 65536) if port not in _all_ports(asked.site))
            fix = write_service(service.name, "devPort", value=free)
            yield Problem(path=f"services.{service.name}.devPort", what=what, fix=fix)
        taken[service.dev_port] = service.name


def _all_ports(site: Site) -> set[int | None]:
    return {service.dev_port for service in site.services.values()} | {site.adminer.port if site.adminer else None}


def _profile(asked: Asked) -> Iterator[Problem]:
    if asked.site.adminer and not asked.site.profile.adminer:
        what = f"the profile {asked.site.profile.name} never runs adminer: it would be a login page to every database"
        fix = ("Type: pulumi config rm adminer", "To look into a database of this stack: slipway psql SERVICE")
        yield Problem(path="adminer", what=what, fix=fix, because=("profile",))


def _secrets(asked: Asked) -> Iterator[Problem]:
    for key in sorted(asked.encrypted - {"secrets"}):
        what = "holds an encrypted value; secrets have a place of their own, and only there they stay secret"
        fix = (f"Type: pulumi config rm {key}", "      pulumi config set --secret --path secrets.SERVICE.NAME")
        yield Problem(path=key, what=what, fix=fix)
    services = asked.site.services
    if asked.site.pin:
        return  # today's secrets, which another release of the services need not know
    for name, values in asked.declaration.secrets.items():
        path = f"secrets.{name}"
        remove = f"Type: pulumi config rm --path {path}"
        if name not in services:
            what = f"there is no service {name}{did_you_mean(name, services)}"
            renamed = f"or, if it was renamed: in Pulumi.{asked.site.stack}.yaml, below `secrets`, write its new name"
            yield Problem(path=path, what=what, fix=(remove, renamed), because=("services",))
            continue
        for secret, value in values.items():
            where, again = f"{path}.{secret}", set_config(f"{path}.{secret}", None, secret=True)
            if secret not in services[name].secrets:
                what = f"the service does not ask for this secret{did_you_mean(secret, services[name].secrets)}"
                near = closest(secret, services[name].secrets)
                asking = write_service(name, "secrets", value=[*services[name].secrets, secret])
                right = (
                    (and_type(set_config(f"{path}.{near}", None, secret=True)),)
                    if near
                    else ("or let it ask:", *asking[1:])
                )
                lines = (f"{remove}.{secret}", *right)
                yield Problem(path=where, what=what, fix=lines, because=(f"services.{name}.secrets",))
            elif not isinstance(value, str) or not value:
                yield Problem(path=where, what="must be a text that is not empty", fix=(again,))
            elif "secrets" not in asked.encrypted:
                yield Problem(path=where, what="is stored in plain text", fix=(again,))


def _connections(asked: Asked) -> Iterator[Problem]:
    site = asked.site
    needed, allowed = budget.connections(site), site.postgres.max_connections
    own = [service for service in site.services.values() if service.database and service.database.url is None]
    if not own or needed <= allowed:
        return
    parts = ", ".join(f"{service.name} {budget.connection_limit(service)}" for service in own)
    largest = max(own, key=budget.connection_limit)
    what = (
        f"{allowed} connections are too few: old and new containers together may open {needed} during a release "
        f"({parts}, and {budget.RESERVED_CONNECTIONS + budget.OWN_CONNECTIONS} for the server's own use)"
    )
    fix = (
        set_config("postgres.maxConnections", -(-needed // 50) * 50),
        "or let a worker process open fewer (SQLAlchemy: pool_size and max_overflow), and",
        *(
            line[0].lower() + line[1:] if index == 0 else line
            for index, line in enumerate(write_service(largest.name, "database", value={"connections": 5}))
        ),
    )
    yield Problem(path="postgres.maxConnections", what=what, fix=fix)


CHECKS = (_services, _names, _routes, _dev_ports, _profile, _secrets, _connections)
