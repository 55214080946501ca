"""Nothing that went wrong under load is overlooked, and nothing is held against a run that went well."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from bench.release.judge import CALM, WARM_UP, judge, percentile, problems, report
from bench.release.records import Record, parsed, read
from bench.release.schedule import Kind
from bench.release.steps import What
from tests.unit.bench.making import record, step, stored

STEADY = [record(f"s{number}", at=number / 10, took=0.010) for number in range(1000)]
DURING = [record(f"d{number}", at=100 + number / 50, took=0.015) for number in range(1000)]
GOOD = step(started=102.0, drained=118.0)


@pytest.mark.parametrize(("percent", "value"), [(0, 1.0), (50, 3.0), (80, 4.0), (81, 5.0), (99, 5.0), (100, 5.0)])
def test_a_percentile_is_the_value_that_so_many_are_not_above(percent: float, value: float) -> None:
    assert percentile([5.0, 1.0, 4.0, 2.0, 3.0], percent) == value


def test_there_is_no_percentile_of_nothing() -> None:
    assert math.isnan(percentile([], 99))


def test_a_run_in_which_nothing_went_wrong_has_no_problem() -> None:
    records = [*STEADY, *DURING, stored("p")]
    judgement = judge(records, {"p": ["abc"]}, [GOOD])
    assert problems(judgement, [GOOD]) == []
    assert judgement.p99_ratio == pytest.approx(1.5)


@pytest.mark.parametrize(
    "bad",
    [
        record("x", status=502),
        record("x", status=0, error="ConnectionResetError: "),
        record("x", Kind.STREAM, status=200, error="the stream ended after 12 bytes"),
        stored("x", status=404),
        record("x", status=302),
    ],
)
def test_a_bad_status_no_answer_and_half_an_answer_are_failures(bad: Record) -> None:
    judgement = judge([*STEADY, *DURING, bad], {}, [GOOD])
    assert judgement.failures == [bad]
    assert problems(judgement, [GOOD]) == ["1 requests failed"]


def test_an_entry_that_is_in_the_table_twice_is_doubled_also_where_its_request_failed() -> None:
    records = [*STEADY, *DURING, stored("a"), stored("b", status=0, error="TimeoutError: ")]
    judgement = judge(records, {"a": ["abc"], "b": ["abc", "abc"]}, [GOOD])
    assert (judgement.doubled, judgement.lost) == (["b"], [])
    assert "1 entries were stored twice" in problems(judgement, [GOOD])


@pytest.mark.parametrize("table", [{}, {"a": ["def"]}, {"b": ["abc"]}])
def test_an_acknowledged_entry_that_is_not_in_the_table_as_it_was_sent_is_lost(table: dict[str, list[str]]) -> None:
    judgement = judge([*STEADY, *DURING, stored("a")], table, [GOOD])
    assert judgement.lost == ["a"]
    assert problems(judgement, [GOOD]) == ["1 acknowledged entries, or jobs, are not in the table"]


def test_a_job_that_was_cut_off_is_lost() -> None:
    judgement = judge(STEADY, {}, [GOOD], ["job 7 of v1"])
    assert judgement.lost == ["job 7 of v1"]


def test_an_entry_whose_request_failed_is_not_lost_as_well() -> None:
    assert judge([stored("a", status=502)], {}, []).lost == []


def test_more_than_twice_the_steady_latency_during_a_release_is_a_problem() -> None:
    slower = [record(f"d{number}", at=110.0, took=0.021) for number in range(20)]
    judgement = judge([*STEADY, *slower], {}, [GOOD])
    assert problems(judgement, [GOOD]) == ["the p99 of short GETs during releases was 2.10 times the steady one"]
    assert problems(judgement, [GOOD], times=False) == [], "on a machine that others use it says nothing"


def test_steady_and_switching_are_short_gets_only_each_in_their_time() -> None:
    at = {
        "warming up": WARM_UP - 1,
        "steady": 50.0,
        "building": 101.0,
        "switching": 110.0,
        "deleting": 119.0,
        "settling": 120.0 + CALM / 2,
        "steady again": 120.0 + 2 * CALM,
    }
    gets = [record(name, at=moment, took=number) for number, (name, moment) in enumerate(at.items())]
    judgement = judge([record("first", Kind.POST, at=0.0), *gets, record("p", Kind.POST, at=111.0)], {}, [GOOD])
    assert (judgement.steady, judgement.switching) == ([1.0, 6.0], [3.0])


def test_a_latency_counts_from_the_moment_at_which_the_request_was_due() -> None:
    late = record("a", at=10.0, took=1.0, start=10.9)
    assert late.seconds == 1.0
    assert list(judge([late], {}, []).late) == pytest.approx([0.9])


def test_a_run_without_figures_to_compare_does_not_pass() -> None:
    assert problems(judge(DURING, {}, [GOOD]), [GOOD]) == ["there are no short GETs to compare"]


def test_a_broken_version_must_be_refused_its_cause_named_and_no_visitor_must_see_it() -> None:
    refused = step(What.BROKEN, version="b1", case="not ready", code=255, serving=None)
    served = step(What.BROKEN, version="b2", case="not ready", code=0, serving=111.0, missing=["/ready", "500"])
    judgement = judge([*STEADY, *DURING], {}, [GOOD])
    assert problems(judgement, [GOOD, refused]) == []
    assert problems(judgement, [GOOD, served]) == [
        "broken b2 (not ready): `up` ended with exit code 0",
        "broken b2 (not ready): it answered a visitor",
        "broken b2 (not ready): the report does not say /ready, 500",
    ]


def test_a_release_that_fails_or_that_nobody_sees_is_a_problem() -> None:
    judgement = judge([*STEADY, *DURING], {}, [GOOD])
    assert problems(judgement, [GOOD, step(code=255, serving=None)]) == ["release v1: `up` ended with exit code 255"]
    assert problems(judgement, [GOOD, step(serving=None)]) == ["release v1: it never answered a visitor"]


def test_the_report_has_the_figures_and_is_json() -> None:
    broken = step(What.BROKEN, version="b1", case="not ready", code=255, serving=None, reported=["status 500"])
    steps = [GOOD, step(What.ROLLBACK), broken]
    judgement = judge([*STEADY, *DURING, stored("p", status=500)], {}, steps)
    figures = json.loads(json.dumps(report(judgement, steps, seconds=100)))
    assert {name: figures[name] for name in ("requests", "failed", "doubled", "lost", "p99_ratio")} == {
        "requests": 2001,
        "failed": 1,
        "doubled": 0,
        "lost": 0,
        "p99_ratio": 1.5,
    }
    assert (figures["releases"], figures["rollbacks"], figures["broken"]) == (1, 1, 1)
    assert figures["seconds_per_release"]["until_serving_median"] == 10.0
    assert figures["broken_images"][0] == {
        "case": "not ready",
        "refused": True,
        "seconds": 20.0,
        "cause_named": True,
        "missing": [],
        "reported": ["status 500"],
    }


def test_a_log_is_read_as_it_was_written_without_a_line_that_is_not_whole(tmp_path: Path) -> None:
    records = [record("a"), stored("b", error="x\ny")]
    (tmp_path / "log").write_text("".join(each.line() for each in records) + record("c").line()[:-9])
    assert read(tmp_path / "log") == records
    assert list(parsed([])) == []
