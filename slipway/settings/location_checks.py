"""That no two settings mean the same place at the edge: nginx takes each `location` of a server once.

Compared is what nginx is told (the same functions write it), so `/x` and `/x/` below whatever route are one place.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from slipway.nginx import pages, prefixes, routes, statics
from slipway.settings.problems import Problem, spelled, write_service
from slipway.site.site import Service, Site


@dataclass(frozen=True, kw_only=True)
class Place:
    """One `location` of nginx, without the modifier that does not tell it from another, and the setting it is from."""

    location: str
    service: Service | None
    keys: tuple[str, ...] = ()

    @property
    def setting(self) -> str:
        return spelled("services", self.service.name, *self.keys) if self.service else "the edge's own page"


def everything(site: Site) -> Iterator[Problem]:
    """All problems of the places at the edge."""
    routed = [service for service in site.services.values() if service.routed]
    for host in dict.fromkeys(service.host for service in routed):
        taken = {place.location: place for place in _own()}
        told: set[str] = set()
        declared = [place for service in routed if service.host == host for place in places(service)]
        for place in sorted(declared, key=lambda each: each.keys[0] != "route"):
            other = taken.setdefault(place.location, place)
            if other is not place and place.setting not in told:
                told.add(place.setting)
                yield _problem(place, other)


def places(service: Service) -> Iterator[Place]:
    """What nginx is told of a service for visitors."""
    for location in routes.route_locations(service):
        yield Place(location=location, service=service, keys=("route",))
    for url, locations in statics.locations(service).items():
        for location in locations:
            yield Place(location=location.removeprefix("^~ "), service=service, keys=("static", url))
    for path in dict.fromkeys(service.idempotent):
        yield Place(location=f"= {prefixes.below(service, path)}", service=service, keys=("idempotent",))


def _own() -> Iterator[Place]:
    for location in pages.locations():
        yield Place(location=location, service=None)


def _problem(place: Place, other: Place) -> Problem:
    service = place.service
    assert service
    path, kind = place.location.removeprefix("= "), place.keys[0]
    shown = f"{service.host or ''}{path}"
    value: object = f"/{service.name}/"
    if kind == "route":
        what = f"{shown} is the route of {other.service.name if other.service else 'the edge'} already"
    elif kind == "static":
        url, folder = place.keys[1], service.static[place.keys[1]]
        hidden = other.service.name if other.service and other.keys == ("route",) else ""
        what = (
            f"the static files at {url} would hide the service {hidden}, whose route that is"
            if hidden
            else f"{shown} is taken by {other.setting}"
        )
        value = {next(each for each in ("/static/", "/files/") if each not in service.static): folder}
    else:
        what = f"{shown} is taken by {other.setting}"
        value = [each for each in service.idempotent if f"= {prefixes.below(service, each)}" != place.location]
    because = tuple(spelled("services", each.service.name, "route") for each in (place, other) if each.service)
    fix = write_service(service.name, kind, value=value)
    return Problem(path=place.setting, what=what, fix=fix, because=because)
