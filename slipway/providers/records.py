"""The book of releases, kept in the outputs of the Release resource: `records` and the number of the one `serving`.

Written only after a switch, so a run that failed leaves no trace in it. See slipway.core.records for its entries. What
they are made of is one input: a Candidate.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from docker import DockerClient
from docker.errors import DockerException
from pulumi.dynamic import CreateResult, DiffResult, UpdateResult

from slipway.core import naming, records
from slipway.core.topology import EDGE, POSTGRES
from slipway.providers.engine import Properties, Provider, changes, connect, recorded, say
from slipway.providers.images import StackImages, tell
from slipway.providers.schema import fingerprint

TOLD = "record"
"""The input that is written down at a switch, and no reason for one: a commit alone changes nothing."""
BOOK = ("records", "serving")
"""Outputs that no input answers to."""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """What a new release is recorded as, when it has taken over, and whose it is. `databases`: the services with one on
    the stack's own server; the rest as in a record."""

    project: str
    stack: str
    revision: str
    images: Mapping[str, Any]
    services: Mapping[str, Any]
    databases: Sequence[str]


class BookKeeper(Provider):
    """A provider whose work is a switch. Its outputs are its inputs and the book."""

    def diff(self, id_: str, olds: Properties, news: Properties) -> DiffResult:
        ignored = {TOLD, *BOOK}
        old, new = ({key: each[key] for key in each.keys() - ignored} for each in (olds, news))
        return super().diff(id_, old, new)

    def create(self, props: Properties) -> CreateResult:
        created = super().create(props)
        return CreateResult(created.id, {**(created.outs or {}), **written({}, props, switched=True)})

    def update(self, _id: str, olds: Properties, news: Properties) -> UpdateResult:
        """Does the work also where an older version of Slipway kept no book yet."""
        switched = bool(changes(olds, news) & set(self.work)) or BOOK[0] not in olds
        if switched:
            self.do(olds, news)
        return UpdateResult({**recorded(news), **written(olds, news, switched=switched)})


def written(olds: Properties, news: Properties, *, switched: bool) -> Properties:
    """The book after a run that succeeded. `switched`: the containers in `news` have just taken over."""
    candidate, pinned = Candidate(**news[TOLD]), str(news["release"])
    book = [records.Record.of(each) for each in olds.get("records") or ()]
    serving = str(olds.get("serving") or "")
    with connect(news["engine"]) as client:
        known = {service for record in book for service in record.images} | candidate.images.keys()
        images = StackImages(client, candidate.project, candidate.stack, known | {EDGE, POSTGRES})
        if switched:
            serving = pinned or records.next_number(book, images.numbers())
            book = records.with_record(book, entry(client, candidate, serving))
            images.tag(serving, candidate.images)
            say(f"release: number {serving} serves")
        elif pinned:
            serving = pinned
        book = records.kept(book, int(news["keep"]), serving)
        try:
            tell(images.prune(book))
        except (DockerException, OSError) as error:  # the site serves: old images are no reason to fail
            say(f"release: images of older releases were not removed: {error}")
    return dict(zip(BOOK, ([each.written() for each in book], serving), strict=True))


def entry(client: DockerClient, candidate: Candidate, release: str) -> records.Record:
    """The record of what serves from now on."""
    return records.Record(
        release=release,
        time=datetime.now(UTC).isoformat(timespec="seconds"),
        revision=candidate.revision,
        images=candidate.images,
        services=candidate.services,
        schema=schemas(client, candidate),
    )


def schemas(client: DockerClient, candidate: Candidate) -> dict[str, str]:
    """{service with a database on the stack's own server: fingerprint}"""
    if not candidate.databases:
        return {}
    labels = naming.labels(candidate.project, candidate.stack, POSTGRES)
    wanted: Any = {"label": [f"{label}={value}" for label, value in labels.items()]}
    running = client.containers.list(filters=wanted, ignore_removed=True)
    server = next((each for each in running if naming.HELPER_LABEL not in each.labels), None)
    return {service: fingerprint(server, service) if server else "" for service in candidate.databases}
