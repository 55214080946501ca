"""The picture of a run: latency of short GETs over time, with the steps marked. Plain SVG, to be opened anywhere."""

from __future__ import annotations

import html
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from bench.release.judge import percentile
from bench.release.records import Record
from bench.release.schedule import Kind
from bench.release.steps import Step, What

WIDTH, HEIGHT = 1600, 520
LEFT, RIGHT, TOP, BOTTOM = 70, 20, 60, 50
FASTEST, SLOWEST = 0.001, 60.0
"""Seconds at the lower and the upper edge of the plot, which is logarithmic."""
COLOURS = {What.RELEASE: "#2e7d32", What.ROLLBACK: "#1565c0", What.BROKEN: "#b26a00"}
LINES = {50: "#90a4ae", 99: "#37474f"}
TICKS = (0.001, 0.01, 0.1, 1.0, 10.0)
EVERY = (10, 30, 60, 120, 300, 600)
"""Seconds between two marks of the time axis: the smallest that leaves no more than MARKS of them."""
MARKS = 16


class Axes:
    """From the times of a run to places in the picture."""

    def __init__(self, start: float, end: float) -> None:
        self.start, self.length = start, max(end - start, 1.0)

    def x(self, moment: float) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * (moment - self.start) / self.length, 1)

    @staticmethod
    def y(seconds: float) -> float:
        inside = min(max(seconds, FASTEST), SLOWEST)
        share = math.log(inside / FASTEST) / math.log(SLOWEST / FASTEST)
        return round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share, 1)


def svg(records: Sequence[Record], steps: Sequence[Step], title: str) -> str:
    """The text of the picture; `records` must not be empty."""
    axes = Axes(min(each.planned for each in records), max(each.end for each in records))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        text(LEFT, 24, title, size=18),
        *marks(axes, steps),
        *grid(axes),
        *lines(axes, records),
        *(failure(axes, each) for each in records if each.failed),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def text(x: float, y: float, words: str, *, size: int = 12, anchor: str = "start", colour: str = "#222") -> str:
    return (
        f'<text x="{x}" y="{y}" font-size="{size}" text-anchor="{anchor}" fill="{colour}">{html.escape(words)}</text>'
    )


def marks(axes: Axes, steps: Iterable[Step]) -> Iterator[str]:
    """Each step as a band from its first new container to the end of its drain, on a paler one of the whole command."""
    for step in steps:
        name = html.escape(f"{step.what} {step.version} {step.case}".strip())
        whole = (step.start, step.end, 0.12)
        inner = [(step.started, step.drained or step.end, 0.25)] if step.started else []
        for start, end, opacity in (whole, *inner):
            yield (
                f'<rect x="{axes.x(start)}" y="{TOP}" width="{round(axes.x(end) - axes.x(start), 1)}" '
                f'height="{HEIGHT - TOP - BOTTOM}" fill="{COLOURS[step.what]}" opacity="{opacity}">'
                f"<title>{name}</title></rect>"
            )
        if step.serving and step.what is not What.BROKEN:
            x = axes.x(step.serving)
            yield f'<path d="M{x} {TOP}V{HEIGHT - BOTTOM}" stroke="{COLOURS[step.what]}"/>'
    for number, what in enumerate(What):
        yield text(LEFT + number * 110, 46, f"■ {what}", colour=COLOURS[what])
    yield text(
        LEFT + 330, 46, "— p99 and p50 of short GETs, each second   │ the new version's first answer   ● a failure"
    )


def grid(axes: Axes) -> Iterator[str]:
    for seconds in TICKS:
        y = axes.y(seconds)
        yield f'<path d="M{LEFT} {y}H{WIDTH - RIGHT}" stroke="#ddd"/>'
        yield text(LEFT - 8, y + 4, f"{seconds * 1000:g} ms" if seconds < 1 else f"{seconds:g} s", anchor="end")
    every = next((each for each in EVERY if axes.length / each <= MARKS), EVERY[-1])
    for second in range(0, int(axes.length) + 1, every):
        x = axes.x(axes.start + second)
        yield text(x, HEIGHT - BOTTOM + 20, f"{second // 60}:{second % 60:02}", anchor="middle")
    yield text((LEFT + WIDTH) / 2, HEIGHT - 8, "minutes since the first request", anchor="middle")


def lines(axes: Axes, records: Iterable[Record]) -> Iterator[str]:
    seconds: dict[int, list[float]] = defaultdict(list)
    for each in records:
        if each.kind is Kind.GET:
            seconds[int(each.planned - axes.start)].append(each.seconds)
    for percent, colour in LINES.items():
        points = " ".join(
            f"{axes.x(axes.start + second + 0.5)},{axes.y(percentile(values, percent))}"
            for second, values in sorted(seconds.items())
        )
        yield f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.5"/>'


def failure(axes: Axes, record: Record) -> str:
    words = html.escape(f"{record.kind} {record.id}: {record.error or record.status}")
    return f'<circle cx="{axes.x(record.planned)}" cy="{TOP}" r="4" fill="#c62828"><title>{words}</title></circle>'
