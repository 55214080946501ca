"""The load that releases are measured under is the one that was promised."""

from __future__ import annotations

import itertools
from collections import Counter

from bench.release.schedule import FASTEST, LONG_STREAM, SLOWEST, Kind, Planned, schedule
from bench.release.steps import What, plan

SECONDS = 240


def requests(seconds: int = SECONDS) -> list[Planned]:
    return list(itertools.takewhile(lambda planned: planned.at < seconds, schedule()))


def test_each_second_brings_a_hundred_short_requests_one_slow_one_and_one_stream() -> None:
    counts = Counter(planned.kind for planned in requests())
    assert counts == {
        Kind.GET: 60 * SECONDS,
        Kind.POST: 40 * SECONDS,
        Kind.SLOW: SECONDS,
        Kind.STREAM: SECONDS,
        Kind.UPLOAD: 0.2 * SECONDS,
    }


def test_half_of_each_kind_goes_over_kept_connections() -> None:
    for kind in Kind:
        kept = [planned.kept for planned in requests() if planned.kind is kind]
        assert sum(kept) * 2 == len(kept), kind


def test_the_times_rise_and_the_ids_are_unique() -> None:
    planned = requests()
    times = [each.at for each in planned]
    assert times == sorted(times)
    assert len({each.id for each in planned}) == len(planned)


def test_slow_requests_take_anything_from_five_to_twenty_seconds() -> None:
    slow = [planned.seconds for planned in requests() if planned.kind is Kind.SLOW]
    assert min(slow) >= FASTEST
    assert max(slow) <= SLOWEST
    for start in range(5, 20, 3):
        assert any(start <= seconds < start + 3 for seconds in slow), f"none of {start} to {start + 3} s"


def test_at_any_moment_a_stream_is_under_way_that_will_outlast_the_drain() -> None:
    long = [planned for planned in requests() if planned.seconds == LONG_STREAM]
    assert {planned.kept for planned in long} == {True, False}
    for moment in range(5, SECONDS):
        assert any(planned.at <= moment and planned.at + LONG_STREAM > moment + 24 for planned in long), moment


def test_the_steps_are_mixed_evenly_and_begin_with_something_to_go_back_from() -> None:
    steps = plan(30, 10, 10)
    assert Counter(steps) == {What.RELEASE: 30, What.ROLLBACK: 10, What.BROKEN: 10}
    assert steps[0] is What.RELEASE
    for start in range(0, 50, 10):
        assert Counter(steps[start : start + 10])[What.RELEASE] in {5, 6, 7}


def test_the_short_form_has_a_release_after_a_broken_version() -> None:
    steps = plan(2, 1, 2)
    assert What.RELEASE in steps[steps.index(What.BROKEN) :]
    assert plan(0, 0, 1) == [What.BROKEN]
