"""Two examples on one engine, brought up together: neither finds, changes or takes away anything of the other."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support import engine
from tests.support.example import Example, example_running


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory, virtualenv: Path) -> Iterator[tuple[Example, Example]]:
    made = [Example(tmp_path_factory.mktemp(name), name, virtualenv=virtualenv) for name in ("rooms", "gallery")]
    with ExitStack() as stack, ThreadPoolExecutor() as threads:
        rooms, gallery = threads.map(lambda each: stack.enter_context(example_running(each)), made)
        yield rooms, gallery


def owned(site: Example) -> dict[str, set[str]]:
    """What the site has on the engine, by kind: whatever carries its name, or its labels."""
    client = engine.client()
    labels: Any = {"label": site.labels()}
    containers = client.containers.list(all=True, filters=labels, ignore_removed=True)
    networks = [each for each in client.networks.list() if str(each.name).startswith(f"{site.project}-")]
    tags = set(engine.tags(f"{site.project}-"))
    return {
        "containers": {str(each.id) for each in containers},
        "networks": {str(each.id) for each in networks},
        "volumes": {str(each.name) for each in client.volumes.list(filters=labels)},
        "tags": tags,
    }


def test_they_share_no_container_network_volume_or_tag(both: tuple[Example, Example]) -> None:
    one, other = (owned(site) for site in both)
    for kind, mine in one.items():
        assert mine, kind
        assert other[kind], kind
        assert not mine & other[kind], kind


def test_no_container_is_on_a_network_of_the_other(both: tuple[Example, Example]) -> None:
    for site in both:
        for name, container in site.containers().items():
            networks = container.attrs["NetworkSettings"]["Networks"]
            assert all(network.startswith(f"{site.project}-") for network in networks), name


def test_each_has_a_server_of_its_own_under_the_same_name(both: tuple[Example, Example]) -> None:
    rooms, gallery = both
    databases = "SELECT datname FROM pg_database WHERE NOT datistemplate AND datname <> 'postgres'"
    assert (rooms.psql(databases), gallery.psql(databases)) == ("rooms", "images")
    assert httpx.get(f"{rooms.url}rooms").json() == []
    assert gallery.slipway("exec", "images", "--", "python", "manage.py", "create_db")
    assert httpx.get(f"{gallery.url}images/pictures").json()["total"] == 0


def test_taking_one_down_with_its_data_leaves_the_other_serving_and_whole(both: tuple[Example, Example]) -> None:
    rooms, gallery = both
    before, started = owned(rooms), rooms.starts(set(rooms.containers()))
    with rooms.under_load("rooms", "health"):
        gallery.assert_destroyed_whole()
    assert owned(rooms) == before
    assert rooms.starts(set(rooms.containers())) == started
    rooms.up("--refresh", "--expect-no-changes")
