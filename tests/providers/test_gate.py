"""The gate of a release, on a real engine: what is not fit to serve gets no request, and the report says why."""

from __future__ import annotations

import threading
import time

import pytest

from slipway.engine.errors import Failure
from slipway.providers.release import ReleaseProvider
from tests.providers.site import FILES, SERVE, Load, Site
from tests.support import engine
from tests.support.waiting import wait_until

LATER = 6
"""Seconds from its first good health check until a container ends that the gate has let in after three."""
SLOW_START = 7
"""Seconds: more than the three checks, one a second, after which the engine calls a container unhealthy."""
INSIDE_ONLY = [word.replace("0.0.0.0", "127.0.0.1") for word in SERVE]


def test_a_container_that_nginx_does_not_serve_must_be_well_too(site: Site) -> None:
    props = site.wanted(site.start())
    worker = site.start(command=["sh", "-c", "sleep 1; echo no queue; exit 7"], health=False)
    described = {"service": "worker", "name": worker.name, "port": 0.0, "upstream": "", "ready": "", "beside": True}
    props["containers"].append(described)
    with pytest.raises(Failure, match="ended with exit code 7"):
        ReleaseProvider().create(props)


def test_health_checks_that_the_engine_gave_up_are_resumed_and_nothing_is_restarted(
    site: Site, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """As after an older dockerd ended that they outlived: `python -m bench.chaos --only engine` has real ones."""
    monkeypatch.setattr("slipway.engine.candidate.overdue", lambda _container, _now: True)
    old = site.release(site.start())
    new = site.start()
    new.reload()
    started = new.attrs["State"]["StartedAt"]
    ReleaseProvider().update("", old, site.wanted(new))
    assert f"does not check the health of {new.name} any more" in capfd.readouterr().err
    assert site.get() == (200, "r2")
    new.reload()
    assert (new.status, new.attrs["State"]["StartedAt"]) == ("running", started)


def test_a_container_that_a_killed_run_left_in_a_pause_goes_on(site: Site) -> None:
    new = site.start()
    new.pause()
    site.release(new)
    assert site.get() == (200, "r1")


def unfit(site: Site, kind: str) -> dict[str, object]:
    """The inputs of a release whose one container is not fit to serve."""
    if kind == "ended":
        return site.wanted(site.start(command=["sh", "-c", "sleep 1; echo boom; exit 3"]))
    if kind == "restarting":
        return site.wanted(site.start(command=["sh", "-c", "echo boom; exit 3"], restart="always"))
    if kind == "running again":
        return site.wanted(site.start(command=["sh", "-c", "sleep 2; echo boom; exit 3"], restart="always"))
    if kind == "unhealthy":
        return site.wanted(site.start(HEALTH="500 boom"), timeout=8.0)
    if kind == "no health path":
        return site.wanted(site.start(HEALTH="404 Not Found"))
    if kind == "no ready path":
        return site.wanted(site.start(READY="404 Not Found"))
    if kind == "dies":
        return site.wanted(site.start(DIES="1"))
    if kind == "inside only":
        return site.wanted(site.start(command=INSIDE_ONLY), timeout=6.0)
    return site.wanted(site.start(READY="503 boom"), timeout=5.0)


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("ended", ["ended with exit code 3", "boom"]),
        ("restarting", ["keeps ending (last exit code 3)", "boom"]),
        ("running again", ["keeps ending (last exit code 3)", "boom"]),
        ("unhealthy", ["HTTP Error 500"]),
        ("no health path", ["HTTP Error 404", "there is nothing at that path", "`health: /`"]),
        ("no ready path", ["answered GET /ready through nginx with status 404", "`ready:`"]),
        ("dies", ["was well and then ended with exit code 0", "Handling signal: quit"]),
        ("inside only", ["through nginx with status 502", "listens on 127.0.0.1 only", "0.0.0.0:5000"]),
        ("not ready", ["is healthy, but answered GET /ready through nginx with status 503", "Booting worker"]),
    ],
)
def test_nothing_is_switched_when_a_container_is_not_well(site: Site, kind: str, says: list[str]) -> None:
    old = site.release(serving := site.start())
    start, new = time.monotonic(), unfit(site, kind)
    with pytest.raises(Failure) as failure:
        ReleaseProvider().update("", old, new)
    assert [text for text in says if text not in str(failure.value)] == [], failure.value
    assert f"web is served by {serving.name}" in str(failure.value)
    assert time.monotonic() - start < 30, "it was waited for what could not get better any more"
    assert site.get() == (200, "r1")
    kept = engine.container(f"{site.place.name}-web-2")
    assert kept.status == "exited", "it was stopped, so that no worker of it goes on, and kept"
    assert str(kept.name) in str(failure.value)


def test_what_dies_after_it_was_let_in_is_switched_back_from(site: Site) -> None:
    """The old one is still there as long as the release takes."""
    old = site.release(serving := site.start())
    new = site.wanted(dying := site.start(CRASHES=str(LATER)), beside := site.start())
    with Load(site.address) as load:
        wait_until("the old release is asked", lambda: load.answers["r1"] > 50, 10)
        with pytest.raises(Failure) as failure:
            ReleaseProvider().update("", old, new)
        before = load.answers["r1"]
        wait_until("the old release answers again", lambda: load.answers["r1"] > before + 50, 10)
    assert load.answers["r3"] > 10, "it was never let in: this shows nothing"
    said = str(failure.value)
    assert f"{dying.name} was well and then ended with exit code 3" in said, said
    assert "Switched back: the release before serves again." in said
    assert f"web is served by {serving.name}" in said
    assert {engine.container(str(each.name)).status for each in (dying, beside)} == {"exited"}
    assert len(load.failed) < load.answers["r3"] / 4, "nginx goes round to the one that is left"
    fixed = ReleaseProvider().update("", old, site.wanted(site.start())).outs or {}
    assert site.get() == (200, "r4")
    assert len(site.files()) == FILES, fixed


