"""What each planned change does to the running site."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from slipway.core.impact import Level, Step, impacts
from slipway.core.kinds import KINDS, Kind
from slipway.core.resource_types import CONTAINER, JOB, PASSWORD, RELEASE, VOLUME

URN = "urn:pulumi:prod::site::slipway:components:"
MADE_BY = {"edge": "Edge", "postgres": "Postgres"}
CREATE_FIRST = ("create-replacement", "replace", "delete-replaced")
DELETE_FIRST = ("delete-replaced", "replace", "create-replacement")


def steps(*operations: str, kind: str, name: str = "site-prod-web", component: str = "Any", **told: Any) -> list[Step]:
    """The steps of one resource, as the engine's events have them."""
    inputs = told.pop("inputs", {})
    state = {"type": kind, "urn": f"{URN}{component}${kind}::{name}", "inputs": inputs, **told.pop("state", {})}
    found: list[Step] = []
    for operation in operations:
        new = operation not in {"delete", "delete-replaced"}
        step = {"op": operation, "urn": state["urn"], "type": kind, "old": state, "new": state if new else None, **told}
        found.append(step if operation != "create" else {**step, "old": None})
    return found


def container(*operations: str, service: str = "web", **told: Any) -> list[Step]:
    inputs = {"labels": [{"label": "slipway.project", "value": "site"}, {"label": "slipway.service", "value": service}]}
    component = MADE_BY.get(service, "FlaskService")
    return steps(*operations, kind=CONTAINER, component=component, inputs=inputs, **told)


def changed(kind: str, **inputs: tuple[Any, Any]) -> list[Step]:
    """An update of which the engine says only what was and what will be, as of dynamic resources."""
    [step] = steps("update", kind=kind)
    old, new = ({name: values[side] for name, values in inputs.items()} for side in (0, 1))
    return [{**step, "old": {**step["old"], "inputs": old}, "new": {**step["new"], "inputs": new}}]


CERTBOT_DATA = {"name": "site-prod-certbot-data", "labels": [{"label": "slipway.service", "value": "certbot"}]}
CASES = [
    ("none", steps("update", kind="docker:index/image:Image", diffs=["build"])),
    ("none", steps("create", kind="docker:index/network:Network")),
    ("none", steps(*CREATE_FIRST, kind="pulumi-python:dynamic/slipway:FilesVolume", diffs=["volume"])),
    ("none", container("update", diffs=["memory", "memorySwap"])),
    ("none", container("update", service="edge", diffs=["memory", "memorySwap"])),
    ("none", container("create", service="edge")),
    ("none", container("create", service="postgres")),
    ("none; site-prod-web-migrate runs before the switch", steps("update", kind=JOB, name="site-prod-web-migrate")),
    ("none", steps("delete", kind=JOB)),
    ("none", steps("update", kind=RELEASE, diffs=["timeout"])),
    ("none", changed(RELEASE, timeout=(1, 2))),
    ("reload of nginx", changed(RELEASE, timeout=(1, 2), pages=({}, {"x.html": ""}))),
    ("none", steps("delete", kind=RELEASE)),
    ("reload of nginx", steps("update", kind=RELEASE, diffs=["routes"])),
    ("reload of nginx", steps("update", kind=RELEASE, detailedDiff={'upstreams["web_1"]': {"kind": "add"}})),
    ("reload of nginx", steps("create", kind=RELEASE)),
    ("new release of web (no gap)", container("create")),
    ("new release of web (no gap)", container(*CREATE_FIRST, diffs=["image"], keys=["image"])),
    ("start of web, which was stopped", container("update", detailedDiff={"mustRun": {"kind": "update"}})),
    ("end of web", container("delete")),
    ("none", [*container("delete", name="site-prod-web-2"), *container("same")]),
    ("restart of web, about 10 s", container(*DELETE_FIRST, diffs=["image"])),
    ("restart of nginx, about 2 s", container(*DELETE_FIRST, service="edge")),
    ("restart of Postgres, about 2 s", container(*DELETE_FIRST, service="postgres")),
    ("restart of nginx, about 2 s", container("replace", service="edge")),
    ("none", steps("create", kind=VOLUME, inputs={"name": "site-prod-web-uploads"})),
    ("none", steps("delete", kind=VOLUME, inputs={"labels": []}, state={"retainOnDelete": False})),
    (
        "none",
        steps("delete", kind=VOLUME, name="site-prod-edge-tls", inputs={"name": "site-prod-edge-tls-ec778c4"}),
    ),
    (
        "data at risk: the volume site-prod-web-uploads is deleted",
        steps("delete", kind=VOLUME, inputs={"name": "site-prod-web-uploads"}),
    ),
    (
        "data at risk: the site loses the volume site-prod-web-uploads, which stays on the engine",
        steps("delete", kind=VOLUME, inputs={"name": "site-prod-web-uploads"}, state={"retainOnDelete": True}),
    ),
    (
        "none; site-prod-certbot-data with account and certificates stays, and `tls: acme` finds it again",
        steps("delete", kind=VOLUME, inputs=CERTBOT_DATA, state={"retainOnDelete": True}),
    ),
    ("data at risk: the volume site-prod-certbot-data is deleted", steps("delete", kind=VOLUME, inputs=CERTBOT_DATA)),
    (
        "data at risk: the volume site-prod-postgres-data is deleted",
        steps(*DELETE_FIRST, kind=VOLUME, inputs={"name": "site-prod-postgres-data"}, diffs=["driver"]),
    ),
    (
        "data at risk: the generated secret site-prod-stack-key gets another value",
        steps(*CREATE_FIRST, kind=PASSWORD, name="site-prod-stack-key", diffs=["length"]),
    ),
    (
        "data at risk: the generated secret site-prod-web-db-owner is forgotten",
        steps("delete", kind=PASSWORD, name="site-prod-web-db-owner"),
    ),
    ("none", steps("create", kind=PASSWORD)),
]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if not kind.visitors], ids=lambda kind: kind.component)
@pytest.mark.parametrize("operations", [("create",), ("delete",), ("replace",), CREATE_FIRST, DELETE_FIRST])
def test_what_no_request_goes_through_no_visitor_notices(kind: Kind, operations: tuple[str, ...]) -> None:
    plan = container(*operations, diffs=["image"])
    urn = f"{URN}{kind.component}${CONTAINER}::site-prod-any"
    assert [found.text for _, found in impacts([{**each, "urn": urn} for each in plan])] == ["none"]


