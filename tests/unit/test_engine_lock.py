"""The lock of a stack on its engine: who gets it, who is refused, and when it is over."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import Any

import pytest

from slipway.engine import lock
from slipway.engine.lock import HOLDER_LABEL, LABEL, LEASE, EngineLock, Holder, LockedError
from tests.unit.cli.fakes import FakeEngine

ELSEWHERE = replace(Holder.me(), token="else", machine="another", host="elsewhere", user="ada")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "APART", (0, 0.01))


def lock_on(engine: FakeEngine, project: str = "shop", stack: str = "prod") -> EngineLock:
    return EngineLock(engine.client(), project, stack)


def leave(engine: FakeEngine, holder: Holder, *ages: float) -> None:
    """Signs of a holder, so many seconds old."""
    for age in ages:
        labels = {LABEL: "shop/prod", HOLDER_LABEL: json.dumps(asdict(holder))}
        engine.create(f"shop-prod-lock-{holder.token}-{age}", labels, age=age)


@contextmanager
def process() -> Iterator[int]:
    """The number of a process that has just started, and ends with the block."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as started:
        yield started.pid


def test_the_second_is_refused_and_told_who_holds_it_until_it_is_given_back() -> None:
    engine = FakeEngine()
    with lock_on(engine).held():
        with pytest.raises(LockedError, match=f"process {os.getpid()} of "), lock_on(engine).held():
            pass
        with lock_on(engine, stack="dev").held():
            pass
        assert len(engine.locks) == 1, "who was refused leaves nothing"
    assert engine.locks == {}
    with lock_on(engine).held():
        pass


def test_it_is_given_back_when_the_block_fails() -> None:
    engine = FakeEngine()
    with pytest.raises(KeyboardInterrupt), lock_on(engine).held():
        raise KeyboardInterrupt
    assert engine.locks == {}


def test_of_projects_and_stacks_whose_names_run_together_each_has_its_own() -> None:
    engine = FakeEngine()
    with lock_on(engine, "shop", "prod-eu").held(), lock_on(engine, "shop-prod", "eu").held():
        assert len(engine.locks) == 2


def test_of_many_at_once_never_two_hold_it_and_all_get_it_in_the_end() -> None:
    engine, inside, most, served = FakeEngine(), [], [0], []

    def contend(number: int) -> None:
        while number not in served:
            try:
                with lock_on(engine).held():
                    inside.append(number)
                    most[0] = max(most[0], len(inside))
                    served.append(number)
                    inside.remove(number)
            except (LockedError, RuntimeError, KeyError):
                continue  # the fake's list changed under the reader

    threads = [threading.Thread(target=contend, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert (most, sorted(served)) == ([1], list(range(6)))


def test_a_holder_of_this_machine_whose_process_has_ended_holds_nothing() -> None:
    engine = FakeEngine()
    with process() as pid:
        holder = replace(Holder.me(), token="killed", pid=pid, born=lock.born(pid))
        leave(engine, holder, 5)
        with pytest.raises(LockedError), lock_on(engine).held():
            pass
    with lock_on(engine).held():
        assert [f'"pid": {os.getpid()},' in each.attrs["Labels"][HOLDER_LABEL] for each in engine.locks.values()] == [
            True
        ]


def test_another_process_with_the_number_of_the_dead_one_does_not_hold_it() -> None:
    engine = FakeEngine()
    leave(engine, replace(Holder.me(), token="killed", born="1"), 5)
    with lock_on(engine).held():
        pass


def test_a_process_whose_end_nobody_has_asked_for_yet_has_ended() -> None:
    with subprocess.Popen(["true"]) as started:
        while lock.born(started.pid):
            pass  # it is there as a zombie until the block ends
        assert started.returncode is None


@pytest.mark.parametrize("ages", [(LEASE - 2,), (10 * LEASE, 5)])
def test_a_holder_elsewhere_holds_it_while_it_gives_signs_of_life(ages: tuple[float, ...]) -> None:
    engine = FakeEngine()
    leave(engine, ELSEWHERE, *ages)
    before = set(engine.locks)
    with pytest.raises(LockedError, match="ada on elsewhere"), lock_on(engine).held():
        pass
    assert set(engine.locks) == before


def test_a_holder_elsewhere_that_has_been_silent_for_too_long_holds_nothing() -> None:
    engine = FakeEngine()
    leave(engine, ELSEWHERE, LEASE + 2, LEASE + 40)
    with lock_on(engine).held():
        assert len(engine.locks) == 1


def test_a_holder_gives_signs_of_life_which_are_as_many_as_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "RENEWAL", 0.01)
    engine, seen = FakeEngine(), set[str]()
    with lock_on(engine).held():
        for _ in range(1000):
            seen |= set(engine.locks)
            if len(seen) > 3:
                break
            threading.Event().wait(0.01)
        assert len(seen) > 3
        assert len(engine.locks) <= 2
    assert engine.locks == {}


def test_a_label_that_a_later_version_made_can_be_read() -> None:
    told: Any = {**asdict(ELSEWHERE), "purpose": "up"}
    engine = FakeEngine()
    volume: Any = engine.create("x", {LABEL: "shop/prod", HOLDER_LABEL: json.dumps(told)})
    assert Holder.of(volume) == ELSEWHERE