def test_where_nothing_of_before_is_left_the_new_containers_serve_on(site: Site) -> None:
    """As of a service whose predecessor had to end first: whatever answers is better than what cannot."""
    old = site.release(ended := site.start())
    dying, well = site.start(CRASHES=str(LATER)), site.start()
    threading.Timer(1, ended.stop).start()
    with pytest.raises(Failure, match="was well and then ended") as failure:
        ReleaseProvider().update("", old, site.wanted(dying, well))
    assert "The release before is not there to go back to" in str(failure.value)
    assert engine.container(str(well.name)).status == "running"
    wait_until("nginx leaves out what has ended", lambda: site.serves("r3"), 10)


def test_one_replica_that_does_not_answer_is_found_beside_one_that_does(site: Site) -> None:
    old = site.release(site.start())
    deaf = site.start(command=INSIDE_ONLY)
    with pytest.raises(Failure) as failure:
        ReleaseProvider().update("", old, site.wanted(well := site.start(), deaf, timeout=10.0))
    assert f"{deaf.name} is healthy, but answered GET /ready through nginx with status 502" in str(failure.value)
    assert f"web: {well.name}" not in str(failure.value)
    assert site.get() == (200, "r1")


def test_a_failed_release_fails_again_until_it_is_repaired(site: Site, capfd: pytest.CaptureFixture[str]) -> None:
    old = site.release(site.start())
    bad = unfit(site, "not ready")
    for _ in range(2):
        with pytest.raises(Failure, match="with status 503"):
            ReleaseProvider().update("", old, bad)
    assert f"release: starting {site.place.name}-web-2 again" in capfd.readouterr().err
    old = ReleaseProvider().update("", old, site.wanted(site.start())).outs or {}
    assert site.get() == (200, "r3")
    assert len(site.files()) == FILES


def test_a_slow_start_is_waited_for_however_often_its_health_check_failed(site: Site) -> None:
    slow = site.start(command=["sh", "-c", f"sleep {SLOW_START}; exec {' '.join(SERVE)}"])
    site.release(slow)
    assert site.get() == (200, "r1")


def test_what_was_stopped_serves_when_its_trouble_was_another_container(site: Site) -> None:
    old = site.release(site.start())
    good, bad = site.start(), site.start(HEALTH="500 boom")
    with pytest.raises(Failure, match="HTTP Error 500"):
        ReleaseProvider().update("", old, site.wanted(good, bad, timeout=8.0))
    assert engine.container(str(good.name)).status == "exited"
    ReleaseProvider().update("", old, site.wanted(good))
    assert site.get() == (200, "r2")


def test_a_container_that_serves_is_never_stopped_by_a_failed_release(site: Site) -> None:
    """A run was killed after the switch and before its end was recorded: what serves is new to the next run."""
    old = site.release(site.start())
    new = site.wanted(serving := site.start())
    ReleaseProvider().update("", old, new)
    site.get("/health-becomes?500")
    wait_until("it is unhealthy", lambda: engine.health(serving) == "unhealthy", 30)
    with pytest.raises(Failure, match="unhealthy"):
        ReleaseProvider().update(
            "",
            old,
            {**new, "routes": {name: f"{text}\n# another" for name, text in new["routes"].items()}, "timeout": 3.0},
        )
    assert site.get() == (200, "r2")


def test_it_says_what_it_waits_for(
    site: Site, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("slipway.engine.gate.TELL", 0.5)
    slow = site.start(command=["sh", "-c", "echo warming up; sleep 60"])
    start = time.monotonic()
    with pytest.raises(Failure) as failure:
        ReleaseProvider().create(site.wanted(slow, timeout=2.5))
    assert time.monotonic() - start < 2.5 + 5
    assert f"of at most 2 s: {slow.name} is starting, its health check says:" in capfd.readouterr().err
    assert "was not healthy after" in str(failure.value)
    assert "too slow: it listens on no port yet" in str(failure.value)
    assert "warming up" in str(failure.value)
    assert "nothing serves yet" in str(failure.value)


@pytest.mark.parametrize(("before", "says"), [("sha256:old", True), ("sha256:new", False)])
def test_the_report_says_that_the_schema_moved_on(site: Site, before: str, says: bool) -> None:
    old = site.release(site.start(), migrations={"web": before})
    with pytest.raises(Failure) as failure:
        ReleaseProvider().update("", old, {**unfit(site, "ended"), "migrations": {"web": "sha256:new"}})
    assert ("The migration of web ran before: the schema has moved on" in str(failure.value)) == says


def test_a_container_of_the_last_release_may_be_unwell_for_a_moment(site: Site) -> None:
    """Its database restarts, say; only newcomers must not be unwell."""
    old = site.release(container := site.start())
    site.get("/health-becomes?500")
    wait_until("it is unhealthy", lambda: engine.health(container) == "unhealthy", 30)
    threading.Timer(2, site.get, ("/health-becomes?200",)).start()
    ReleaseProvider().update("", old, {**old, "edge": site.edge.name})
    assert site.get() == (200, "r1")
