"""Sorts the environment variables of an app: secrets, parts of the database's address, plain ones, the user's."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from slipway.add.block import Line
from slipway.add.dependencies import POSTGRES, Dependencies
from slipway.add.environment import Read
from slipway.add.meaning import Kind, database_part, holds_password, is_local, is_placeholder, kind
from slipway.core.references import references

ANOTHER_SERVER = "Address of another server; of a service of the site: {services.NAME.host} and {services.NAME.port}"

SERVICE_SUFFIXES = {
    "_API_URL": "url",
    "_BASE_URL": "url",
    "_SERVICE_URL": "url",
    "_URL": "url",
    "_HOST": "host",
    "_PORT": "port",
}


@dataclass
class Sorted:
    """`env` and `secrets` as lines; `uses` other services; `left`: comments for what was not set; `missing`: (what is
    wrong, line to type) for what the app cannot start without."""

    env: list[Line] = field(default_factory=list)
    secrets: list[Line] = field(default_factory=list)
    uses: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    missing: list[tuple[str, str]] = field(default_factory=list)


def sort(
    name: str, found: dict[str, Read], dependencies: Dependencies, *, database: bool, others: Collection[str]
) -> Sorted:
    """`name` is the service's, `others` the services that are declared already."""
    result = Sorted()
    optional: list[str] = []
    given: list[Read] = []
    servers: list[Read] = []
    for read in found.values():
        what = kind(read.name)
        if what is Kind.OURS:
            continue
        if what is Kind.DATABASE and database:
            text, why = database_value(read.name, dependencies)
            result.env.append(Line(read.name, text, f"{read.where} reads it{why}"))
        elif found_service := _service(read, what, others):
            service, text = found_service
            result.env.append(Line(read.name, text, f"{read.where}: the service {service}"))
            result.uses += [service] if service not in result.uses else []
        elif what is Kind.GENERATED:
            result.secrets.append(Line("", read.name, f"{read.where} reads it; generated, unless you set it"))
        elif what in {Kind.GIVEN, Kind.DATABASE} and (what is Kind.GIVEN or database_part(read.name) == "password"):
            given.append(read)
        elif what is Kind.MODE and read.default:
            result.env.append(Line(read.name, read.default, f"{read.where}: its default. {_override(name, read.name)}"))
        else:
            _plain(name, read, what, result, optional, servers)
    _given(name, given, result)
    if servers:
        names = ", ".join(f"{read.name} ({read.where})" for read in servers)
        result.left.append(f"{ANOTHER_SERVER}: {names}.")
    if optional:
        result.left.append(f"Also read, and not needed: {', '.join(optional)}.")
    return result


def database_value(variable: str, dependencies: Dependencies) -> tuple[str, str]:
    """The reference for a part of the address, and why it is more than a reference.

    SQLAlchemy takes psycopg2 for postgresql:// up to 2.0, and psycopg from 2.1 on: any other pair is spelled out.
    """
    part = database_part(variable.upper()) or "url"
    if part != "url":
        return f"{{database.{part}}}", ""
    driver = (dependencies.first(*POSTGRES) or "").removesuffix("-binary")
    sqlalchemy = dependencies.first("sqlalchemy", "flask-sqlalchemy")
    if not (driver and sqlalchemy) or (driver == "psycopg2" and _before_2_1(dependencies)):
        return "{database.url}", ""
    place = "{database.user}:{database.password}@{database.host}:{database.port}/{database.name}"
    return f"postgresql+{driver}://{place}", f"; {driver} is named because SQLAlchemy's own choice differs by version"


def _before_2_1(dependencies: Dependencies) -> bool:
    line = dependencies.lines.get("sqlalchemy", "").replace(" ", "")
    return any(sign in line for sign in ("==1.", "==2.0", "~=1.", "~=2.0.", "<2", "<=2.0"))


def _given(name: str, reads: list[Read], result: Sorted) -> None:
    """Secrets that somebody else gave out: a generated value would be wrong."""
    command = f"pulumi config set --secret --path secrets.{name}."
    for read in reads:
        if read.required:
            result.secrets.append(Line("", read.name, f"{read.where} needs it; a generated one is not right: set it"))
            what = f"{read.name} is given out by somebody else, a generated value would not do"
            result.missing.append((what, f"{command}{read.name}"))
    optional = [read for read in reads if not read.required]
    if optional:
        names = ", ".join(f"{read.name} ({read.where})" for read in optional)
        how = f"add it to secrets:, and type {command}{optional[0].name}"
        result.left.append(f"Optional secrets: {names}. To set one: {how}")


def _plain(name: str, read: Read, what: Kind, result: Sorted, optional: list[str], servers: list[Read]) -> None:
    value = read.default
    if value is None and read.example and not is_placeholder(read.example):
        value = read.example
    elsewhere = value is not None and (is_local(value) or holds_password(value))
    if what is Kind.SERVER or elsewhere:
        servers.append(read)
        if read.required or elsewhere:
            result.missing.append((f"{read.name} ({read.where}): {ANOTHER_SERVER}", _write(name, read.name)))
    elif value is not None and "\0" not in value:
        origin = "its default" if value == read.default else "its example"
        result.env.append(Line(read.name, _literal(value), f"{read.where}: {origin}"))
    elif read.required:
        result.left.append(f"env: {{{read.name}: ...}} is needed ({read.where})")
        result.missing.append((f"{read.where} needs {read.name}, and nothing says what it is", _write(name, read.name)))
    else:
        optional.append(read.name)


def _service(read: Read, what: Kind, others: Collection[str]) -> tuple[str, str] | None:
    """The declared service whose address this is, and what to write: IMAGES_URL of `images`, REDIS_HOST of `redis`.

    What does not speak HTTP keeps the scheme and the path that the code or an example shows.
    """
    for suffix, part in SERVICE_SUFFIXES.items():
        name = read.name.removesuffix(suffix).lower().replace("_", "-")
        if read.name.endswith(suffix) and name in others:
            shown = read.default or read.example or ""
            if part == "url" and (what is Kind.SERVER or ("://" in shown and not shown.startswith("http"))):
                scheme, _, rest = shown.partition("://")
                if not rest:
                    return None
                path = f"/{rest.partition('/')[2]}" if "/" in rest else ""
                return name, f"{scheme}://{{services.{name}.host}}:{{services.{name}.port}}{path}"
            return name, f"{{services.{name}.{part}}}"
    return None


def _override(name: str, variable: str) -> str:
    return f"To change it in a stack: pulumi config set --path overrides.{name}.env.{variable} VALUE"


def _write(name: str, variable: str) -> str:
    return f"in Pulumi.yaml, services.{name}.env: {variable}: VALUE"


def _literal(value: str) -> str:
    """The same text where references are filled in."""
    for reference in references(value):
        value = value.replace(f"{{{reference.path}}}", f"{{{{{reference.path}}}}}")
    return value
