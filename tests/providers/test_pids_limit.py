"""The limit of a container's processes, on a real engine."""

from __future__ import annotations

from typing import Any

import pytest
from docker.models.containers import Container

from slipway.engine.errors import Failure
from slipway.providers.pids_limit import PidsLimitProvider
from tests.providers.place import Place
from tests.support import engine

BOMB = "n=0; while sleep 3 & do n=$((n+1)); echo $n; done"
"""Forks until it may not, or for ever."""
PROVIDER = PidsLimitProvider()
ENDS = 6
"""The engine waits twice as long from one start to the next: some six seconds for all."""


@pytest.fixture
def container(place: Place) -> Container:
    limits: dict[str, Any] = {
        "mem_limit": "64m",
        "memswap_limit": "64m",
        "cpu_shares": 512,
        "restart_policy": {"Name": "unless-stopped", "MaximumRetryCount": 0},
    }
    started: Container = engine.client().containers.run(
        place.image,
        ["sleep", "600"],
        name=f"{place.name}-limited",
        init=True,
        network_mode="none",
        detach=True,
        **limits,
    )
    return started


def props(place: Place, container: Container, limit: int) -> dict[str, Any]:
    """As they come from Pulumi: numbers are floats."""
    return {"engine": place.engine, "container": str(container.id), "limit": float(limit)}


def forks(container: Container) -> int:
    """How many processes a fork bomb gets in a container; fails the test when nothing stops it."""
    result: Any = container.exec_run(["timeout", "20", "sh", "-c", f"{BOMB} 2>&1"])
    lines = result.output.decode().split()
    assert "fork" in " ".join(lines[-10:]), lines[-10:]
    return max(int(word) for word in lines if word.isdecimal())


def test_a_container_that_keeps_ending_gets_its_limit_all_the_same(place: Place) -> None:
    """The engine refuses it in the moment of each end: about once per end when it is asked without a pause."""
    ending: Container = engine.client().containers.run(
        place.image,
        ["sh", "-c", "exit 1"],
        name=f"{place.name}-ending",
        network_mode="none",
        detach=True,
        restart_policy={"Name": "on-failure", "MaximumRetryCount": 0},
    )
    while ending.attrs["RestartCount"] < ENDS:
        for limit in (40, 41):
            assert PROVIDER.create(props(place, ending, limit)).id == str(ending.id)[:12]
        ending.reload()


def test_a_fork_bomb_is_stopped_at_once_and_after_a_restart(place: Place, container: Container) -> None:
    created = PROVIDER.create(props(place, container, 40))
    assert created.id == str(container.id)[:12]
    assert 10 < forks(container) < 40
    container.restart(timeout=1)
    assert 10 < forks(container) < 40


def test_nothing_else_of_the_container_changes(place: Place, container: Container) -> None:
    before = container.attrs["HostConfig"]
    PROVIDER.create(props(place, container, 40))
    container.reload()
    after = container.attrs["HostConfig"]
    assert {key for key in after if after[key] != before[key]} == {"PidsLimit"}
    assert container.attrs["RestartCount"] == 0


def test_another_limit_is_set_in_place(place: Place, container: Container) -> None:
    old, new = props(place, container, 40), props(place, container, 60)
    PROVIDER.create(old)
    assert PROVIDER.diff("", old, old).changes is False
    planned = PROVIDER.diff("", old, new)
    assert (planned.changes, planned.replaces) == (True, [])
    PROVIDER.update("", old, new)
    assert limit(container) == 60


def test_another_container_needs_a_limit_of_its_own(place: Place, container: Container) -> None:
    old = props(place, container, 40)
    assert PROVIDER.diff("", old, {**old, "container": "another"}).replaces == ["container"]


def test_a_refresh_sees_a_limit_that_was_taken_away_and_the_next_up_sets_it_again(
    place: Place, container: Container
) -> None:
    declared = props(place, container, 40)
    PROVIDER.create(declared)
    assert PROVIDER.read("x", declared).outs == declared

    engine.update(str(container.id), PidsLimit=-1)
    found = PROVIDER.read("x", declared)
    olds = found.outs or {}
    assert found.id == "x"
    assert olds["limit"] != 40
    assert PROVIDER.diff("x", olds, declared).changes
    PROVIDER.update("x", olds, declared)
    assert limit(container) == 40


def test_a_refresh_forgets_it_with_its_container(place: Place, container: Container) -> None:
    container.remove(force=True)
    assert PROVIDER.read("x", props(place, container, 40)).id == ""


def test_a_container_that_is_not_there_is_named(place: Place) -> None:
    gone = {"engine": place.engine, "container": "0123456789abcdef", "limit": 40.0}
    with pytest.raises(Failure, match="0123456789ab"):
        PROVIDER.create(gone)


def test_deleting_it_leaves_the_limit(place: Place, container: Container) -> None:
    declared = props(place, container, 40)
    PROVIDER.create(declared)
    PROVIDER.delete("x", declared)
    assert limit(container) == 40


def limit(container: Container) -> int:
    container.reload()
    found: int = container.attrs["HostConfig"]["PidsLimit"]
    return found
