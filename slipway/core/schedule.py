"""Cron expressions, and the process that starts a service's commands by them, in UTC.

One file on the standard library alone, because it has two lives: the settings are checked with it, and its text runs in
a container of the service's own image, whose Python need not be ours:
`python schedule.py '{"name": ["0 3 * * *", ["command", "argument"]]}'`.
It keeps no memory: a minute during which the container was not there is not made up for.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from types import FrameType

MACROS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
}
FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day of the month", 1, 31), ("month", 1, 12), ("day of the week", 0, 7))
MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), start=1
    )
}
DAYS = {name: number for number, name in enumerate(("sun", "mon", "tue", "wed", "thu", "fri", "sat"))}
HEARTBEAT = Path("/tmp/slipway-schedule")  # noqa: S108 - a tmpfs of the container's own
STALE = 30
"""Seconds without a sign of life after which the process counts as hanging: it gives one each second."""


class Cron:
    """When a command is due, by the five fields of crontab(5) or one of MACROS. Raises ValueError: what is wrong."""

    def __init__(self, text: str) -> None:
        words = MACROS.get(text.strip().lower(), text).split()
        if len(words) != len(FIELDS):
            raise ValueError(f"{text!r} must have five fields, such as '0 3 * * *', or be one of {', '.join(MACROS)}")
        self.minutes, self.hours, self.days, self.months, weekdays = (
            _field(word, *field) for word, field in zip(words, FIELDS, strict=True)
        )
        self.weekdays = {day % 7 for day in weekdays}
        # As cron does: where both days are given, either is enough.
        self.either_day = not (words[2].startswith("*") or words[4].startswith("*"))

    def due(self, moment: datetime) -> bool:
        """Whether it is the minute."""
        day, weekday = moment.day in self.days, moment.isoweekday() % 7 in self.weekdays
        return (
            moment.minute in self.minutes
            and moment.hour in self.hours
            and moment.month in self.months
            and (day or weekday if self.either_day else day and weekday)
        )


def _field(text: str, name: str, low: int, high: int) -> set[int]:
    names = {"month": MONTHS, "day of the week": DAYS}.get(name, {})

    def number(word: str) -> int:
        value = names.get(word.lower(), int(word) if word.isascii() and word.isdigit() else -1)
        if not low <= value <= high:
            raise ValueError(f"{word!r} is no {name}: {low} to {high}")
        return value

    found: set[int] = set()
    for part in text.split(","):
        span, slash, step = part.partition("/")
        first, dash, last = span.partition("-")
        if slash and not (step.isascii() and step.isdigit() and int(step)):
            raise ValueError(f"{part!r} has no step to go by")
        start, end = (low, high) if span == "*" else (number(first), number(last if dash else first))
        if slash and not dash:
            end = high
        if end < start:
            raise ValueError(f"{part!r} ends before it begins")
        found |= set(range(start, end + 1, int(step or 1)))
    return found


class Schedule:
    """`jobs`: {name: (cron expression, argument list)}. A command that is still running is not started again."""

    def __init__(self, jobs: Mapping[str, tuple[str, Sequence[str]]], tell: Callable[[str], None]) -> None:
        self.jobs = {name: (Cron(cron), list(command)) for name, (cron, command) in jobs.items()}
        self.tell = tell
        self.running: dict[str, tuple[subprocess.Popen[bytes], float]] = {}

    def start_due(self, minute: datetime) -> None:
        """Starts what is due in this minute: call it once a minute."""
        self.collect()
        for name, (cron, command) in self.jobs.items():
            if not cron.due(minute):
                continue
            if name in self.running:
                self.tell(f"{name}: still running, so it is not started again")
                continue
            self.tell(f"{name}: started")
            try:
                self.running[name] = subprocess.Popen(command), time.monotonic()
            except OSError as error:
                self.tell(f"{name}: cannot be started: {error}")

    def collect(self) -> None:
        """Tells of what has ended."""
        for name, (process, start) in list(self.running.items()):
            if (code := process.poll()) is not None:
                del self.running[name]
                self.tell(f"{name}: ended with exit code {code} after {time.monotonic() - start:.1f} s")

    def stop(self) -> None:
        """Asks what is running to end, and waits: how long that may take is the container's matter."""
        for process, _ in self.running.values():
            process.terminate()
        for process, _ in self.running.values():
            process.wait()
        self.collect()


def tell(text: str) -> None:
    print(f"schedule: {text}", flush=True)


def serve(jobs: Mapping[str, tuple[str, Sequence[str]]]) -> None:
    """Runs until SIGTERM or SIGINT."""
    stopped = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopped.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    schedule, minute = Schedule(jobs, tell), _minute()
    for name, (cron, _) in jobs.items():
        tell(f"{name}: {cron} (UTC)")
    while not stopped.wait(1):
        HEARTBEAT.touch()
        schedule.collect()
        if (now := _minute()) != minute:
            minute = now
            schedule.start_due(minute)
    schedule.stop()


def _minute() -> datetime:
    return datetime.now(timezone.utc).replace(second=0, microsecond=0)  # noqa: UP017 - also in older Pythons


def alive() -> bool:
    """Whether the process in this container gave a sign of life lately."""
    try:
        return time.time() - HEARTBEAT.stat().st_mtime < STALE
    except FileNotFoundError:
        return False


if __name__ == "__main__":
    if sys.argv[1:] == ["--check"]:
        sys.exit(not alive())
    serve(json.loads(sys.argv[1]))
