"""What keeps data, what loses it, and what `destroy` leaves."""

from __future__ import annotations

from docker.errors import NotFound
from docker.models.volumes import Volume

from tests.contract.conftest import NewProject
from tests.contract.project import ContractProject
from tests.support import engine

PROGRAM = """
import pulumi
import pulumi_docker as docker
from contract import container, named

def volume(name, **options):
    return docker.Volume(named(name), name=named(name), labels=[{"label": "contract", "value": "one"}],
                         opts=pulumi.ResourceOptions(**options))

def app(**volumes):
    container("app", {"delete_before_replace": True}, volumes=[
        {"volume_name": each.name, "container_path": f"/data/{name}"} for name, each in volumes.items()])
"""
RETAINED = PROGRAM + """
app(kept=volume("kept", retain_on_delete=True, ignore_changes=["labels", "driverOpts"]),
    relabelled=volume("relabelled", retain_on_delete=True), lost=volume("lost"))
docker.Network(named("network"))
"""
PROTECTED = PROGRAM + """
app(guarded=volume("guarded", protect=True))
"""


def volume(project: ContractProject, name: str) -> Volume | None:
    try:
        return engine.client().volumes.get(f"{project.name}-{name}")
    except NotFound:
        return None


def labels(project: ContractProject, name: str) -> dict[str, str]:
    found = volume(project, name)
    assert found
    attributes: dict[str, str] = found.attrs["Labels"]
    return attributes


def fill(project: ContractProject, *names: str) -> None:
    for name in names:
        code, output = engine.run_in(project.container("app"), "sh", "-c", f"echo {name} > /data/{name}/file")
        assert code == 0, output


def kept(project: ContractProject, *names: str) -> list[str]:
    """Which of the volumes still have what `fill` put into them."""
    app = project.container("app")
    return [name for name in names if engine.run_in(app, "cat", f"/data/{name}/file") == (0, f"{name}\n")]


def test_a_retained_volume_outlives_changes_and_the_stack_and_is_adopted_with_its_data(new_project: NewProject) -> None:
    names = ("kept", "relabelled", "lost")
    project = new_project(RETAINED)
    project.up()
    fill(project, *names)

    project.edit('"value": "one"', '"value": "two"')
    assert project.plan() == {"relabelled": "replace", "lost": "replace", "app": "replace"}
    project.up()
    assert kept(project, *names) == ["kept", "relabelled"], "a replaced volume is an empty one, unless it is retained"
    assert labels(project, "relabelled") == {"contract": "one"}, "and a retained one keeps its labels"
    assert labels(project, "lost") == {"contract": "two"}

    project.pulumi("destroy", "--yes", "--skip-preview")
    assert [name for name in names if volume(project, name)] == ["kept", "relabelled"]
    assert project.containers("app") == []
    assert engine.client().networks.list(names=[f"{project.name}-network"]) == []

    project.pulumi("stack", "rm", "--yes", project.stack)
    project.init()
    project.up()
    assert kept(project, *names) == ["kept", "relabelled"]
    project.up("--expect-no-changes")


def test_a_protected_volume_refuses_its_replacement_and_stops_a_destroy_that_has_removed_its_container(
    new_project: NewProject,
) -> None:
    project = new_project(PROTECTED)
    project.up()
    fill(project, "guarded")

    project.edit('"value": "one"', '"value": "two"')
    assert "guarded" in project.up(succeeds=False).text
    assert labels(project, "guarded") == {"contract": "one"}
    project.edit('"value": "two"', '"value": "one"')

    assert "guarded" in project.pulumi("destroy", "--yes", "--skip-preview", succeeds=False).text
    assert project.containers("app") == []
    project.up()
    assert kept(project, "guarded") == ["guarded"]
