"""A gate outside the container: whatever is run after it has failed, the healthy container stays until it holds."""

from __future__ import annotations

from docker.models.containers import Container

from tests.contract.conftest import NewProject
from tests.contract.project import PROGRAMS, ContractProject
from tests.support import engine

PROGRAM = """
from contract import WELL, container, named
from gate import Gate

options = {"delete_before_replace": False, "replace_on_changes": ["#initerror"]}
app = container("app", options, envs=["HEALTH=good"], healthcheck=WELL)
Gate(named("gate"), [app.name])
"""


def still_serving(project: ContractProject, old: Container) -> bool:
    old.reload()
    return old.status == "running" and old.id in {found.id for found in project.containers("app")}


def test_no_re_run_and_no_refresh_gets_past_a_failed_gate_and_repaired_code_cleans_up(new_project: NewProject) -> None:
    project = new_project(PROGRAM)
    project.write("gate.py", (PROGRAMS / "gate.py").read_text())
    project.up()
    old = project.container("app")

    project.edit("HEALTH=good", "HEALTH=bad")
    for flags in ([], [], ["--refresh"]):
        assert "did not get well" in project.up(*flags, succeeds=False).text
        assert still_serving(project, old)
        assert engine.health(old) == "healthy"
        assert len(project.containers("app")) == 2, "the newcomer is kept, and asked again"
        assert project.pending() == ["app"]

    project.edit("HEALTH=bad", "HEALTH=exit")
    project.up(succeeds=False)
    assert still_serving(project, old)

    failed = {found.id for found in project.containers("app")}
    project.edit("HEALTH=exit", "HEALTH=good")
    project.up()
    assert project.container("app").id not in failed
    assert engine.health(project.container("app")) == "healthy"
    assert (project.half_made(), project.pending()) == ([], [])


def test_neither_a_second_run_nor_an_edit_of_its_module_is_a_change(new_project: NewProject) -> None:
    project = new_project(PROGRAM)
    project.write("gate.py", (PROGRAMS / "gate.py").read_text())
    project.up()
    project.assert_unchanged()
    project.edit("did not get well", "is still not well", "gate.py")
    project.up("--expect-no-changes")
