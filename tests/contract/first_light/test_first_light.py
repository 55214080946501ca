"""A small real site from plain `pulumi` commands: up, asked over HTTP, changed, up again, destroyed."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.base_images import base_image
from tests.support.engine import client, free_port, tags
from tests.support.pulumi_project import PulumiProject
from tests.support.waiting import wait_until

PROGRAM = Path(__file__).with_name("program")


class Site:
    """The project, and what a visitor and an operator can see of it."""

    def __init__(self, project: PulumiProject, name: str) -> None:
        self.project, self.name = project, name

    def visit(self) -> dict[str, Any]:
        with urllib.request.urlopen(self.project.outputs()["url"], timeout=10) as response:
            answer: dict[str, Any] = json.load(response)
            return answer

    def answers(self) -> bool:
        try:
            return bool(self.visit())
        except OSError:
            return False

    def container(self, service: str) -> Any:
        """The one running container of this service."""
        found = [
            c
            for c in client().containers.list(filters={"label": f"slipway.test={self.name}"})
            if str(c.name).startswith(f"{self.name}-test-{service}-")
        ]
        assert len(found) == 1, [c.name for c in found]
        return found[0]

    def objects(self) -> list[str]:
        """Every container, network and volume on the engine that bears the site's name."""
        engine = client()
        containers = engine.containers.list(all=True, ignore_removed=True)
        return [
            str(thing.name)
            for things in (containers, engine.networks.list(), engine.volumes.list())
            for thing in things
            if str(thing.name).startswith(f"{self.name}-test-")
        ]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, virtualenv: Path) -> Iterator[Site]:
    directory = tmp_path_factory.mktemp("first-light")
    name = f"first-light-{free_port()}"
    project = PulumiProject(directory, PROGRAM, virtualenv=virtualenv, name=name)
    project.init(
        port=free_port(), python=base_image("python"), postgres=base_image("postgres"), nginx=base_image("nginx")
    )
    try:
        project.up()
        yield Site(project, name)
    finally:
        project.destroy()
        for tag in tags(f"{name}-test-"):
            client().images.remove(tag, force=True)


def test_the_site_answers_through_nginx_and_counts_visits_in_postgres(site: Site) -> None:
    wait_until("the site answers", site.answers, 20)
    first = site.visit()
    assert first["version"] == "one"
    assert site.visit()["visits"] == first["visits"] + 1


def test_a_second_up_has_nothing_to_do_and_neither_has_one_with_refresh(site: Site) -> None:
    before = site.container("app").id
    site.project.assert_unchanged()
    assert site.container("app").id == before


def test_no_secret_stands_in_the_state_or_in_what_the_engine_shows(site: Site) -> None:
    password = site.project.outputs()["password"]
    state = "".join(path.read_text() for path in (site.project.root / "state").rglob("*.json*"))
    assert password not in state
    for service in ("app", "postgres", "edge"):
        assert password not in json.dumps(site.container(service).attrs)


def test_a_code_change_starts_the_new_container_before_it_removes_the_old_one(site: Site) -> None:
    old, visits, database = site.container("app"), site.visit()["visits"], site.container("postgres").id
    app = site.project.directory / "app" / "app.py"
    app.write_text(app.read_text().replace('VERSION = "one"', 'VERSION = "two"'))
    assert {"replace"} <= {op.rpartition("-")[2] for op in site.project.steps().values()}
    start = int(time.time()) - 1
    site.project.up()
    new = site.container("app")
    assert new.id != old.id
    happened = [
        (event["Actor"]["ID"], event["Action"])
        for event in client().events(
            since=start, until=int(time.time()) + 1, filters={"type": "container"}, decode=True
        )
    ]
    assert happened.index((new.id, "health_status: healthy")) < happened.index((old.id, "kill"))
    wait_until("the new version answers", lambda: site.answers() and site.visit()["version"] == "two", 10)
    assert site.visit()["visits"] > visits
    assert site.container("postgres").id == database


def test_destroy_leaves_nothing_on_the_engine(site: Site) -> None:
    site.project.pulumi("destroy", "--yes", "--skip-preview")
    assert site.objects() == []
