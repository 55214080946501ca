"""Releases as they are recorded: which number is next, which ones are kept, which one to go back to.

Records are kept newest first.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from slipway.core import naming

BUILD = "build-"
"""What the tag of an image begins with that no release has made its own yet."""
SHORT = 12
_OURS = re.compile(rf"[1-9][0-9]*|{BUILD}[0-9a-f]{{{SHORT}}}")


@dataclass(frozen=True, kw_only=True)
class Record:
    """One release.

    release   its number
    time      when it took over: UTC, in ISO form
    revision  of the source; "" where nobody knows it
    images    {service that is built: image id}
    services  {service: its table as it was declared}
    schema    {service with a database on the stack's own server: fingerprint; "" where it could not be taken}
    """

    release: str
    time: str
    revision: str
    images: Mapping[str, str]
    services: Mapping[str, Any]
    schema: Mapping[str, str]

    @classmethod
    def of(cls, written: Mapping[str, Any]) -> Record:
        """From what `written` gave."""
        return cls(**{field.name: written[field.name] for field in fields(cls)})

    @property
    def number(self) -> int:
        return int(self.release)

    def written(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)


def repository(project: str, stack: str, service: str) -> str:
    """What the images of a service are called, without the tag."""
    return naming.prefix(project, stack) + service


def build_tag(image: str) -> str:
    """The tag under which an image is found that was built and is not released."""
    return BUILD + short(image)


def short(image: str) -> str:
    """The first digits of an image id."""
    return image.removeprefix("sha256:")[:SHORT]


def made_here(tag: str) -> bool:
    """Whether a tag is one that Slipway sets and may take away: of a release or of a build, and not `latest`."""
    return _OURS.fullmatch(tag) is not None


def next_number(records: Iterable[Record], tags: Iterable[str]) -> str:
    """One more than any record or tag has: also where the records were lost, no number is given twice."""
    numbers = [*(record.number for record in records), *(int(tag) for tag in tags if tag.isdecimal())]
    return str(max(numbers, default=0) + 1)


def with_record(records: Iterable[Record], record: Record) -> list[Record]:
    """The records and this one, newest first. One of the same number stays as it is."""
    known = list(records)
    if all(each.release != record.release for each in known):
        known.append(record)
    return sorted(known, key=lambda each: -each.number)


def kept(records: Sequence[Record], number: int, serving: str) -> list[Record]:
    """The newest `number` of them, and the one that serves."""
    return [each for place, each in enumerate(records) if place < number or each.release == serving]


def find(records: Iterable[Record], release: str) -> Record | None:
    return next((each for each in records if each.release == release), None)


def before(records: Iterable[Record], serving: str) -> Record | None:
    """The newest release older than the one that serves."""
    older = [each for each in records if serving and each.number < int(serving)]
    return max(older, key=lambda each: each.number, default=None)


def surplus(tags: Collection[str], records: Iterable[Record], repositories: Mapping[str, str]) -> set[str]:
    """The tags (with their repository) that Slipway set and that belong to none of the records. `repositories`:
    {service: repository}; any other is somebody else's."""
    wanted = {
        f"{repositories[service]}:{record.release}"
        for record in records
        for service in record.images
        if service in repositories
    }
    own = set(repositories.values())
    split = {name: name.rpartition(":") for name in tags}
    return {name for name, (where, _, tag) in split.items() if where in own and made_here(tag)} - wanted
