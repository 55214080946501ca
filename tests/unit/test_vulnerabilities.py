"""Known vulnerabilities in what is installed: the project's own packages and those of the shipped services.

Asks a public database. Where it cannot be reached, the tests are skipped, and say so.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UV = Path(sys.executable).with_name("uv")
OF_SERVICES = ("services/*/requirements.txt", "examples/*/services/*/requirements.txt")
LOCKS = [ROOT / "requirements.lock", *sorted(lock for each in OF_SERVICES for lock in ROOT.glob(each))]
PIN = re.compile(r"^([A-Za-z0-9._-]+(?:\[[^]]+\])?==[^\s;\\]+)(?: ; ([^\\\n]+?))?\s*\\?$", re.MULTILINE)
OUT_OF_REACH = re.compile(r"error sending request|Request failed|dns error|timed out|error status|Network is unreach")
ENVIRONMENT = os.environ | {"UV_HTTP_RETRIES": "0", "UV_HTTP_TIMEOUT": "20", "NO_COLOR": "1"}


def pins(lock: str) -> list[str]:
    """`name==version ; marker` of each package in a lock file."""
    return [f"{pin} ; {marker}" if marker else pin for pin, marker in PIN.findall(lock)]


def uv(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [UV, *arguments, "--project", folder],
        env=ENVIRONMENT, cwd=folder, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    if done.returncode and OUT_OF_REACH.search(done.stderr):
        reason = done.stderr.strip().splitlines()[-1].strip()
        pytest.skip(f"NOT CHECKED: no vulnerability database can be reached from here ({reason})")
    return done


def vulnerabilities(requirements: list[str], folder: Path) -> str:
    """What is known of exactly these versions; "" when nothing is."""
    described = {"name": "audited", "version": "0", "requires-python": ">=3.11", "dependencies": requirements}
    table = "\n".join(f"{key} = {json.dumps(value)}" for key, value in described.items())
    (folder / "pyproject.toml").write_text(f"[project]\n{table}\n")
    locked = uv("lock", folder=folder)
    assert locked.returncode == 0, locked.stderr
    audit = uv("audit", "--frozen", "--preview-features", "audit", folder=folder)
    return audit.stdout + audit.stderr if audit.returncode else ""


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: str(lock.relative_to(ROOT)))
def test_no_vulnerability_is_known_of_what_is_installed(lock: Path, tmp_path: Path) -> None:
    assert vulnerabilities(pins(lock.read_text()), tmp_path) == ""


def test_an_old_version_with_a_known_vulnerability_would_be_found(tmp_path: Path) -> None:
    assert "werkzeug" in vulnerabilities(["werkzeug==2.0.0"], tmp_path).lower()


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: str(lock.relative_to(ROOT)))
def test_every_package_of_a_lock_file_is_asked_about(lock: Path) -> None:
    hashed = {line.partition("==")[0].partition("[")[0] for line in lock.read_text().splitlines() if "==" in line[:80]}
    assert {pin.partition("==")[0].partition("[")[0] for pin in pins(lock.read_text())} == {
        name for name in hashed if not name.startswith((" ", "#"))
    }
