"""A stack that is held at a recorded release: what `slipway rollback` writes, taken in place of the declaration.

Only the services come from the record; secrets, nginx, Postgres and every other setting are today's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import Field, ValidationError

from slipway.settings.engine_checks import Engine
from slipway.settings.problems import Problem
from slipway.settings.table import Table
from slipway.site.site import Pin, Site

RELEASE = "release"
"""The key in the configuration."""
ENDING = "Type: slipway rollback --clear"


class PinTable(Table):
    """`release:` of a stack, as far as it is used."""

    release: Annotated[str, Field(pattern=r"^[1-9][0-9]*$")]
    images: dict[str, Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]]
    services: dict[str, Any]


def read(written: Any) -> tuple[Pin | None, Mapping[str, Any], list[Problem]]:
    """The pin, the services of its release, and what is wrong with it; no pin where nothing was written."""
    if not written:
        return None, {}, []
    try:
        table = PinTable.model_validate(written)
    except ValidationError:
        what = "is not what `slipway rollback` writes"
        return None, {}, [Problem(path="release", what=what, fix=(ENDING, "      slipway rollback RELEASE"))]
    return Pin(release=table.release, images=table.images), table.services, []


def problems(site: Site, engine: Engine | None) -> Iterator[Problem]:
    """Images that the pinned services need and that the engine has not (None: not asked)."""
    pin = site.pin
    if pin is None:
        return
    for service in site.services.values():
        if service.image:
            continue
        image = pin.images.get(service.name)
        if image is None:
            what = f"the record of release {pin.release} names no image of this service"
        elif engine and not engine.has_image(image):
            what = f"the engine has the image of release {pin.release} no more ({image[:19]})"
        else:
            continue
        fix = (ENDING, "or roll back to another one: slipway releases")
        yield Problem(path=f"release.images.{service.name}", what=what, fix=fix)


def pinned(pin: Pin) -> str:
    """What an operator is told at each run."""
    return (
        f"pinned to release {pin.release}: its services run, nothing of them is built or migrated. "
        "To go on with the newest source:  slipway rollback --clear"
    )


def secrets_of(tables: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """{service: names of its secrets} of services as they were written, right or wrong."""
    found = {}
    for name, table in tables.items():
        names = table.get("secrets") if isinstance(table, Mapping) else None
        found[name] = tuple(each for each in names if isinstance(each, str)) if isinstance(names, list) else ()
    return found
