"""The program while the stack is pinned to a recorded release: the old services, and nothing built or migrated."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pulumi
import pytest

from tests.mocks.program import ROOT, configuration, run
from tests.mocks.recording import PROJECT, Program
from tests.mocks.sites import IMAGES, SITES, UI, declared

BUILT = {"ui": f"sha256:{'1' * 64}", "images": f"sha256:{'2' * 64}"}
BUILDING = ("docker:index/image:Image", "pulumi-python:dynamic/slipway:ImageTag")


def recorded(program: Program) -> dict[str, Any]:
    """What the release of this program writes down."""
    [release] = program.of_kind("Release").values()
    return dict(release.inputs["record"])


def pin(services: Mapping[str, Any], images: Mapping[str, str] = BUILT) -> dict[str, Any]:
    return {"release": {"release": "4", "images": dict(images), "services": dict(services)}}


def held(stack: str, changes: Mapping[str, Any] | None = None, **others: Any) -> Program:
    """The program pinned to a release with the services of `changes`, as its own record has them."""
    with patch.object(pulumi.log, "warn"):
        return run(stack, {**others, **pin(recorded(run(stack, changes))["services"])})


@pytest.fixture(scope="module", params=["prod", "dev"])
def stack(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def pinned(stack: str) -> Program:
    return held(stack)


@pytest.mark.parametrize("site", SITES)
def test_every_kind_of_site_is_pinned_to_its_own_release_and_only_the_builds_are_gone(site: str) -> None:
    """A worker, a schedule, a ready-made image, certbot, a shared database: they run on as they were recorded."""
    newest = run("prod", SITES[site])
    images = {name: f"sha256:{number:064x}" for number, name in enumerate(recorded(newest)["images"])}
    services, today = recorded(newest)["services"], {"services": {"ui": UI}, "overrides": {}}
    with patch.object(pulumi.log, "warn"):
        back = run("prod", {**SITES[site], **today, **pin(services, images)})
    builds = {urn for urn, each in newest.resources.items() if each.type in BUILDING and is_of(each.logical, images)}
    assert set(back.resources) == set(newest.resources) - builds
    assert recorded(back)["images"] == images


def is_of(logical: str, services: Collection[str]) -> bool:
    return logical.removesuffix("-tag") in services


def services_own(program: Program, kind: str) -> set[str]:
    """The logical names of a kind that belong to declared services and not to nginx or the database."""
    return {name.removesuffix("-tag") for name in program.of_kind(kind)} & set(BUILT)


def test_nothing_of_the_services_is_built_and_all_else_keeps_its_urn(stack: str, pinned: Program) -> None:
    assert services_own(pinned, "Image") == services_own(pinned, "ImageTag") == set()
    gone = {
        urn
        for urn, each in run(stack).resources.items()
        if each.type in BUILDING and each.logical.removesuffix("-tag") in BUILT
    }
    assert set(pinned.resources) | gone == set(run(stack).resources)
    assert len(gone) == 2 * len(BUILT)


def test_containers_jobs_and_static_files_take_the_recorded_images(pinned: Program) -> None:
    for name, image in BUILT.items():
        assert pinned.containers[name].inputs["image"] == image
    assert {each.inputs["image"] for each in pinned.of_kind("StaticFiles").values()} <= {BUILT["ui"]}
    assert recorded(pinned)["images"] == BUILT
    assert [each.inputs["release"] for each in pinned.of_kind("Release").values()] == ["4"]


def test_neither_migrations_nor_seeds_run_and_what_they_last_ran_with_stays(stack: str, pinned: Program) -> None:
    jobs = run(stack).of_kind("Job")
    assert set(pinned.of_kind("Job")) == set(jobs)
    assert all(each.inputs.get("suspended") is True for each in pinned.of_kind("Job").values())
    assert not [name for name, each in jobs.items() if "suspended" in each.inputs], "a key of its own would be a change"


def test_the_services_are_those_of_the_record_whatever_is_declared_now(tmp_path: Path) -> None:
    old = declared(ui={**UI, "env": {"UI_TITLE": "Old"}, "replicas": 2}, images=IMAGES)
    shutil.copytree(ROOT / "services", tmp_path / "services", ignore=shutil.ignore_patterns("ui", "__pycache__"))
    with patch.object(pulumi.log, "warn"):
        program = run("prod", pin(old["services"]), root=tmp_path)
    assert set(program.services) == {"ui", "ui-2", "images"}
    assert "UI_TITLE=Old" in program.containers["ui"].inputs["envs"]
    assert "postgres" not in program.containers, "what no service of the release needs is not there"


def test_secrets_that_the_release_did_not_know_stay_what_they_are() -> None:
    today = declared(ui={**UI, "secrets": ["SECRET_KEY", "TOKEN"]})
    program = held("prod", declared(ui=UI), **today)
    assert {"ui-SECRET_KEY", "ui-TOKEN"} <= set(program.of_kind("RandomPassword"))


def test_the_operator_is_told_at_each_run_and_only_while_it_is_pinned(stack: str) -> None:
    with patch.object(pulumi.log, "warn") as warn:
        run(stack, pin(recorded(run(stack))["services"]))
    told = [call.args[0] for call in warn.call_args_list]
    assert len(told) == 1
    assert "pinned to release 4" in told[0]
    assert "slipway rollback --clear" in told[0]


def test_an_image_that_is_gone_is_one_error_before_anything_is_registered(stack: str) -> None:
    with pytest.raises(pulumi.RunError) as error:
        run(stack, pin(recorded(run(stack))["services"]), images=BUILT["ui"])
    assert "release.images.images: the engine has the image of release 4 no more" in str(error.value)


def test_a_release_records_what_its_services_were_declared_as(stack: str) -> None:
    changes = {"overrides": {"ui": {"memory": 300}}, "keepReleases": 2}
    program = run(stack, changes)
    record = recorded(program)
    assert record["services"]["ui"].get("memory") == 300
    assert record["images"] == {name: each.inputs["image"] for name, each in program.services.items()}
    assert (record["project"], record["stack"], record["databases"]) == (PROJECT, stack, ["images"])
    assert [each.inputs["keep"] for each in program.of_kind("Release").values()] == [2]
    assert f"{PROJECT}:keepReleases" in configuration(stack), "declared in Pulumi.yaml"


def test_each_image_that_is_built_gets_a_name_of_its_own(stack: str) -> None:
    program = run(stack)
    tags = {name.removesuffix("-tag"): each.inputs for name, each in program.of_kind("ImageTag").items()}
    assert set(tags) == set(program.of_kind("Image"))
    for name, inputs in tags.items():
        assert inputs["repository"] == f"{PROJECT}-{stack}-{name}"
        assert inputs["image"] == f"sha256:{PROJECT}-{stack}-{name}"
