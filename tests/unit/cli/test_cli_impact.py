"""What a preview says about the running site, and the plans that `up` refuses."""

from __future__ import annotations

from typing import Any

import pytest

from slipway.core.resource_types import CONTAINER, PASSWORD, RELEASE, VOLUME
from tests.unit.cli.fakes import URN, Desk, step

PROD = ("--stack", "prod")
EDGE = f"slipway:components:Edge${CONTAINER}::edge"
LOSS = step("delete", VOLUME, "uploads", inputs={"name": "site-prod-web-uploads"})


def volume(name: str) -> dict[str, Any]:
    return {"type": VOLUME, "urn": URN + name, "id": name, "outputs": {}}


@pytest.fixture
def stack(desk: Desk) -> Desk:
    """One that has data."""
    desk.has_state(volume("uploads"))
    return desk


def test_a_preview_ends_with_the_impact_of_each_change_the_worst_first(stack: Desk) -> None:
    labels = [{"label": "slipway.service", "value": "edge"}]
    stack.plans(
        step("same", CONTAINER, "untouched"),
        step("update", RELEASE, "release", diffs=["routes"]),
        step("update", CONTAINER, "web", diffs=["memory"]),
        step("delete-replaced", CONTAINER, EDGE, inputs={"labels": labels}),
        step("replace", CONTAINER, EDGE, inputs={"labels": labels}),
        step("create-replacement", CONTAINER, EDGE, inputs={"labels": labels}),
        LOSS,
    )

    said = stack.run("preview", *PROD).stdout

    rows = [" ".join(line.split()) for line in said.partition("Impact on the running site")[2].splitlines()]
    assert [row for row in rows if row] == [
        "data at risk: the volume site-prod-web-uploads is deleted delete uploads",
        "restart of nginx, about 2 s replace edge",
        "reload of nginx update release",
        "none update web",
    ]
    assert said.startswith("said by pulumi preview")


def test_a_preview_without_changes_says_nothing_of_impact(stack: Desk) -> None:
    stack.plans(step("same", CONTAINER, "web"))
    assert "Impact" not in stack.run("preview").stdout


def test_up_refuses_a_plan_that_risks_data_before_anything_is_done(stack: Desk) -> None:
    stack.plans(LOSS)

    refused = stack.run("up", *PROD)

    assert refused.exit_code == 9
    assert "the volume site-prod-web-uploads is deleted" in refused.stderr
    assert "--allow-data-loss" in refused.stderr
    assert stack.ran() == ["preview"]
    assert "said by pulumi" not in refused.output, "that preview is not what was asked for"


def test_up_goes_on_when_it_is_allowed(stack: Desk) -> None:
    stack.plans(LOSS)
    assert stack.run("up", *PROD, "--allow-data-loss").exit_code == 0
    assert stack.ran() == ["up"]


def test_up_goes_on_when_nothing_is_at_risk(stack: Desk) -> None:
    stack.plans(step("create", CONTAINER, "web"))
    assert stack.run("up", *PROD).exit_code == 0
    assert stack.ran() == ["preview", "up"]


def test_the_plan_is_made_with_what_pulumi_is_told_for_the_run(stack: Desk) -> None:
    assert stack.run("up", *PROD, "--", "--yes", "--replace", f"{URN}uploads").exit_code == 0
    told = stack.call("preview")["arguments"]
    assert told[-2:] == ["--replace", f"{URN}uploads"]
    assert "--yes" not in told


def test_without_a_plan_there_is_no_run(stack: Desk) -> None:
    stack.ends_with("preview", 1)

    result = stack.run("up", *PROD)

    assert result.exit_code == 1
    assert "said by pulumi preview" in result.stderr
    assert stack.ran() == ["preview"]


def test_a_stack_that_keeps_no_data_is_asked_nothing(stack: Desk) -> None:
    stack.plans(LOSS)
    assert stack.run("up").exit_code == 0
    assert stack.ran() == ["up"]


def test_a_stack_without_data_is_asked_nothing(desk: Desk) -> None:
    desk.has_state()
    assert desk.run("up", *PROD).exit_code == 0
    assert desk.ran() == ["up"]


def test_generated_secrets_are_data_too(desk: Desk) -> None:
    desk.has_state({"type": PASSWORD, "urn": f"{URN}key", "id": "key", "outputs": {}})
    desk.plans(step("replace", PASSWORD, "site-prod-stack-key"))
    assert "site-prod-stack-key" in desk.run("up", *PROD).stderr


def test_somebody_who_began_a_run_while_the_plan_was_made_is_left_alone(
    stack: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("slipway.cli.plan.refuse_data_loss", lambda *_: stack.lock("prod", hostname="elsewhere"))
    assert stack.run("up", *PROD).exit_code == 8
    assert stack.ran() == []
