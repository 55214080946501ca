"""Releases, on a real engine with a real nginx and gunicorn."""

from __future__ import annotations

import threading

import pytest

from slipway.engine.edge import Edge
from slipway.engine.errors import Failure
from slipway.nginx import pages
from slipway.nginx.main import INTERNAL_PORT, LIVE
from slipway.providers.release import ReleaseProvider
from tests.providers.site import FILES, MAIN, Load, Site
from tests.support import engine
from tests.support.waiting import wait_until


def test_the_first_release_makes_the_site_answer(site: Site) -> None:
    props = site.wanted(site.start())
    outs = ReleaseProvider().create(props).outs or {}
    assert {key: outs[key] for key in outs.keys() - {"records", "serving"}} == props
    assert site.get() == (200, "r1")
    assert site.files() == ["routes.conf", "tls-routes.conf", f"upstreams-{props['containers'][0]['upstream']}.conf"]


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
    assert len(site.files()) == FILES, "the old upstreams were forgotten"


def test_all_containers_of_a_service_take_part(site: Site) -> None:
    site.release(site.start(), site.start())
    assert {site.get()[1] for _ in range(10)} == {"r1", "r2"}


def test_a_release_brings_its_pages_and_leaves_what_an_operator_put_there(site: Site) -> None:
    old = site.release(site.start())
    Edge(site.edge, LIVE, MAIN, INTERNAL_PORT).place(pages.FLAG, pages.flag(5))
    ReleaseProvider().update("", old, {**old, "pages": {"unavailable.html": "mine"}})
    assert site.exec("cat", f"{LIVE}/unavailable.html") == (0, "mine")
    assert site.exec("ls", f"{LIVE}/maintenance.html")[0] != 0
    assert site.exec("cat", f"{LIVE}/{pages.FLAG}") == (0, "default 5;\n")


def test_a_configuration_that_nginx_refuses_changes_nothing(site: Site) -> None:
    old = site.release(site.start())
    before = site.files()
    new = site.wanted(site.start(), routes={"routes.conf": "server { listen 80 default_server; nonsense on; }"})
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


def test_routes_that_nginx_took_up_too_late_are_taken_back_from_it_as_well(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = site.release(site.start())
    reloads = []
    reload = Edge.reload

    def second_is_late(edge: Edge) -> set[int]:
        reloads.append(edge)
        replaced = reload(edge)
        if len(reloads) == 2:
            raise Failure("nginx did not take its new configuration")
        return replaced

    monkeypatch.setattr(Edge, "reload", second_is_late)
    with pytest.raises(Failure, match=r"did not take[\s\S]*Nothing was switched"):
        ReleaseProvider().update("", old, site.wanted(new := site.start()))
    new.reload()
    assert new.status == "exited", "nginx must not send it anything"
    wait_until("the old one serves", lambda: {site.get() for _ in range(5)} == {(200, "r1")}, 10)


def test_a_refresh_finds_routes_that_a_run_left_which_was_cut_off_and_the_next_run_puts_them_right(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = ReleaseProvider()
    wanted = site.wanted(site.start())
    recorded = provider.create(wanted).outs or {}
    assert provider.read("release", recorded).outs == recorded, "nothing to do"

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    other = {name: text.replace("return 404", "return 410") + "# other" for name, text in wanted["routes"].items()}
    with monkeypatch.context() as patched:
        patched.setattr("slipway.providers.release.drain", killed)
        with pytest.raises(KeyboardInterrupt):
            provider.update("", recorded, {**wanted, "routes": other})

    found = provider.read("release", recorded).outs or {}
    assert found["routes"] == other
    assert provider.diff("", found, wanted).changes
    provider.update("", found, wanted)
    assert provider.read("release", recorded).outs == recorded
    assert site.get() == (200, "r1")


def test_an_nginx_that_refuses_the_files_it_has_gets_those_of_the_release(site: Site) -> None:
    old = site.release(site.start())
    Edge(site.edge, LIVE, MAIN, INTERNAL_PORT).lay({"routes.conf": "server { ssl_certificate /gone.pem; }\n"})
    site.edge.restart(timeout=10)
    wait_until("it does not start", lambda: site.status() == 0 and ended_with(site, 1), 20)
    ReleaseProvider().update("", old, site.wanted(site.start()))
    site.address = engine.address(site.edge)
    assert site.get() == (200, "r2")


def ended_with(site: Site, code: int) -> bool:
    site.edge.reload()
    return site.edge.status == "restarting" and site.edge.attrs["State"]["ExitCode"] == code


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
    assert len(site.files()) == FILES


@pytest.mark.parametrize(("drain", "waits"), [(30.0, True), (1.0, False)])
def test_the_old_containers_finish_their_requests_within_the_drain_time(site: Site, drain: float, waits: bool) -> None:
    old = site.release(site.start())
    answers: list[tuple[int, str]] = []
    slow = threading.Thread(target=lambda: answers.append(site.get("/slow?12")))
    slow.start()
    wait_until("the slow request is under way", slow.is_alive, 1)
    ReleaseProvider().update("", old, site.wanted(site.start(), drain=drain))
    assert site.get() == (200, "r2")
    assert bool(answers) == waits
    slow.join(timeout=30)
    assert answers == [(200, "r1")]


def test_only_containers_edge_and_configuration_make_a_release(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def unexpected(*_: object) -> None:
        pytest.fail("a new time limit is no release")

    props = site.wanted(site.start())
    provider = ReleaseProvider()
    assert provider.diff("", props, dict(props)).changes is False
    assert provider.diff("", props, {**props, "timeout": 1}).changes
    monkeypatch.setattr(provider, "do", unexpected)
    assert provider.update("", {**props, "records": [], "serving": "1"}, {**props, "timeout": 1}).outs
    for name in ("containers", "edge", "upstreams", "routes", "pages"):
        assert name in provider.work
    provider.delete("", props)
    assert site.files() == []
