"""Whether what is named exists: the references in `env`, the password in a managed database's URL, and the service
whose database another one uses."""

from __future__ import annotations

from collections.abc import Iterator

from slipway.core import dsn
from slipway.core.references import DATABASE_PARTS, KINDS, SERVICE_PARTS, Reference, references
from slipway.core.rotation import FALLBACKS
from slipway.settings.problems import Problem, did_you_mean, set_config, write_service
from slipway.settings.service_checks import problem
from slipway.site.site import Service, Site


def everything(site: Site, service: Service) -> list[Problem]:
    """All problems of one service's references."""
    return [*_references(site, service), *_managed(site, service), *_shared(site, service)]


def _references(site: Site, service: Service) -> Iterator[Problem]:
    for variable, text in service.env.items():
        for reference in references(text):
            if found := _wrong(site, service, reference):
                what, fix, because = found
                yield problem(service, ("env", variable), f"{{{reference.path}}}: {what}", fix, *because)


def _wrong(site: Site, service: Service, reference: Reference) -> tuple[str, tuple[str, ...], tuple[str, ...]] | None:
    """What is wrong with a reference, what to write, and the keys whose own mistake it may come from."""
    name, _, part = reference.rest.rpartition(".") if reference.kind == "services" else ("", "", reference.rest)
    literal = f"or, for these very characters: {{{{{reference.path}}}}}"
    if reference.kind not in KINDS:
        return (
            f"no such reference{did_you_mean(reference.kind, KINDS)}",
            (f"Write {{{_valid(service)}}}", literal),
            (),
        )
    if reference.kind == "secrets":
        if part.removesuffix(FALLBACKS) in service.secrets:
            return None
        fix = write_service(service.name, "secrets", value=[*service.secrets, part])
        return f"the service has no such secret{did_you_mean(part, service.secrets)}", fix, ("secrets",)
    if reference.kind == "database":
        if part not in DATABASE_PARTS:
            return (
                f"a database has no {part}{did_you_mean(part, DATABASE_PARTS)}",
                ("Write {database.url}", literal),
                (),
            )
        fix = write_service(service.name, "database", value=True)
        return None if service.database else ("the service has no database", fix, ("database",))
    if name not in site.services:
        near = did_you_mean(name or part, site.services)
        return f"there is no such service{near}", (f"Write {{services.{next(iter(site.services))}.url}}", literal), ()
    if part not in SERVICE_PARTS:
        return f"a service has no {part}{did_you_mean(part, SERVICE_PARTS)}", (f"Write {{services.{name}.url}}",), ()
    if part == "url" and not site.services[name].http:
        literal = f"Write {{services.{name}.host}} and {{services.{name}.port}}"
        return f"{name} does not speak HTTP", (literal,), ()
    if name not in service.uses and name != service.name:
        fix = write_service(service.name, "uses", value=[*service.uses, name])
        return f"{service.name} may not call {name}", fix, ("uses",)
    return None


def _valid(service: Service) -> str:
    """A reference that would be valid."""
    return "database.url" if service.database else "secrets.NAME"


def _managed(site: Site, service: Service) -> Iterator[Problem]:
    if service.database is None or service.database.url is None or service.database.service:
        return  # with both, _shared says so
    url, key = service.database.url, ("database", "url")
    example = "postgresql://USER:{secrets.DB_PASSWORD}@HOST:5432/NAME"
    fix = (
        *write_service(service.name, "database", value={"url": example}),
        *write_service(service.name, "secrets", value=["DB_PASSWORD"])[2:],
        set_config(f"secrets.{service.name}.DB_PASSWORD", None, secret=True),
    )
    try:
        _, password = dsn.parse(url)
    except ValueError as error:
        yield problem(service, key, str(error), fix)
        return
    named = references(password)
    if password and (len(named) != 1 or named[0].kind != "secrets" or password != f"{{{named[0].path}}}"):
        yield problem(service, key, "holds a password in plain text", fix)
        return
    for reference in references(url):
        if reference.kind != "secrets" or reference not in named:
            yield problem(service, key, f"{{{reference.path}}}: only the password may be a reference", fix)
        elif reference.rest not in service.secrets:
            yield problem(service, key, f"the service has no secret {reference.rest}", fix, "secrets")
        elif reference.rest not in site.configured_secrets.get(service.name, ()):
            what = f"the password {reference.rest} is not set, and a generated one cannot be right"
            yield problem(
                service, key, what, (set_config(f"secrets.{service.name}.{reference.rest}", None, secret=True),)
            )


def _shared(site: Site, service: Service) -> Iterator[Problem]:
    if service.database is None or service.database.service is None:
        return
    named, owners = service.database.service, [each.name for each in site.services.values() if each.owns_database]
    better = next(iter(owners), "SERVICE")
    fix = write_service(service.name, "database", value={"service": better} if owners else True)
    if service.database.url:
        what = "a database is on a managed server, or it is another service's"
        yield problem(service, "database", what, fix)
    elif named not in owners:
        what = f"{named} has no database of its own" if named in site.services else f"there is no service {named}"
        what += did_you_mean(named, owners)
        yield problem(service, ("database", "service"), what, fix, f"{named}.database")
    elif service.migrate:
        what = f"the database is {named}'s, and only {named} may change its tables"
        lines = (f"In Pulumi.yaml, services.{service.name}: remove `migrate:`, and let {named} have it",)
        yield problem(service, "migrate", what, lines)
