"""A container that waits for its health and never gets it: the provider's own gate, and where it does not hold."""

from __future__ import annotations

from tests.contract.conftest import NewProject
from tests.support import engine

PROGRAM = """
import pulumi
from contract import WELL, container

app = container(
    "app", {"delete_before_replace": False, "replace_on_changes": ["#initerror"]},
    entrypoints=["/usr/bin/env"], command=["python3", "-B", "/server.py"], envs=["HEALTH=good"],
    memory=64, memory_swap=64, healthcheck=WELL | {"retries": 1}, wait=True, wait_timeout=4)
pulumi.export("name", app.name)
"""


def test_while_init_errors_replace_only_a_refresh_lets_an_unhealthy_newcomer_cost_the_healthy_one(
    new_project: NewProject,
) -> None:
    project = new_project(PROGRAM)
    project.up()
    old, name = project.container("app"), project.outputs()["name"]

    project.edit("HEALTH=good", "HEALTH=bad")
    result = project.up(succeeds=False)
    assert "app" in result.text
    assert "healthy" in result.text
    assert [found.status for found in project.containers("app")] == ["running", "running"]
    assert engine.health(old) == "healthy"
    assert (project.half_made(), project.pending()) == (["app"], ["app"])
    assert project.outputs()["name"] == name, "outputs keep what the last good run gave"

    project.up(succeeds=False)  # the same program again
    assert engine.health(old) == "healthy"
    assert len(project.containers("app")) == 3, "each failed run leaves one more"
    assert (project.half_made(), project.pending()) == (["app"], ["app", "app"])

    failed = {found.id for found in project.containers("app")}
    project.edit("HEALTH=bad", "HEALTH=good")
    project.up()
    repaired = project.container("app")
    assert repaired.id not in failed
    assert engine.health(repaired) == "healthy"
    assert (project.half_made(), project.pending()) == ([], [])

    project.edit("memory=64, memory_swap=64", "memory=65, memory_swap=65")
    assert project.plan() == {"app": "update"}, "the option leaves an update of a healthy one in place"

    project.edit("HEALTH=good", "HEALTH=bad")
    project.up(succeeds=False)
    project.up("--refresh")  # clears the error: whoever may refresh needs a gate outside the container
    assert project.container("app").id != repaired.id
    assert engine.health(project.container("app")) != "healthy"


def test_without_that_option_a_plain_re_run_takes_a_newcomer_for_good_that_has_exited(new_project: NewProject) -> None:
    project = new_project(PROGRAM.replace('"replace_on_changes": ["#initerror"]', ""))
    project.up()
    old = project.container("app")
    project.edit("HEALTH=good", "HEALTH=exit")
    result = project.up(succeeds=False)
    assert result.seconds > 4, "an exit is not noticed before the wait is over"
    assert [found.status for found in project.containers("app")] == ["exited", "running"]
    project.up()
    assert project.container("app").id != old.id
    assert project.container("app").status == "exited"
