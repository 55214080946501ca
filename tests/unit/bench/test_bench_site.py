"""What the bench does to its copy of the project between two releases."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest
import yaml

from bench.release.cases import CASES, SERVICE
from bench.release.site import WORKER, Ledger
from slipway.setup import paths


@pytest.fixture
def site(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path, virtualenv=paths.VIRTUALENV)


def declared(site: Ledger) -> dict[str, object]:
    settings: dict[str, object] = yaml.safe_load((site.directory / "Pulumi.prod.yaml").read_text())
    return settings


def test_the_site_is_the_benchs_own_run_by_the_projects_program(site: Ledger) -> None:
    services = yaml.safe_load((site.directory / "Pulumi.yaml").read_text())["config"]["services"]["default"]
    assert set(services) == {SERVICE, WORKER}
    assert (site.directory / "__main__.py").read_text() == (paths.PROJECT / "__main__.py").read_text()
    assert declared(site)["config"] == {"edge": {"address": "127.0.0.1", "port": site.port}}


def test_a_version_is_written_into_the_code_and_what_an_earlier_one_declared_is_taken_back(site: Ledger) -> None:
    wrong_port = next(case for case in CASES if case.overrides)
    before = declared(site)
    site.change("v3", "not ready", wrong_port.overrides)
    code = runpy.run_path(str(site.directory / "services" / SERVICE / "version.py"))
    assert (code["VERSION"], code["FAULT"]) == ("v3", "not ready")
    assert declared(site)["config"] == {**before["config"], "overrides": wrong_port.overrides}  # type: ignore[dict-item]
    site.change("v4")
    assert declared(site) == before
