"""The short form of the release benchmark: a release, a rollback and broken versions, under load.

Other tests may run beside it: what must never fail is judged here, how long answers take by `make bench-release`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from slipway.setup import paths

RATE = 40
"""Short requests in a second: fewer than by hand, where the bench has the machine to itself."""
SECONDS = 900
"""Four minutes on an idle machine, up to nine with two other tests beside it."""
CLEARING = 120
"""Seconds that the bench may take to remove what it made."""


@pytest.mark.timeout(SECONDS + CLEARING + 60)
def test_releases_under_load_lose_nothing_and_broken_versions_are_refused(tmp_path: Path) -> None:
    options = ["--short", "--busy", "--rate", str(RATE), "--results", str(tmp_path)]
    command = [sys.executable, "-m", "bench.release", *options]
    with subprocess.Popen(
        command, cwd=paths.PROJECT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as bench:
        try:
            printed, _ = bench.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            bench.terminate()  # which takes its site away
            printed, _ = bench.communicate(timeout=CLEARING)
    assert bench.returncode == 0, printed
    figures = json.loads((tmp_path / "release.json").read_text())
    assert figures["requests"] > 4_000
    assert figures["short_gets"]["switching"] > 300
    assert (figures["failed"], figures["doubled"], figures["lost"]) == (0, 0, 0)
    assert (figures["releases"], figures["rollbacks"], figures["broken"]) == (1, 1, 2)
    assert all(each["refused"] and each["cause_named"] for each in figures["broken_images"])
    assert (tmp_path / "release.svg").read_text().startswith("<svg ")
    print(printed)
