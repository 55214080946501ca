"""The short form of the release benchmark: a release, a rollback and broken versions, under load.

Other tests may run beside it: what must never fail is judged here, how long answers take by `make bench-release`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from slipway.setup import paths

SECONDS = 540
"""Three to four minutes with one other test beside it; more is a machine that does something else."""


def test_releases_under_load_lose_nothing_and_broken_versions_are_refused(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bench.release", "--short", "--busy", "--results", str(tmp_path)]
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
    assert figures["short_gets"]["switching"] > 1_000
    assert (figures["failed"], figures["doubled"], figures["lost"]) == (0, 0, 0)
    assert (figures["releases"], figures["rollbacks"], figures["broken"]) == (1, 1, 2)
    assert all(each["refused"] and each["cause_named"] for each in figures["broken_images"])
    assert (tmp_path / "release.svg").read_text().startswith("<svg ")
    print(done.stdout)
