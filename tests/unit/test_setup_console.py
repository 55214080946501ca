from __future__ import annotations

from pathlib import Path

import pytest

from slipway.setup.console import Console, SetupError


def test_a_long_command_returns_and_logs_everything_it_wrote(console: Console, tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert console.run("work", ["sh", "-c", "echo noise >&2; echo result"], log=log) == "noise\nresult\n"
    assert log.read_text() == "noise\nresult\n"


def test_a_failing_command_says_what_failed_how_and_its_last_lines(console: Console) -> None:
    with pytest.raises(SetupError, match=r"work: failed with exit code 3\n.*no space left"):
        console.run("work", ["sh", "-c", "echo no space left; exit 3"])


def test_without_a_terminal_nobody_is_asked_and_the_answer_is_yes(console: Console) -> None:
    assert console.confirm("Install?") is True
