"""Releases that go wrong, as an operator sees them: what served before serves on, and the report says why."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from docker.models.containers import Container

from bench import chaos
from tests.e2e.shop import TIMEOUT, Poller, Shop, holding_a_lock, shop_running
from tests.support import engine
from tests.support.waiting import wait_until

OVERHEAD = 10
"""Seconds that Pulumi may take between making a container and the gate, on a machine that others use as well."""
SWITCHING_BACK = 5
"""Seconds in which requests may fail when a release is taken back."""
WRONG_PORT = {"app": None, "command": "gunicorn --bind=0.0.0.0:8000 --no-control-socket app:app"}
BROKEN: dict[str, tuple[dict[str, Any], list[str]]] = {
    "crash": ({}, ["keeps ending (last exit code 3)", "RuntimeError: no stock today"]),
    "port": (WRONG_PORT, ["listens on port 8000, and not on its declared port 5000", "set `port: 8000`"]),
    "migration": ({}, ["web-migrate ended with exit code 1", 'type "no_such_type" does not exist']),
    "memory": ({}, ["out of memory", "`memory`"]),
}
"""One of each kind of evidence: its log, its state, its ports, a job. More are in providers/test_gate.py, and what is
read from a log in unit/test_core_diagnosis.py. Further tests below are about `ready` and one that is too slow.
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, virtualenv: Path) -> Iterator[Shop]:
    with shop_running(tmp_path_factory.mktemp("shop"), virtualenv) as up:
        yield up


@pytest.fixture
def poller(shop: Shop) -> Iterator[Poller]:
    with Poller(shop) as asking:
        wait_until("both services are asked", lambda: len(asking.answers) > 2, 10)
        yield asking


def broken(kind: str, release: str = "2") -> dict[str, Any]:
    return {**BROKEN.get(kind, ({}, []))[0], "env": {"RELEASE": release, "BREAK": kind}}


def lifetime(container: Container) -> float:
    """Seconds from its making until the gate, which gave it up, had stopped it."""
    made, ended = container.attrs["Created"], container.attrs["State"]["FinishedAt"]
    return (datetime.fromisoformat(ended) - datetime.fromisoformat(made)).total_seconds()


@pytest.mark.parametrize("kind", BROKEN)
def test_the_old_release_serves_on_and_the_report_names_the_cause(shop: Shop, poller: Poller, kind: str) -> None:
    old = shop.serving()
    shop.declare(web=broken(kind))
    report = shop.slipway("up", code=1)
    assert [text for text in BROKEN[kind][1] if text not in report] == [], report
    assert "web is served by" in report
    if kind != "migration":  # it runs while the new container is made, which may then not be made at all
        newest = engine.containers(f"{shop.prefix}-web")[0]
        assert newest.status == "exited"
        assert lifetime(newest) < TIMEOUT + 5 + OVERHEAD
    assert shop.serving() == old
    assert poller.failed == []
    assert poller.releases == {"1"}


def test_a_release_that_dies_after_the_switch_is_taken_back(shop: Shop, poller: Poller) -> None:
    shop.declare(web={"env": {"RELEASE": "2", "BREAK": "later"}}, other={"env": {"RELEASE": "2"}})
    report = shop.slipway("up", code=1)
    assert "keeps ending" in report, report
    assert "Switched back: the release before serves again." in report
    assert shop.serving() == {"": "1", "other/": "1"}
    assert poller.releases >= {"1", "2"}, "it was never let in: this shows nothing"
    moments = [each.known for each in poller.failed]
    assert not moments or moments[-1] - moments[0] < SWITCHING_BACK, poller.failed
    assert {each.path for each in poller.failed} <= {""}, "the other service was well all the time"
    assert engine.containers(f"{shop.prefix}-web")[0].status == "exited"


def test_after_all_that_a_good_release_replaces_every_broken_one(shop: Shop, poller: Poller) -> None:
    shop.declare(web={"env": {"RELEASE": "2"}})
    shop.slipway("up")
    assert shop.serving() == {"": "2", "other/": "1"}
    assert len(engine.containers(f"{shop.prefix}-web")) == 1
    assert poller.failed == []
    assert shop.plan() == {}


def test_one_sick_service_of_two_holds_both_back_and_going_back_changes_only_that_one(
    shop: Shop, poller: Poller
) -> None:
    before = shop.ids()
    shop.declare(web={"env": {"RELEASE": "3"}}, other=broken("ready", "3"))
    first = shop.slipway("up", code=1)
    assert "other: " in first
    assert "is healthy, but answered GET /other/ready through nginx with status 500" in first
    assert "with status 500" in shop.slipway("up", code=1)
    [kept] = [each for each in engine.containers(f"{shop.prefix}-web") if each.id != before["web"]]
    answered = [line for line in kept.logs().decode().splitlines() if '"GET ' in line]
    assert {line.split('"GET ')[1].split()[0] for line in answered} <= {"/ready", "/health"}, answered
    assert poller.releases == {"1", "2"}

    shop.declare(web={"env": {"RELEASE": "2"}})
    assert {name for name in shop.plan() if name.startswith(("worker", "postgres", "edge"))} == set()
    shop.slipway("up")
    assert shop.serving() == {"": "2", "other/": "1"}
    assert len(engine.containers(f"{shop.prefix}-other")) == 1
    assert poller.failed == []


