"""Releases, on a real engine with a real nginx and gunicorn."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from slipway.providers.edge import Edge
from slipway.providers.engine import Failure
from slipway.providers.release import ReleaseProvider
from tests.providers.conftest import Place
from tests.providers.site import Load, Site
from tests.support import engine
from tests.support.base_images import base_image
from tests.support.waiting import wait_until


@pytest.fixture(scope="module")
def app() -> Iterator[str]:
    name = f"providers-{secrets.token_hex(4)}/app:1"
    folder = str(Path(__file__).with_name("app"))
    engine.client().images.build(path=folder, tag=name, buildargs={"BASE": base_image("python")}, rm=True, forcerm=True)
    yield name
    engine.remove_image(name)


@pytest.fixture
def site(place: Place, app: str) -> Site:
    return Site(place, app)


def test_the_first_release_makes_the_site_answer(site: Site) -> None:
    props = site.wanted(site.start())
    outs = ReleaseProvider().create(props).outs or {}
    assert {key: outs[key] for key in outs.keys() - {"records", "serving"}} == props
    assert site.get() == (200, "r1")
    assert site.files() == ["routes.conf", f"upstreams-{props['containers'][0]['upstream']}.conf"]


def test_a_restarted_nginx_serves_the_release_that_is_in_force(site: Site) -> None:
    site.release(site.start())
    site.edge.restart(timeout=10)
    site.address = engine.address(site.edge)
    wait_until("the site is back", lambda: site.serves("r1"), 15)


def test_switching_under_load_loses_nothing(site: Site, capfd: pytest.CaptureFixture[str]) -> None:
    """Each old container is stopped at once after its release, as Pulumi does it."""
    old, running = site.release(first := site.start()), first
    with Load(site.address) as load:
        for _ in range(3):
            new = site.wanted(newer := site.start())
            old = ReleaseProvider().update("", old, new).outs or {}
            running.stop(timeout=40)
            assert running.wait()["StatusCode"] == 0
            running = newer
        wait_until("the last release answers", lambda: load.answers["r4"] > 100, 10)
    assert load.failed == []
    assert {"r1", "r2", "r3", "r4"} == set(load.answers)
    print(f"{load.answers.total()} requests, 3 switches, 0 failed")
    assert len(site.files()) == 2, "the old upstreams were forgotten"


def test_all_containers_of_a_service_take_part(site: Site) -> None:
    site.release(site.start(), site.start())
    assert {site.get()[1] for _ in range(10)} == {"r1", "r2"}


def test_a_container_that_nginx_does_not_serve_must_be_well_too(site: Site) -> None:
    props = site.wanted(site.start())
    worker = site.start(command=["sh", "-c", "sleep 1; echo no queue; exit 7"], health=False)
    props["containers"].append({"service": "worker", "name": worker.name, "upstream": "", "ready": ""})
    with pytest.raises(Failure, match="ended with exit code 7"):
        ReleaseProvider().create(props)


def unfit(site: Site, kind: str) -> dict[str, object]:
    """The inputs of a release whose one container is not fit to serve."""
    if kind == "ended":
        return site.wanted(site.start(command=["sh", "-c", "sleep 1; echo boom; exit 3"]))
    if kind == "restarting":
        return site.wanted(site.start(command=["sh", "-c", "echo boom; exit 3"], restart="always"))
    if kind == "unhealthy":
        return site.wanted(site.start(HEALTH="500 boom"))
    return site.wanted(site.start(READY="503 boom"), timeout=3.0)


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("ended", ["ended with exit code 3", "boom"]),
        ("restarting", ["keeps ending (last exit code 3)", "boom"]),
        ("unhealthy", ["is unhealthy", "HTTP Error 500"]),
        ("not ready", ["did not get ready behind nginx (/ready: status 503)", "Booting worker"]),
    ],
)
def test_nothing_is_switched_when_a_container_is_not_well(site: Site, kind: str, says: list[str]) -> None:
    old = site.release(site.start())
    start, new = time.monotonic(), unfit(site, kind)
    with pytest.raises(Failure) as failure:
        ReleaseProvider().update("", old, new)
    assert [text for text in says if text not in str(failure.value)] == []
    assert "Nothing was switched" in str(failure.value)
    assert time.monotonic() - start < 30, "it was waited for what could not get better any more"
    assert site.get() == (200, "r1")


def test_a_failed_release_fails_again_until_it_is_repaired(site: Site) -> None:
    old = site.release(site.start())
    bad = unfit(site, "not ready")
    for _ in range(2):
        with pytest.raises(Failure):
            ReleaseProvider().update("", old, bad)
    old = ReleaseProvider().update("", old, site.wanted(site.start())).outs or {}
    assert site.get() == (200, "r3")
    assert len(site.files()) == 2


def test_a_container_that_is_started_late_is_waited_for_until_the_time_is_up(site: Site) -> None:
    slow = site.start(command=["sh", "-c", "echo warming up; sleep 60"])
    with pytest.raises(Failure) as failure:
        ReleaseProvider().create(site.wanted(slow, timeout=1.0))
    assert "did not get healthy in time" in str(failure.value)
    assert "warming up" in str(failure.value)


def test_a_container_of_the_last_release_may_be_unwell_for_a_moment(site: Site) -> None:
    """Its database restarts, say; only newcomers must not be unwell."""
    old = site.release(container := site.start())
    site.get("/health-becomes?500")
    wait_until("it is unhealthy", lambda: engine.health(container) == "unhealthy", 30)
    threading.Timer(2, site.get, ("/health-becomes?200",)).start()
    ReleaseProvider().update("", old, {**old, "edge": site.edge.name})
    assert site.get() == (200, "r1")


def test_a_configuration_that_nginx_refuses_changes_nothing(site: Site) -> None:
    old = site.release(site.start())
    before = site.files()
    new = site.wanted(site.start(), routes="server { listen 80 default_server; nonsense on; }")
    with pytest.raises(Failure, match='unknown directive "nonsense"'):
        ReleaseProvider().update("", old, new)
    assert b"nonsense" not in site.edge.logs(), "it was put where a restarted nginx would read it"
    assert set(before) <= set(site.files())
    site.edge.restart(timeout=10)
    site.address = engine.address(site.edge)
    wait_until("the site is back", lambda: site.serves("r1"), 15)


def test_routes_that_nginx_does_not_take_up_are_taken_back(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    old = site.release(site.start())
    reloads = []
    reload = Edge.reload

    def second_fails(edge: Edge) -> set[int]:
        reloads.append(edge)
        if len(reloads) == 2:
            raise Failure("nginx did not take its new configuration")
        return reload(edge)

    monkeypatch.setattr(Edge, "reload", second_fails)
    with pytest.raises(Failure, match="did not take"):
        ReleaseProvider().update("", old, site.wanted(site.start()))
    site.exec("nginx", "-s", "reload", "-c", old["main"])
    wait_until("both workers are new", lambda: site.serves("r1"), 10)


def test_a_run_killed_at_any_step_leaves_a_site_that_serves_and_can_be_repeated(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = site.release(site.start()), site.wanted(site.start())
    execute, left = Edge.execute, [0]

    def killed(edge: Edge, *arguments: object) -> object:
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        return execute(edge, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Edge, "execute", killed)
    for steps in range(100):
        left[0] = steps
        try:
            ReleaseProvider().update("", old, new)
        except KeyboardInterrupt:
            assert site.get()[0] == 200, f"killed after {steps} steps"
            code, output = site.exec("nginx", "-t", "-c", old["main"])
            assert code == 0, f"nginx could not start after {steps} steps: {output}"
        else:
            break
    assert steps > 8
    assert site.get() == (200, "r2")
    assert len(site.files()) == 2


@pytest.mark.parametrize(("drain", "waits"), [(30.0, True), (1.0, False)])
def test_the_old_containers_finish_their_requests_within_the_drain_time(site: Site, drain: float, waits: bool) -> None:
    old = site.release(site.start())
    answers: list[tuple[int, str]] = []
    slow = threading.Thread(target=lambda: answers.append(site.get("/slow?6")))
    slow.start()
    wait_until("the slow request is under way", slow.is_alive, 1)
    ReleaseProvider().update("", old, site.wanted(site.start(), drain=drain))
    assert site.get() == (200, "r2")
    assert bool(answers) == waits
    slow.join(timeout=20)
    assert answers == [(200, "r1")]


def test_only_containers_edge_and_configuration_make_a_release(site: Site) -> None:
    props = site.wanted(site.start())
    provider = ReleaseProvider()
    assert provider.diff("", props, dict(props)).changes is False
    assert provider.diff("", props, {**props, "timeout": 1}).changes
    assert provider.update("", props, {**props, "timeout": 1, "engine": "unix:///nowhere"}).outs
    for name in ("containers", "edge", "upstreams", "routes"):
        assert name in provider.work
    provider.delete("", props)
    assert site.files() == []
