"""What the bench of restarts counts as a gap, and as the site being back."""

from __future__ import annotations

import pytest

from bench.prober import Prober
from bench.restarts import BACK, Restart, late, summary


def test_a_gap_is_from_the_first_question_without_an_answer_to_the_next_good_one() -> None:
    prober = Prober("http://example.org/")
    prober.seen = [(9.0, False), (10.0, True), (11.0, False), (11.5, False), (14.0, False), (14.6, True), (15.0, True)]
    assert prober.gap(since=10.0, ended=12.5) == pytest.approx((3.6, 2.1))


def test_answers_of_the_old_container_do_not_end_a_gap() -> None:
    """Some of the questions still get through while others do not any more."""
    prober = Prober("http://example.org/")
    prober.seen = [(11.0, False), (11.2, True), (12.0, False), (13.0, True)]
    assert prober.gap(since=10.0, ended=12.5) == pytest.approx((2.0, 0.5))


def test_where_nothing_was_refused_there_is_no_gap() -> None:
    prober = Prober("http://example.org/")
    prober.seen = [(11.0, True), (13.0, True)]
    assert prober.gap(since=10.0, ended=12.5) == pytest.approx((0.0, 0.5))


@pytest.mark.parametrize(
    ("seen", "after", "back"),
    [
        ([(7.5, True), (9.0, True)], 7.0, True),
        ([(6.9, False), (9.0, True)], 7.0, True),
        ([(7.5, False), (9.0, True)], 7.0, False),
        ([(7.5, True), (9.0, True)], 7.1, False),
        ([(6.9, True)], 6.0, False),
    ],
)
def test_a_site_is_back_when_for_three_seconds_each_answer_was_good(
    seen: list[tuple[float, bool]], after: float, back: bool
) -> None:
    prober = Prober("http://example.org/")
    prober.seen = seen
    assert prober.is_back(after, now=10.0) == back


def test_only_a_restart_of_the_engine_can_be_late() -> None:
    slow, quick = BACK + 0.1, BACK
    found = [
        Restart(what="edge", refused=0.0, restart=slow),
        Restart(what="engine, restart", refused=slow, restart=quick),
        Restart(what="engine, power cut, nginx first", refused=0.0, restart=slow),
    ]
    assert late(found) == found[2:]


def test_the_summary_has_the_median_of_each_kind() -> None:
    found = [Restart(what="edge", refused=1.0, restart=each, requests=100, failed=3) for each in (9.0, 1.0, 2.0)]
    told = summary([*found, Restart(what="postgres", refused=0.0, restart=7.0)]).splitlines()
    assert [" ".join(line.split()) for line in told if line.startswith("edge")] == [
        "edge refused median 1.0 s, longest 1.0 s",
        "edge restart median 2.0 s, longest 9.0 s",
        "edge 9 of 300 failed",
    ]
    assert " ".join(told[4].split()) == "postgres restart median 7.0 s, longest 7.0 s"
