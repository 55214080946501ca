"""What a server is told to lack."""

from __future__ import annotations

from typing import Any

import pytest

from slipway.core.server import Finding, findings

NOW = 1_800_000_000
INFO: dict[str, Any] = {
    "ServerVersion": "20.10.24+dfsg1",
    "Architecture": "x86_64",
    "MemTotal": 4 << 30,
    "DockerRootDir": "/var/lib/docker",
    "LiveRestoreEnabled": True,
    "DefaultAddressPools": [{"Base": "10.209.0.0/16", "Size": 26}],
}


def judged(info: dict[str, Any] | None = None, *, free: float = 20, clock: float = 0) -> dict[str, Finding]:
    asked = findings(INFO | (info or {}), free_kib=int(free * (1 << 20)), clock=NOW + clock, now=NOW)
    return {row.what: row for row in asked}


def test_a_server_that_has_all_of_it_lacks_nothing() -> None:
    assert all(row.well for row in judged().values())


@pytest.mark.parametrize(
    ("info", "others", "what", "must"),
    [
        ({"ServerVersion": "19.3.1"}, {}, "Docker", True),
        ({"ServerVersion": ""}, {}, "Docker", True),
        ({"Architecture": "riscv64"}, {}, "processor", True),
        ({"MemTotal": 1 << 30}, {}, "memory", False),
        ({}, {"free": 4.9}, "free disk", True),
        ({}, {"clock": 61}, "clock", True),
        ({}, {"clock": -61}, "clock", True),
        ({"LiveRestoreEnabled": False}, {}, "live-restore", False),
        ({"DefaultAddressPools": None}, {}, "address pools", False),
    ],
)
def test_what_is_missing_is_named_with_what_to_do(
    info: dict[str, Any], others: dict[str, float], what: str, must: bool
) -> None:
    rows = judged(info, **others)
    assert [name for name, row in rows.items() if not row.well] == [what]
    assert (rows[what].must, bool(rows[what].fix)) == (must, True)


@pytest.mark.parametrize("version", ["20.10.24+dfsg1", "24.0.7", "29.0.0-rc.1"])
def test_these_versions_of_docker_will_do(version: str) -> None:
    assert judged({"ServerVersion": version})["Docker"].well
