"""Go durations, processor counts, labels, mebibytes."""

from __future__ import annotations

import pytest
from slipway_offline.docker_provider import units


@pytest.mark.parametrize(("text", "nanoseconds", "printed"), [
    ("30s", 30 * 10**9, "30s"),
    ("60s", 60 * 10**9, "1m0s"),
    ("1m30s", 90 * 10**9, "1m30s"),
    ("1h", 3600 * 10**9, "1h0m0s"),
    ("90m", 5400 * 10**9, "1h30m0s"),
    ("1.5s", 1_500_000_000, "1.5s"),
    ("100ms", 100 * 10**6, "100ms"),
    ("2500us", 2_500_000, "2.5ms"),
    ("3µs", 3000, "3µs"),
    ("7ns", 7, "7ns"),
    ("0s", 0, "0s"),
    ("0", 0, "0s"),
])
def test_a_duration_is_read_and_printed_as_go_does(text: str, nanoseconds: int, printed: str) -> None:
    assert units.duration(text) == nanoseconds
    assert units.go_duration(nanoseconds) == printed


@pytest.mark.parametrize("text", ["30", "s", "1 s", "-1s", "1m 30s", "five", "1d"])
def test_what_is_no_duration_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match='is not a duration such as "30s"'):
        units.duration(text)


@pytest.mark.parametrize(("written", "read"), [
    ("0.5", "0.5"), ("1.0", "1.0"), ("1", "1.0"), ("1.25", "1.25"), ("0.50", "0.5"), ("10.0", "10.")])
def test_processor_counts_read_as_the_genuine_plugin_prints_them(written: str, read: str) -> None:
    assert units.as_read(written) == read


def test_processors_are_counted_in_billionths() -> None:
    assert units.nano_cpus("0.5") == 500_000_000


def test_labels_go_both_ways() -> None:
    written = [{"label": "a", "value": "1"}, {"label": "b", "value": ""}]
    assert units.labels(written) == {"a": "1", "b": ""}
    assert units.label_list(units.labels(written)) == written
    assert (units.labels(None), units.label_list(None)) == ({}, [])


@pytest.mark.parametrize(("mebibytes", "count"), [(1, 1048576), (0, 0), (-1, -1)])
def test_mebibytes_become_bytes_but_for_the_values_with_a_meaning(mebibytes: int, count: int) -> None:
    assert units.mebibytes(mebibytes) == count
    assert units.to_mebibytes(count) == mebibytes
    assert units.mebibytes(None) is None
