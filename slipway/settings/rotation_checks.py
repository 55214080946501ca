"""Whether what is counted in `rotations` can be rotated: generated values can, chosen ones are chosen anew."""

from __future__ import annotations

from collections.abc import Iterator

from slipway.core import rotation
from slipway.core.topology import EDGE
from slipway.settings.problems import Problem, and_type, did_you_mean, set_config
from slipway.site.site import Site


def everything(site: Site) -> Iterator[Problem]:
    """All problems of `rotations`. While the stack is pinned these are today's: its services need not know them."""
    if site.pin:
        return
    known = rotation.in_force(site)
    for owner, counts in site.rotations.items():
        if owner == EDGE and set(counts) <= {rotation.TLS}:
            continue  # also where another mode of TLS, which has no key of ours, was chosen since
        path = f"rotations.{owner}"
        if owner not in known and owner not in site.services:
            what = f"nothing is generated for {owner}{did_you_mean(owner, known)}"
            fix = (f"Type: pulumi config rm --path {path}",)
            yield Problem(path=path, what=what, fix=fix, because=("services",))
            continue
        generated = known.get(owner, {})
        for name in sorted(counts.keys() - generated.keys()):
            what, *more = _why_not(site, owner, name, generated)
            yield Problem(
                path=f"{path}.{name}",
                what=what,
                fix=(f"Type: pulumi config rm --path {path}.{name}", *more),
                because=tuple(f"services.{owner}.{key}" for key in ("secrets", "database")),
            )


def _why_not(site: Site, owner: str, name: str, generated: dict[str, int]) -> tuple[str, ...]:
    """What is wrong, and what to type besides taking the count out."""
    service = site.services.get(owner)
    if service and name in site.chosen(service):
        again = and_type(set_config(f"secrets.{owner}.{name}", None, secret=True))
        return "you chose this secret yourself, so another value is yours to choose as well", again
    if service and service.shares_database and name == rotation.DATABASE:
        owner = site.database_owner(service).name
        return f"its logins are those of {owner}", f"      slipway rotate {owner}.database"
    if service and service.database and name == rotation.DATABASE:
        return ("the managed server makes this database's passwords",)
    return (f"no such secret is generated{did_you_mean(name, generated)}",)
