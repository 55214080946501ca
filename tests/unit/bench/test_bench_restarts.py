"""What the benches of restarts and of kills count as a gap, and as a failure that nothing excuses."""

from __future__ import annotations

import pytest

from bench.chaos import ALLOWED, Kill
from bench.restarts import Prober


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
    ("served", "moment", "excused"),
    [
        (True, 10.5, True),
        (True, 11.0 + ALLOWED, True),
        (True, 11.1 + ALLOWED, False),
        (True, 9.9, False),
        (False, 10.5, False),
    ],
)
def test_requests_may_fail_for_a_moment_after_what_served_was_killed_and_never_otherwise(
    served: bool, moment: float, excused: bool
) -> None:
    assert Kill(began=10.0, done=11.0, hit=True, served=served).excuses(moment) == excused
