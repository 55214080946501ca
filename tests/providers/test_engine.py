"""What all dynamic resources share."""

from __future__ import annotations

import base64
import sys
import threading
import traceback

import pytest
from pulumi.dynamic import Resource, ResourceProvider
from pulumi.dynamic.dynamic import serialize_provider

from slipway.core import naming
from slipway.engine import connection
from slipway.engine.containers import connect
from slipway.engine.errors import Failure
from slipway.engine.progress import wait
from slipway.providers import attachment, database, files, images, job, pids_limit, release
from tests.providers.place import Place
from tests.support import engine as support

KINDS: list[tuple[type[Resource], str, type[ResourceProvider], bytes]] = [
    (files.FilesVolume, "FilesVolume", files.FilesVolumeProvider, b"slipway.providers.files"),
    (files.OwnedVolume, "OwnedVolume", files.OwnedVolumeProvider, b"slipway.providers.files"),
    (job.Job, "Job", job.JobProvider, b"slipway.providers.job"),
    (database.DatabaseRoles, "DatabaseRoles", database.DatabaseRolesProvider, b"slipway.providers.database"),
    (release.Release, "Release", release.ReleaseProvider, b"slipway.providers.release"),
    (images.ImageTag, "ImageTag", images.ImageTagProvider, b"slipway.providers.images"),
    (pids_limit.PidsLimit, "PidsLimit", pids_limit.PidsLimitProvider, b"slipway.providers.pids_limit"),
    (attachment.Attachment, "Attachment", attachment.AttachmentProvider, b"slipway.providers.attachment"),
]


@pytest.mark.parametrize(("resource", "name", "provider", "module"), KINDS)
def test_state_names_types_and_classes_and_holds_no_code(
    resource: type[Resource], name: str, provider: type[ResourceProvider], module: bytes
) -> None:
    """These names are in people's state: a change needs an alias."""
    assert resource._resource_type_name == f"dynamic/slipway:{name}"
    pickled = base64.b64decode(serialize_provider(provider()))
    assert module in pickled
    assert f"{name}Provider".encode() in pickled
    assert len(pickled) < 100, "more than the two names was pickled"
    assert pickled == base64.b64decode(serialize_provider(provider()))


@pytest.mark.parametrize("address", ["unix:///nowhere/docker.sock", "tcp://127.0.0.1:1"])
def test_an_engine_that_does_not_answer_is_named(address: str) -> None:
    with pytest.raises(Failure, match=f"no Docker engine answers at {address}"), connect(address):
        pass


def test_a_failure_is_reported_without_a_traceback_inside_pulumi_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "tracebacklimit", 100, raising=False)
    assert "test_engine.py" in reported()
    monkeypatch.setattr(Failure, "inside_provider", True)
    assert reported().splitlines()[-1] == "Failure: nothing works"
    assert "test_engine.py" not in reported()


def reported() -> str:
    """What Pulumi reports of a failure."""
    try:
        wait(lambda: False, 0, lambda: "nothing works")
    except Failure:
        return traceback.format_exc()
    return ""


def test_nothing_goes_on_after_an_interrupt(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = threading.Thread()
    monkeypatch.setattr(threading, "main_thread", lambda: ended)
    with pytest.raises(Failure, match="interrupted"):
        wait(lambda: False, 60, lambda: "too late")


def test_what_is_unknown_in_a_preview_is_a_change_and_no_error() -> None:
    unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
    old = {"volume": "a", "files": {"x": "1"}, "engine": "unix:///x"}
    assert files.FilesVolumeProvider().diff("", old, {**old, "files": unknown}).replaces == []
    assert files.FilesVolumeProvider().diff("", old, {**old, "volume": unknown}).replaces == ["volume"]
    assert files.FilesVolumeProvider().diff("", old, {**old, "files": unknown}).changes


def test_the_engine_says_whose_a_volume_is(place: Place) -> None:
    there = connection.resolve(place.engine)
    labelled, plain = f"{place.name}-labelled", f"{place.name}-plain"
    support.client().volumes.create(labelled, labels=place.labels)
    support.client().volumes.create(plain)
    assert there.volume_labels(labelled) == place.labels
    assert there.volume_labels(plain) == there.volume_labels(f"{place.name}-none") == {}


def test_the_engine_says_what_other_stacks_call_their_services(place: Place) -> None:
    there = connection.resolve(place.engine)
    support.client().volumes.create(f"{place.name}-media", labels=naming.labels(place.name, "test", "web"))
    assert there.strangers("another", "test")[f"{place.name}-test-web"] == (place.name, "test")
    assert f"{place.name}-test-web" not in there.strangers(place.name, "test")