@pytest.mark.parametrize(("text", "plan"), CASES, ids=[f"{number} {text}" for number, (text, _) in enumerate(CASES)])
def test_a_change_has_the_impact_that_it_has(text: str, plan: list[Step]) -> None:
    assert [found.text for _, found in impacts(plan)] == [text]


RECORDED = {
    "limit-and-page": {"reload of nginx": ["release"]},
    "code-and-hosts": {
        "none": ["web", "web-uploads-owner", "web-static", "web-tag", "web-files"],
        "new release of web (no gap)": ["web"],
        "reload of nginx": ["release"],
    },
    "service-without-its-data": {
        "data at risk: the site loses the volume site-prod-postgres-data, which stays on the engine": ["postgres-data"],
        "data at risk: the site loses the volume site-prod-web-uploads, which stays on the engine": ["web-uploads"],
        "data at risk: the generated secret site-prod-postgres-superuser is forgotten": ["postgres-superuser"],
        "data at risk: the generated secret site-prod-web-db-owner is forgotten": ["web-db-owner"],
        "end of Postgres": ["postgres"],
        "new release of web (no gap)": ["web"],
        "reload of nginx": ["release"],
    },
}
"""Steps of real previews, in tests/unit/plans; long values are hashes there, and what does not change is left out."""


@pytest.mark.parametrize("name", RECORDED)
def test_recorded_plans_have_the_impact_that_they_had(name: str) -> None:
    lines = (Path(__file__).parent / "plans" / f"{name}.jsonl").read_text().splitlines()
    found: dict[str, list[str]] = {}
    for change, what in impacts([json.loads(line) for line in lines]):
        found.setdefault(what.text, []).append(change.name.removeprefix("site-prod-"))
    if "none" not in RECORDED[name]:
        found.pop("none", None)
    assert found == RECORDED[name]


@pytest.mark.parametrize(
    ("there", "operation", "gone", "text"),
    [
        ("web-KEY-2", "same", "web-KEY-1", "none; site-prod-web-KEY-1 was rotated"),
        ("web-KEY-1", "create", "web-KEY", "none; site-prod-web-KEY was rotated"),
        ("web-KEY-10", "create", "web-KEY-9", "none; site-prod-web-KEY-9 was rotated"),
        ("web-KEY", "create", "web-KEY-1", "data at risk: the generated secret site-prod-web-KEY-1 is forgotten"),
        ("web-KEY-2", "refresh", "web-KEY-1", "data at risk: the generated secret site-prod-web-KEY-1 is forgotten"),
        ("web-OTHER-2", "same", "web-KEY-1", "data at risk: the generated secret site-prod-web-KEY-1 is forgotten"),
    ],
)
def test_a_secret_that_was_rotated_is_at_no_risk_and_one_whose_count_was_lost_is(
    there: str, operation: str, gone: str, text: str
) -> None:
    later = steps(operation, kind=PASSWORD, name=f"site-prod-{there}")
    found = impacts([*later, *steps("delete", kind=PASSWORD, name=f"site-prod-{gone}")])
    assert [what.text for change, what in found if change.operation == "delete"] == [text]


@pytest.mark.parametrize("operation", ["same", "refresh", "read"])
def test_what_does_not_change_has_none(operation: str) -> None:
    assert impacts(container(operation)) == []


def test_a_container_that_a_refresh_looked_at_does_not_count_as_staying() -> None:
    plan = [*container("refresh"), *container("delete")]
    assert [found.text for _, found in impacts(plan)] == ["end of web"]


def test_what_risks_data_is_the_worst() -> None:
    assert max(found.level for _, plan in CASES for _, found in impacts(plan)) is Level.DATA
