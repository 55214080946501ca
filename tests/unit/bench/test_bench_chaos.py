"""What the bench of kills draws, hits and excuses, and how it restarts dockerd; with processes that are none."""

from __future__ import annotations

import os
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from signal import SIGKILL, SIGTERM, Signals
from types import SimpleNamespace

import pytest

from bench import dockerd
from bench.kills import ALLOWED, ENGINE, KINDS, Kill, Way, drawn, strike
from tests.e2e.shop import Failed
from tests.support import engine


@pytest.fixture
def run() -> Iterator[subprocess.Popen[bytes]]:
    """A command that goes on."""
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process
        process.kill()


@pytest.mark.parametrize(
    ("path", "sent", "known", "excused"),
    [
        ("", 10.5, 10.6, True),
        ("", 9.0, 10.1, True),
        ("", 11.0 + ALLOWED, 19.0, True),
        ("", 11.1 + ALLOWED, 19.0, False),
        ("", 9.0, 9.9, False),
        ("other/", 10.5, 10.6, False),
    ],
)
def test_requests_may_fail_for_a_moment_after_what_they_go_through_was_killed_and_never_otherwise(
    path: str, sent: float, known: float, excused: bool
) -> None:
    kill = Kill(began=10.0, done=11.0, paths=frozenset({""}))
    assert kill.excuses(Failed(sent, known, path, "status 503")) == excused


def test_nothing_excuses_a_failed_request_where_nothing_was_there_to_kill() -> None:
    with subprocess.Popen(["true"]) as ended:
        kill = strike(Way(list, lambda _: None, lambda: frozenset({""})), ended)
    assert not kill.hit
    assert not kill.excuses(Failed(kill.began, kill.began, "", "status 503"))


def test_what_is_not_there_yet_is_waited_for_and_what_has_just_ended_is_tried_again(
    run: subprocess.Popen[bytes],
) -> None:
    found, killed = iter([[], ["first"], ["second", "third"]]), []

    def end(target: str) -> None:
        if target == "first":
            raise ProcessLookupError
        killed.append(target)

    kill = strike(Way(lambda: next(found), end, lambda: frozenset({"other/"})), run)
    assert killed == ["second"]
    assert (kill.hit, kill.paths) == (True, frozenset({"other/"}))
    assert kill.began <= kill.done


def test_what_was_killed_is_started_after_the_kill_and_nothing_excuses_what_fails_later(
    run: subprocess.Popen[bytes],
) -> None:
    started: list[float] = []
    paths = frozenset({""})
    kill = strike(
        Way(lambda: ["it"], lambda _: None, lambda: paths, after=lambda: started.append(time.monotonic())), run
    )
    assert [kill.done <= moment for moment in started] == [True]
    late = kill.done + ALLOWED + 0.1
    assert not kill.excuses(Failed(late, late, "", "status 503"))


def test_a_power_cut_ends_the_engine_first_and_then_what_ran_on_it_with_its_keeper(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keeper = subprocess.Popen(["sh", "-c", "sleep 60 & echo $!; wait"], stdout=subprocess.PIPE, text=True)
    assert keeper.stdout
    main = int(keeper.stdout.readline())
    alive: list[bool] = []
    running = SimpleNamespace(list=lambda: [SimpleNamespace(attrs={"State": {"Pid": main}})])
    monkeypatch.setattr(engine, "client", lambda: SimpleNamespace(containers=running))
    monkeypatch.setattr(dockerd, "end", lambda how: alive.append(how == SIGKILL and keeper.poll() is None))
    dockerd.cut_power()
    assert alive == [True]
    assert keeper.wait(10) == -SIGKILL
    keeper.stdout.close()
    assert dockerd.gone(main)


def test_each_kind_is_drawn_as_often_at_moments_all_over_the_time_in_which_it_is_there() -> None:
    rounds = drawn(50, 1, (*KINDS, ENGINE))
    assert sorted(Counter(kind for kind, _ in rounds).values()) == [8, 8, 8, 8, 9, 9]
    for kind in KINDS:
        shares = sorted(share for name, share in rounds if name == kind)
        assert [int(share * len(shares)) for share in shares] == list(range(len(shares))), kind
    assert drawn(50, 1, KINDS) == drawn(50, 1, KINDS) != drawn(50, 2, KINDS)


@pytest.mark.parametrize("how", [SIGTERM, SIGKILL])
def test_dockerd_is_started_again_when_the_old_one_has_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: subprocess.Popen[bytes], how: Signals
) -> None:
    """Also where it is a child of this process, which an earlier restart has made it."""
    started: list[bool] = []
    monkeypatch.setattr(dockerd, "PIDFILE", tmp_path / "docker.pid")
    monkeypatch.setattr(dockerd, "CONTAINERD", tmp_path / "containerd.pid")
    monkeypatch.setattr(dockerd, "SYSTEMD", tmp_path / "systemd")
    monkeypatch.setattr(dockerd, "start_in_background", lambda: started.append(Path(f"/proc/{run.pid}").exists()))
    monkeypatch.setattr(dockerd, "version", lambda _host, _environment: "28.5.2" if started else None)
    dockerd.PIDFILE.write_text(str(run.pid))
    assert dockerd.end(how) <= dockerd.start()
    assert started == [False]


@pytest.mark.parametrize(
    ("host", "user", "reason"),
    [
        ("unix:///var/run/docker.sock", 0, ""),
        ("unix:///var/run/docker.sock", 1000, "only root"),
        ("tcp://192.0.2.1:2376", 0, "DOCKER_HOST is tcp://192.0.2.1:2376"),
    ],
)
def test_an_engine_of_somebody_else_is_not_restarted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str, user: int, reason: str
) -> None:
    monkeypatch.setenv("DOCKER_HOST", host)
    monkeypatch.setattr(os, "geteuid", lambda: user)
    monkeypatch.setattr(dockerd, "PIDFILE", tmp_path / "docker.pid")
    assert dockerd.refusal(), "there is no dockerd"
    dockerd.PIDFILE.write_text("1")
    assert reason in dockerd.refusal()
    assert bool(reason) == bool(dockerd.refusal())
