"""The operator's command with nothing around it that is not the test's own."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from slipway.cli.docker_objects import DockerObjects
from slipway.setup.choices import Choices
from tests.unit.cli.fakes import PULUMI, Desk, FakeEngine


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A project, a pulumi and an engine."""
    desk = Desk(tmp_path / "project", tmp_path / "book", FakeEngine())
    for folder in (desk.root, desk.book, tmp_path / "tools"):
        folder.mkdir()
    desk.declares()
    pulumi = tmp_path / "tools" / "pulumi"
    pulumi.write_text(PULUMI.replace("{python}", sys.executable))
    pulumi.chmod(0o755)
    monkeypatch.setenv("PATH", f"{pulumi.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("FAKE_PULUMI", str(desk.book))
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"file://{tmp_path}/state")
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "x")
    monkeypatch.delenv("STACK", raising=False)
    monkeypatch.setattr(Choices, "load", classmethod(lambda cls: cls()))
    monkeypatch.setattr(DockerObjects, "client", property(lambda _: desk.engine.client()))
    return desk
