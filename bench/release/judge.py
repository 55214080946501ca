"""What the log of the requests, the table of the site and the steps of the run say together."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bench.release.records import Record
from bench.release.schedule import Kind
from bench.release.steps import Step, What

WARM_UP = 5.0
"""Seconds at the beginning in which every worker answers its first requests: not counted as steady."""
LIMIT = 2.0
"""How many times the steady p99 the p99 during a release may be."""
CALM = 2.0
"""Seconds after a command in which the machine is not counted as steady yet."""
SHOWN = 50
"""How many failures are written out."""

Stored = Mapping[str, Sequence[str]]
"""{id: the SHA-256 of each row with it}, as the site's table has them."""


def percentile(values: Iterable[float], percent: float) -> float:
    """The smallest value that so many percent of all are not above (nearest rank); nan of none."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)] if ordered else math.nan


@dataclass(frozen=True)
class Judgement:
    """What became of the requests. `doubled` and `lost` are ids, the latter also the worker's jobs; `steady` and
    `switching` seconds of short GETs; `late`: by how many seconds the client sent too late what was due."""

    requests: Mapping[Kind, int]
    failures: Sequence[Record]
    doubled: Sequence[str]
    lost: Sequence[str]
    steady: Sequence[float]
    switching: Sequence[float]
    late: Sequence[float]

    @property
    def p99_ratio(self) -> float:
        """nan where nothing was measured on one of the sides."""
        steady = percentile(self.steady, 99)
        return percentile(self.switching, 99) / steady if steady else math.nan


def judge(records: Sequence[Record], stored: Stored, steps: Sequence[Step], cut_off: Sequence[str] = ()) -> Judgement:
    """`records`: all of them; the last answers are in. `cut_off`: jobs that a worker began and never finished."""
    acknowledged = {each.id: each.sha256 for each in records if each.kind.stored and not each.failed}
    gets = [each for each in records if each.kind is Kind.GET]
    warm = min((each.planned for each in records), default=0.0) + WARM_UP
    return Judgement(
        requests=Counter(each.kind for each in records),
        failures=[each for each in records if each.failed],
        doubled=sorted(identity for identity, rows in stored.items() if len(rows) > 1),
        lost=[
            *sorted(identity for identity, sha256 in acknowledged.items() if sha256 not in stored.get(identity, ())),
            *cut_off,
        ],
        steady=[each.seconds for each in gets if each.planned > warm and calm(each.planned, steps)],
        switching=[each.seconds for each in gets if any(switching(step)(each.planned) for step in steps)],
        late=[each.start - each.planned for each in records],
    )


def calm(moment: float, steps: Iterable[Step]) -> bool:
    """Whether no command was at work, nor had been just before."""
    return not any(step.start <= moment <= step.end + CALM for step in steps)


def switching(step: Step) -> Callable[[float], bool]:
    """Whether a moment lies between the start of the first new container and the end of the drain."""
    if step.what is What.BROKEN or step.started is None:
        return lambda _moment: False
    start, end = step.started, step.drained or step.end
    return lambda moment: start <= moment <= end


def problems(judgement: Judgement, steps: Iterable[Step], *, times: bool = True) -> list[str]:
    """Everything for which the run counts as failed, in words. `times`: how long answers took counts too."""
    found = [
        f"{len(what)} {word}"
        for what, word in (
            (judgement.failures, "requests failed"),
            (judgement.doubled, "entries were stored twice"),
            (judgement.lost, "acknowledged entries, or jobs, are not in the table"),
        )
        if what
    ]
    if times and judgement.p99_ratio > LIMIT:
        found.append(f"the p99 of short GETs during releases was {judgement.p99_ratio:.2f} times the steady one")
    steps = list(steps)
    if math.isnan(judgement.p99_ratio) and any(step.what is not What.BROKEN for step in steps):
        found.append("there are no short GETs to compare")
    for step in steps:
        name = f"{step.what} {step.version}{f' ({step.case})' if step.case else ''}"
        if not step.wanted:
            found.append(f"{name}: `up` ended with exit code {step.code}")
        if step.what is What.BROKEN and step.serving is not None:
            found.append(f"{name}: it answered a visitor")
        if step.what is not What.BROKEN and step.wanted and step.serving is None:
            found.append(f"{name}: it never answered a visitor")
        if step.missing:
            found.append(f"{name}: the report does not say {', '.join(step.missing)}")
    return found


def report(judgement: Judgement, steps: Sequence[Step], seconds: float) -> dict[str, Any]:
    """The figures, as bench/results/release.json has them. `seconds`: how long the load lasted."""
    total = sum(judgement.requests.values())
    switched = [step for step in steps if step.what is not What.BROKEN and step.serving]
    return {
        "requests": total,
        "requests_by_kind": dict(judgement.requests),
        "requests_per_second": round(total / seconds, 1),
        "failed": len(judgement.failures),
        "doubled": len(judgement.doubled),
        "lost": len(judgement.lost),
        "p99_ratio": rounded(judgement.p99_ratio, 2),
        "milliseconds": {
            f"{name}_p{percent}": rounded(1000 * percentile(values, percent), 1)
            for name, values in (("steady", judgement.steady), ("switching", judgement.switching))
            for percent in (50, 99)
        }
        | {"client_late_p99": rounded(1000 * percentile(judgement.late, 99), 1)},
        "short_gets": {"steady": len(judgement.steady), "switching": len(judgement.switching)},
        **{f"{what}s" if what is not What.BROKEN else what: count(steps, what) for what in What},
        "seconds_per_release": {
            "until_serving_median": rounded(percentile([(step.serving or 0) - step.start for step in switched], 50), 1),
            "until_serving_max": rounded(percentile([(step.serving or 0) - step.start for step in switched], 100), 1),
            "whole_median": rounded(percentile([step.seconds for step in switched], 50), 1),
            "whole_max": rounded(percentile([step.seconds for step in switched], 100), 1),
        },
        "broken_images": [
            {
                "case": step.case,
                "refused": step.wanted and step.serving is None,
                "seconds": round(step.seconds, 1),
                "cause_named": not step.missing,
                "missing": step.missing,
                "reported": step.reported,
            }
            for step in steps
            if step.what is What.BROKEN
        ],
        "steps": [asdict(step) for step in steps],
        "failures": [each.line().strip() for each in judgement.failures[:SHOWN]],
    }


def count(steps: Iterable[Step], what: What) -> int:
    return sum(step.what is what for step in steps)


def rounded(value: float, digits: int) -> float | None:
    """For JSON, which has no nan."""
    return None if math.isnan(value) else round(value, digits)
