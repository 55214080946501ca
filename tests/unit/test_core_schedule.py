"""Commands by the clock: what a cron expression means, and the process that keeps to it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime

import pytest

from slipway.core import schedule
from slipway.core.schedule import Cron, Schedule
from tests.support.waiting import wait_until

MONDAY = datetime(2026, 11, 23, 3, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("cron", "due"),
    [
        ("* * * * *", True),
        ("30 3 * * *", True),
        ("31 3 * * *", False),
        ("*/15 * * * *", True),
        ("*/20 * * * *", False),
        ("10/20 * * * *", True),
        ("0-29 * * * *", False),
        ("0,30 1-5/2 * * *", True),
        ("30 3 23 11 *", True),
        ("30 3 * nov Mon", True),
        ("30 3 * 12 *", False),
        ("30 3 * * 7", False),
        ("30 3 1 * 1", True),  # either day is enough where both are given
        ("30 3 23 * 5", True),
        ("30 3 1 * 5", False),
        ("30 3 */2 * 1", True),
        ("@hourly", False),
    ],
)
def test_a_command_is_due_when_crontab_says_so(cron: str, due: bool) -> None:
    assert Cron(cron).due(MONDAY) is due


def test_seven_is_sunday_as_well() -> None:
    sunday = datetime(2026, 11, 22, 0, 0, tzinfo=UTC)
    assert Cron("@weekly").due(sunday)
    assert Cron("0 0 * * 7").due(sunday)
    assert Cron("0 0 * * 6-7").due(sunday)


@pytest.mark.parametrize(
    ("cron", "says"),
    [
        ("* * * *", "five fields"),
        ("@reboot", "five fields"),
        ("60 * * * *", "'60' is no minute: 0 to 59"),
        ("* * 0 * *", "'0' is no day of the month"),
        ("* * * * Mo", "'Mo' is no day of the week"),
        ("*/0 * * * *", "no step"),
        ("5-1 * * * *", "ends before it begins"),
        ("-1 * * * *", "'' is no minute"),
    ],
)
def test_what_is_no_cron_expression_is_refused(cron: str, says: str) -> None:
    with pytest.raises(ValueError, match=says.replace("*", r"\*")):
        Cron(cron)


def test_a_command_that_still_runs_is_not_started_again_and_its_end_is_told() -> None:
    told: list[str] = []
    running = Schedule({"slow": ("* * * * *", ["sleep", "60"]), "fails": ("@yearly", ["false"])}, told.append)
    running.start_due(MONDAY)
    running.start_due(MONDAY)
    assert told == ["slow: started", "slow: still running, so it is not started again"]
    running.stop()
    assert told[-1].startswith(f"slow: ended with exit code -{signal.SIGTERM.value} after ")
    assert not running.running


def test_a_command_that_cannot_be_started_leaves_the_others_alone() -> None:
    told: list[str] = []
    both = Schedule({"gone": ("* * * * *", ["/gone"]), "here": ("* * * * *", ["true"])}, told.append)
    both.start_due(MONDAY)
    both.running["here"][0].wait(10)
    both.stop()
    assert told[0] == "gone: started"
    assert "gone: cannot be started" in told[1]
    assert told[-1].startswith("here: ended with exit code 0")


def test_the_process_shows_that_it_lives_and_ends_when_it_is_asked_to(monkeypatch: pytest.MonkeyPatch) -> None:
    schedule.HEARTBEAT.unlink(missing_ok=True)
    assert not schedule.alive()
    jobs = json.dumps({"tidy": ("0 3 * * *", ["true"])})
    command = [sys.executable, "-IS", schedule.__file__]
    with subprocess.Popen([*command, jobs], stdout=subprocess.PIPE, text=True) as process:
        try:
            wait_until("there is a sign of life", lambda: not subprocess.call([*command, "--check"]), 10)
        finally:
            process.terminate()
        assert process.wait(10) == 0
        assert process.stdout
        assert process.stdout.read() == "schedule: tidy: 0 3 * * * (UTC)\n"
    monkeypatch.setattr(time, "time", lambda: schedule.HEARTBEAT.stat().st_mtime + schedule.STALE + 1)
    assert not schedule.alive()
    schedule.HEARTBEAT.unlink()
