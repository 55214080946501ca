"""The records of releases, kept in the outputs of the Release resource, with the number of the one that is `serving`.

Written only after a switch, so a run that failed leaves no trace in them. What a record says is in
slipway.core.records; what it is made of is one input, RecordInputs.
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
from slipway.core.kinds import BUILT
from slipway.core.topology import POSTGRES
from slipway.engine.containers import Properties, connect
from slipway.engine.progress import say
from slipway.engine.schema import fingerprint
from slipway.providers.images import StackImages, tell
from slipway.providers.provider import Provider, changes, recorded

RECORD_INPUT = "record"
"""The input that is written down at a switch, and no reason for one: a commit alone changes nothing."""
OUTPUT_ONLY = ("records", "serving")
"""Outputs that no input answers to."""


@dataclass(frozen=True, kw_only=True)
class RecordInputs:
    """What a new release is recorded as, when it has taken over, and whose it is. `databases`: the services with one on
    the stack's own server; the rest as in a record."""

    project: str
    stack: str
    revision: str
    images: Mapping[str, Any]
    services: Mapping[str, Any]
    databases: Sequence[str]


class RecordingProvider(Provider):
    """A provider whose work is a switch. Its outputs are its inputs, `records` and `serving`."""

    def diff(self, id_: str, olds: Properties, news: Properties) -> DiffResult:
        ignored = {RECORD_INPUT, *OUTPUT_ONLY}
        old, new = ({key: each[key] for key in each.keys() - ignored} for each in (olds, news))
        return super().diff(id_, old, new)

    def create(self, props: Properties) -> CreateResult:
        created = super().create(props)
        return CreateResult(created.id, {**(created.outs or {}), **written({}, props, switched=True)})

    def update(self, _id: str, olds: Properties, news: Properties) -> UpdateResult:
        """Does the work also where an older version of Slipway kept no records yet."""
        switched = bool(changes(olds, news) & set(self.work)) or OUTPUT_ONLY[0] not in olds
        if switched:
            self.do(olds, news)
        return UpdateResult({**recorded(news), **written(olds, news, switched=switched)})


def written(olds: Properties, news: Properties, *, switched: bool) -> Properties:
    """The records after a run that succeeded, and the number of the release that serves. `switched`: the containers in
    `news` have just taken over."""
    inputs, pinned = RecordInputs(**news[RECORD_INPUT]), str(news["release"])
    history = [records.Record.of(each) for each in olds.get("records") or ()]
    serving = str(olds.get("serving") or "")
    with connect(news["engine"]) as client:
        known = {service for record in history for service in record.images} | inputs.images.keys()
        images = StackImages(client, inputs.project, inputs.stack, known | BUILT)
        if switched:
            serving = pinned or records.next_number(history, images.numbers())
            history = records.with_record(history, entry(client, inputs, serving))
            images.tag(serving, inputs.images)
            say(f"release: number {serving} serves")
        elif pinned:
            serving = pinned
        history = records.kept(history, int(news["keep"]), serving)
        try:
            tell(images.prune(history))
        except (DockerException, OSError) as error:  # the site serves: old images are no reason to fail
            say(f"release: images of older releases were not removed: {error}")
    return dict(zip(OUTPUT_ONLY, ([each.written() for each in history], serving), strict=True))


def entry(client: DockerClient, inputs: RecordInputs, release: str) -> records.Record:
    """The record of what serves from now on."""
    return records.Record(
        release=release,
        time=datetime.now(UTC).isoformat(timespec="seconds"),
        revision=inputs.revision,
        images=inputs.images,
        services=inputs.services,
        schema=schemas(client, inputs),
    )


def schemas(client: DockerClient, inputs: RecordInputs) -> dict[str, str]:
    """{service with a database on the stack's own server: fingerprint}"""
    if not inputs.databases:
        return {}
    labels = naming.labels(inputs.project, inputs.stack, POSTGRES)
    wanted: Any = {"label": [f"{label}={value}" for label, value in labels.items()]}
    running = client.containers.list(filters=wanted, ignore_removed=True)
    server = next((each for each in running if naming.HELPER_LABEL not in each.labels), None)
    return {service: fingerprint(server, service) if server else "" for service in inputs.databases}
