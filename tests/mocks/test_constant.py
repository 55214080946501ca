"""What must stay as it is whatever changes around it, because a change would replace data or forget resources."""

from __future__ import annotations

import shutil
from typing import Any

import pytest

from tests.mocks import urns
from tests.mocks.program import ROOT, run
from tests.mocks.recording import Program

OTHER_SETTINGS: dict[str, Any] = {
    "overrides": {
        "ui": {"env": {"UI_TITLE": "Other"}, "memory": 300, "replicas": 2},
        "images": {"cpus": 2.0, "memory": 600, "health": "/ready"},
    },
    "edge": {"port": 9000, "memory": 256},
    "postgres": {"memory": 1024, "maxConnections": 300},
    "drain": 10,
    "baseImages": {"python": "other:1", "postgres": "other:2", "nginx": "other:3", "adminer": "other:4"},
}
"""All that an operator may turn on a running site."""


@pytest.fixture(scope="module", params=["prod", "dev"])
def before_and_after(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Program, Program]:
    """The same stack, then with other sources, other values of all secrets and other settings."""
    root = tmp_path_factory.mktemp("other")
    shutil.copytree(ROOT / "services", root / "services", ignore=shutil.ignore_patterns("__pycache__"))
    for source in root.glob("services/*/manage.py"):
        source.write_text(source.read_text() + "\n# another source\n")
    return run(request.param), run(request.param, OTHER_SETTINGS, root=root, secret="another")


def labels(program: Program, *kinds: str) -> dict[str, Any]:
    return {
        urn: each.inputs.get("labels")
        for urn, each in program.resources.items()
        if each.kind in kinds and (each.kind != "Container" or each.logical in {"postgres", "edge", "adminer"})
    }


def test_labels_of_volumes_networks_and_postgres_are_constant(before_and_after: tuple[Program, Program]) -> None:
    before, after = (labels(program, "Volume", "Network", "Container", "FilesVolume") for program in before_and_after)
    assert before == after
    assert all(before.values()), "everything carries the stack's labels"


def test_names_of_data_volumes_are_constant(before_and_after: tuple[Program, Program]) -> None:
    before, after = (
        {urn: each.inputs.get("name") for urn, each in program.of_kind("Volume").items()}
        for program in before_and_after
    )
    assert before == after


def test_no_two_servers_can_have_the_same_data_because_their_container_has_one_name(
    before_and_after: tuple[Program, Program],
) -> None:
    before, after = (program.containers["postgres"].inputs.get("name") for program in before_and_after)
    assert before == after
    assert before


def test_networks_do_not_change_with_settings_or_sources(before_and_after: tuple[Program, Program]) -> None:
    before, after = ({n: e.inputs for n, e in program.of_kind("Network").items()} for program in before_and_after)
    assert before == after


def test_everything_made_on_the_engine_carries_the_stacks_labels(site: Program) -> None:
    stack = next(iter(site.resources)).split(":")[2]
    for urn, each in site.resources.items():
        if "labels" in each.inputs or each.kind in {"Container", "Volume", "Network"}:
            written = each.inputs.get("labels") or {}
            pairs = written if isinstance(written, dict) else {item["label"]: item["value"] for item in written}
            assert pairs.get("slipway.project") == "slipway", urn
            assert pairs.get("slipway.stack") == stack, urn


@pytest.mark.parametrize("stack", ["prod", "dev"])
def test_urns_are_those_in_peoples_state(stack: str) -> None:
    assert urns.of(run(stack)) == urns.golden(stack), "type: python -m tests.mocks.urns"


def test_other_sources_secrets_and_settings_have_the_same_urns(before_and_after: tuple[Program, Program]) -> None:
    before, after = (set(program.resources) for program in before_and_after)
    assert before < after
    new = {urn.removesuffix("-pids-limit").removesuffix("-trial").rpartition("-")[2] for urn in after - before}
    assert new == {"2"}, "the second replica alone is new"


def test_a_renamed_resource_needs_an_alias_of_its_old_urn(prod: Program) -> None:
    known = urns.of(prod)
    assert urns.lost(prod, known) == []
    gone = known[0].replace("slipway-prod-", "slipway-prod-former-")
    assert urns.lost(prod, [*known, gone]) == [gone]
