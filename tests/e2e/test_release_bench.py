"""The short form of the release benchmark: releases, a rollback and broken versions, under load."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from slipway.setup import paths

SECONDS = 540


@pytest.mark.alone
def test_releases_under_load_lose_nothing_and_broken_versions_are_refused(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bench.release", "--short", "--results", str(tmp_path)]
    done = subprocess.run(
        command,
        cwd=paths.PROJECT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    figures = json.loads((tmp_path / "release.json").read_text())
    assert figures["requests"] > 10_000
    assert (figures["failed"], figures["doubled"], figures["lost"]) == (0, 0, 0)
    assert figures["p99_ratio"] <= 2
    assert (figures["releases"], figures["rollbacks"], figures["broken"]) == (2, 1, 2)
    assert all(each["refused"] and each["cause_named"] for each in figures["broken_images"])
    assert (tmp_path / "release.svg").read_text().startswith("<svg ")
    print(done.stdout)
