"""Images: built when something that goes into them changed, and a container replaced exactly when its image did."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.contract.conftest import NewProject
from tests.contract.project import ContractProject
from tests.support import engine

PROGRAM = """
import pulumi
import pulumi_docker as docker
from contract import PROJECT, SERVER, container, idle, named

image = docker.Image(
    named("image"), image_name=f"{PROJECT}-app:1", skip_push=True,
    build={"context": "app", "platform": "linux/amd64", "args": {"BASE": SERVER, "UNUSED": "one"}})
container("app", {"delete_before_replace": False}, image=image.repo_digest)
idle("uses-the-tag", {"delete_before_replace": False}, envs=[image.base_image_name.apply(lambda tag: f"TAG={tag}")])
pulumi.export("id", image.repo_digest)
"""
DOCKERFILE = """
ARG BASE
FROM ${BASE}
COPY . /app
RUN echo this step ran
"""
REBUILT = {"image": "update", "app": "replace", "uses-the-tag": "replace"}


@pytest.fixture(scope="module")
def project(new_project: NewProject) -> Iterator[ContractProject]:
    made = new_project(PROGRAM)
    made.write("app/Dockerfile", DOCKERFILE)
    made.write("app/.dockerignore", "ignored.txt\n")
    made.write("app/code.py", f"one of {made.name}")  # so that nobody else's build gives the same image
    made.write("app/ignored.txt", "one")
    assert made.plan() == {made.stack: "create", **dict.fromkeys(REBUILT, "create")}
    made.up()
    first: str = made.outputs()["id"]
    yield made
    for name in (first, f"{made.name}-app:1", f"{made.name}-app:2", f"{made.name}-kept:1"):
        engine.remove_image(name)


def runs(project: ContractProject) -> str:
    """The id of the image that the container runs."""
    image: str = project.container("app").attrs["Image"]
    return image


def test_the_digest_of_an_image_that_is_not_pushed_is_its_id_on_the_engine(project: ContractProject) -> None:
    assert project.outputs()["id"] == runs(project) == engine.client().images.get(f"{project.name}-app:1").id


def test_nothing_is_built_when_only_times_and_ignored_files_changed(project: ContractProject) -> None:
    project.write("app/ignored.txt", "two")
    os.utime(project.directory / "app" / "code.py", (1, 1))
    result = project.up("--expect-no-changes")
    assert "this step ran" not in result.text


def test_a_changed_mode_is_a_change(project: ContractProject) -> None:
    code = project.directory / "app" / "code.py"
    mode = code.stat().st_mode
    code.chmod(0o755)
    assert project.plan() == REBUILT
    code.chmod(mode)
    assert project.plan() == {}


def test_changed_code_builds_again_and_replaces_what_runs_it_and_nothing_else(project: ContractProject) -> None:
    old, others, image = project.container("app").id, project.ids("uses-the-tag"), runs(project)
    engine.client().api.tag(image, f"{project.name}-kept", "1")
    project.edit("one of", "two of", "app/code.py")
    plan = project.plan()
    project.up()
    assert project.container("app").id != old
    assert runs(project) == project.outputs()["id"] != image
    assert project.ids("uses-the-tag") == others
    assert engine.client().images.get(f"{project.name}-kept:1").id == image, "the old image stays where it has a name"
    assert plan == REBUILT, "a preview cannot know the id or the base of an image that will be built"


def test_a_build_that_gives_the_same_image_leaves_the_container_alone_also_under_a_new_name(
    project: ContractProject,
) -> None:
    old, image = project.ids("app"), runs(project)
    project.edit('"UNUSED": "one"', '"UNUSED": "two"')
    project.edit("-app:1", "-app:2")
    assert project.plan()["image"] == "update"
    project.up()
    assert project.ids("app") == old
    assert engine.client().images.get(f"{project.name}-app:2").id == image == project.outputs()["id"]


def test_a_build_that_fails_shows_what_it_printed_and_leaves_the_running_container(project: ContractProject) -> None:
    old = project.ids("app")
    wrong = "RUN echo $((40 + 2)) apples && exit 7"  # what it prints is not what stands in the Dockerfile
    project.edit("RUN echo this step ran", wrong, "app/Dockerfile")
    text = project.up(succeeds=False).text
    assert "42 apples" in text
    assert f"{project.name}-image" in text
    assert project.ids("app") == old
    assert project.container("app").status == "running"
    project.edit(wrong, "RUN echo this step ran", "app/Dockerfile")
    project.up("--expect-no-changes")


def test_an_image_removed_by_hand_with_its_container_comes_back_when_it_is_replaced(project: ContractProject) -> None:
    image = runs(project)
    project.container("app").remove(force=True)
    engine.client().images.remove(image, force=True)
    assert project.plan() == {}
    assert image in project.up("--refresh", succeeds=False).text
    project.up("--replace", project.resource("image")["urn"])
    assert project.container("app").status == "running"
    assert project.plan() == {}


def test_destroy_leaves_the_image_and_removes_the_containers(project: ContractProject) -> None:
    project.pulumi("destroy", "--yes", "--skip-preview")
    assert project.containers("app") + project.containers("uses-the-tag") == []
    assert engine.client().images.get(f"{project.name}-app:2")
