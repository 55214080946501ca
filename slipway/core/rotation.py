"""Which generated secrets can be rotated, and which generation of each is in force.

A stack's `rotations` count how often each was rotated: {owner: {name: count}}. The owner is a service, or `postgres`
for the server's superuser, or `edge` for the key of its certificates; the name is a secret's, or `database` for all
logins of a service's database. The count is
the generation of the value: another one is another value, so the same configuration gives the same values in every run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from slipway.core.topology import EDGE, POSTGRES
from slipway.site.edge import TlsMode
from slipway.site.site import Service, Site

Counts = Mapping[str, Mapping[str, int]]
DATABASE = "database"
SUPERUSER = "superuser"
TLS = "tls"
FALLBACKS = "_FALLBACKS"
"""Behind a secret's name: the variable with the values that still verify, a list as JSON. Flask's own word."""
NO_FALLBACKS = "[]"


def generation(counts: Counts, owner: str, name: str) -> int:
    """0 is the value that the stack was made with."""
    return counts.get(owner, {}).get(name, 0)


def logical(name: Iterable[str], generation: int) -> tuple[str, ...]:
    """The parts of the name of the resource that draws a value: the first generation has no number."""
    return (*name, *([str(generation)] if generation else []))


def drawn_as(name: str) -> tuple[str, int]:
    """The reverse: what is drawn, and its generation."""
    base, _, number = name.rpartition("-")
    return (base, int(number)) if base and number.isdecimal() else (name, 0)


def names_of(service: Service, configured: Iterable[str] = ()) -> list[str]:
    """What is generated for a service; `configured` are its secrets that somebody chose."""
    chosen = set(configured)
    names = [name for name in service.secrets if name not in chosen]
    return [*names, DATABASE] if service.owns_database else names


def in_force(site: Site) -> dict[str, dict[str, int]]:
    """{owner: {name: generation}} of everything that can be rotated."""
    owned = {service.name: names_of(service, site.chosen(service)) for service in site.services.values()}
    if site.owns_postgres:
        owned[POSTGRES] = [SUPERUSER]
    if site.profile.edge and site.edge.tls.mode in {TlsMode.SELF_SIGNED, TlsMode.ACME}:
        owned[EDGE] = [TLS]
    return {
        owner: {name: generation(site.rotations, owner, name) for name in names}
        for owner, names in owned.items()
        if names
    }


def counted_up(counts: Counts, names: Iterable[tuple[str, str]]) -> dict[str, dict[str, int]]:
    """The counts with each of these (owner, name) one higher."""
    result = {owner: dict(table) for owner, table in counts.items()}
    for owner, name in names:
        table = result.setdefault(owner, {})
        table[name] = table.get(name, 0) + 1
    return result


def under_way(counts: Counts, recorded: Counts, names: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Those that are counted further than the last run recorded: counted again, they would skip a generation."""
    return [each for each in names if generation(counts, *each) > generation(recorded, *each)]


def fallback_variables(service: Service, rotated: Iterable[str]) -> dict[str, str]:
    """{variable: secret} of the former values that a service gets beside its `rotated` secrets; a variable that it
    declares itself stays its own."""
    own = {*service.env, *service.secrets}
    return {f"{name}{FALLBACKS}": name for name in rotated if f"{name}{FALLBACKS}" not in own}
