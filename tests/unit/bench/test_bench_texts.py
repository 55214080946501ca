"""The picture of a run, the broken images and the steps that can be taken out."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import yaml

from bench.release.cases import CASES, SERVICE, Case
from bench.release.picture import svg
from bench.release.schedule import LONG_STREAM, SLOWEST
from bench.release.steps import What
from bench.release.without import STEPS, take_out
from tests.unit.bench.making import record, step

PROJECT = Path(__file__).parents[3]
SITE = PROJECT / "bench" / "site"
SVG = "{http://www.w3.org/2000/svg}"


def picture(*steps: object) -> ET.Element:
    records = [record(str(second), at=100.0 + second / 2, took=0.01) for second in range(200)]
    records.append(record("lost <&>", at=150.0, status=502))
    return ET.fromstring(svg(records, list(steps), "10 requests & 1 failed"))  # type: ignore[arg-type]


def test_the_picture_shows_the_title_the_latencies_and_each_failure() -> None:
    drawn = picture()
    assert drawn.findtext(f"{SVG}text") == "10 requests & 1 failed"
    assert [len(line.attrib["points"].split()) for line in drawn.iter(f"{SVG}polyline")] == [100, 100]
    assert [circle.findtext(f"{SVG}title") for circle in drawn.iter(f"{SVG}circle")] == ["get lost <&>: 502"]


def test_the_picture_marks_each_step_where_it_was() -> None:
    release = step(start=110.0, started=115.0, drained=130.0, end=135.0, serving=120.0)
    broken = step(What.BROKEN, version="v2", case="not ready", start=160.0, end=170.0, serving=None)
    bands = [
        (band.findtext(f"{SVG}title"), float(band.attrib["x"]), float(band.attrib["width"]))
        for band in picture(release, broken).iter(f"{SVG}rect")
        if band.find(f"{SVG}title") is not None
    ]
    assert [name for name, *_ in bands] == ["release v1", "release v1", "broken v2 not ready"]
    (_, whole, width), (_, inner, narrower), (_, later, _) = bands
    assert whole < inner < later
    assert inner + narrower < whole + width


def test_a_cause_counts_as_named_only_when_every_word_is_there() -> None:
    case = Case(name="not ready", words=("ledger", r"/ready\b", r"\b500\b"))
    report = "error: slipway\n  ledger-1: /ready: status 500\n  ledger-1: /ready: status 500\n  more"
    assert case.missing(report) == []
    assert case.quoted(report) == ["ledger-1: /ready: status 500"]
    assert case.missing("ledger-1 took 5000 s to get ready") == [r"/ready\b", r"\b500\b"]


def test_every_fault_of_the_site_is_a_case_and_every_case_has_its_fault() -> None:
    code = "".join(file.read_text() for file in (SITE / "services" / SERVICE).glob("*.py"))
    known = set(re.findall(r'FAULT == "([^"]+)"', code))
    assert {case.fault for case in CASES if case.fault} == known
    assert len({case.name for case in CASES}) == len(CASES) == 10


def test_only_the_long_streams_outlast_the_drain_time_of_the_site() -> None:
    drain = yaml.safe_load((SITE / "Pulumi.yaml").read_text())["config"]["drain"]["default"]
    assert SLOWEST < drain < LONG_STREAM


@pytest.mark.parametrize("name", STEPS)
def test_a_safety_step_can_be_taken_out_of_the_program_as_it_is_now(name: str, tmp_path: Path) -> None:
    files = {edit.file for edit in STEPS[name].edits}
    for file in files:
        copy = tmp_path / file
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text((PROJECT / file).read_text())
    take_out(name, tmp_path)
    for file in files:
        changed = (tmp_path / file).read_text()
        assert changed != (PROJECT / file).read_text()
        compile(changed, file, "exec")
    with pytest.raises(ValueError, match=r"without\.py is old"):
        take_out(name, tmp_path)