def test_of_a_failed_release_no_worker_goes_on_and_no_file_is_shown_and_the_report_says_that_the_schema_did(
    shop: Shop,
) -> None:
    """The file keeps its name, as most people's do: before the switch it must be the old one."""
    file = shop.directory / "services/shop/static/shop.css"
    text = file.read_text()
    file.write_text(f"{text}/* Another image. */\n")
    shop.declare(web=broken("ready"))
    report = shop.slipway("up", code=1)
    assert "The migration of web ran before: the schema has moved on" in report
    states = sorted(each.status for each in engine.containers(f"{shop.prefix}-worker"))
    assert states == ["exited", "running"]
    assert engine.http_get("127.0.0.1", shop.port, "/static/shop.css") == (200, text)
    file.write_text(text)
    shop.declare(web={"env": {"RELEASE": "2"}})
    shop.slipway("up")


def test_a_migration_that_does_not_get_its_lock_gives_up_soon(shop: Shop, poller: Poller) -> None:
    shop.declare(web={"env": {"RELEASE": "4"}}, migrations={"lockTimeout": 2})
    with holding_a_lock(shop):
        report = shop.slipway("up", code=1)
    assert "lock timeout" in report
    assert "migrations.lockTimeout" in report
    shop.slipway("up")
    assert shop.serving()[""] == "4"
    assert poller.failed == []


def test_a_run_killed_at_the_gate_harms_nothing_and_the_next_ones_fail_and_succeed_as_they_should(
    shop: Shop, poller: Poller
) -> None:
    shop.declare(web=broken("slow", "5"))
    old = shop.container("web")
    with shop.up_at_work() as run:
        wait_until("the newcomer runs", lambda: len(engine.containers(f"{shop.prefix}-web")) == 2, 180)
        time.sleep(2)  # the gate asks: nothing outside can tell when it began
        shop.kill_pulumi()
        assert run.wait(60) == 1
    report = shop.slipway("up", code=1)
    assert [text for text in ("too slow", "`deployTimeout`") if text not in report] == []
    old.reload()
    assert old.status == "running"
    shop.declare(web={"env": {"RELEASE": "5"}})
    shop.slipway("up")
    assert shop.serving()[""] == "5"
    assert poller.failed == []
    assert poller.releases <= {"1", "4", "5"}


def test_a_target_with_what_depends_on_it_loses_nothing(shop: Shop, poller: Poller) -> None:
    shop.declare(web={"env": {"RELEASE": "6"}})
    shop.up("--target", container_urn(shop, "web"), "--target-dependents")
    assert shop.serving()[""] == "6"
    assert poller.failed == []
    assert poller.releases <= {"1", "5", "6"}


def container_urn(shop: Shop, name: str) -> str:
    """The URN of a service's container: its component has the same name."""
    found = [each["urn"] for each in shop.resources() if each["urn"].endswith(f"Container::{shop.prefix}-{name}")]
    return str(found[0])


def test_drift_that_the_docker_plugin_does_not_see_is_shown_and_healed_and_nothing_else_restarts(
    shop: Shop, poller: Poller
) -> None:
    shop.slipway("up")
    web, other = shop.container("web"), shop.container("other")
    engine.http_get(engine.address(web), 5000, "/sick")
    network = engine.client().networks.get(next(iter(other.attrs["NetworkSettings"]["Networks"])))
    network.disconnect(other)
    static = next(each for each in shop.container("edge").attrs["Mounts"] if each["Destination"] == "/srv/static")
    engine.client().containers.run(
        shop.container("edge").attrs["Config"]["Image"], ["rm", "-rf", "/static/web"], entrypoint=[], user="0",
        volumes=[f"{static['Name']}:/static"], network_mode="none", name=f"{shop.prefix}-remover", remove=True,
    )  # fmt: skip
    wait_until("web is unhealthy", lambda: engine.health(web) == "unhealthy", 45)
    others = {"worker", "postgres", "edge"}
    before = shop.starts(others)
    plan = shop.plan()
    assert {name for name in plan if name in {"web", "other", "web-static"}} == {"web", "other", "web-static"}, plan
    assert not set(plan) & others
    shop.slipway("up")
    assert shop.serving() == {"": "6", "other/": "1"}
    assert engine.http_get("127.0.0.1", shop.port, "/static/shop.css")[0] == 200
    assert shop.starts(others) == before
    assert shop.plan() == {}
    assert [each for each in poller.failed if each.path != "other/"] == []


def test_after_a_random_kill_one_up_brings_the_release_in(shop: Shop) -> None:
    """Of the command, a new container and nginx. `python -m bench.chaos` does it fifty times."""
    assert [each for each in chaos.play_all(shop, rounds=3, seed=7) if not each.good] == []
