"""In which order a container is replaced, and what a replacement that cannot work leaves behind."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from tests.contract.conftest import NewProject
from tests.support import engine

PROGRAM = """
from contract import container, named

version = {"envs": ["VERSION=one"]}
container("default", **version)
container("named", name=named("named"), **version)
container("first", {"delete_before_replace": True}, **version)
container("port", ports=[{"internal": 8000, "ip": "127.0.0.1", "protocol": "tcp"}], **version)
"""
NAMES = ("default", "named", "first", "port")
BESIDE = """
from contract import container

# Long enough that nothing but waiting for it explains a newcomer that was healthy before the old one was stopped.
slow = {"tests": ["CMD", "sleep", "6"], "interval": "1s", "timeout": "40s", "retries": 2}
beside = {"delete_before_replace": False}
container("beside", beside, envs=["VERSION=one"], healthcheck=slow, wait=True, wait_timeout=60)
"""


class Replaced(NamedTuple):
    """The ids before and after, and what the engine saw in between: (container id, action) in order.

    A container that is stopped gets more than one signal: only the first counts.
    """

    old: dict[str, str]
    new: dict[str, str]
    seen: list[tuple[str, str]]

    def in_this_order(self, *events: tuple[str, str]) -> bool:
        return [event for event in dict.fromkeys(self.seen) if event in events] == list(events)


def replacing(new_project: NewProject, program: str, *names: str) -> Replaced:
    """Every container of the program after one changed variable."""
    project = new_project(program)
    project.up()
    old, events = project.ids(*names), engine.Events(project.name)
    project.edit("VERSION=one", "VERSION=two")
    project.up()
    return Replaced(old, project.ids(*names), events.seen())


@pytest.fixture(scope="module")
def replaced(new_project: NewProject) -> Replaced:
    return replacing(new_project, PROGRAM, *NAMES)


def test_create_first_starts_the_new_one_and_waits_for_its_health_before_it_stops_the_old(
    new_project: NewProject,
) -> None:
    replaced = replacing(new_project, BESIDE, "beside")
    old, new = replaced.old["beside"], replaced.new["beside"]
    order = [(new, "create"), (new, "start"), (new, "health_status: healthy"), (old, "kill"), (old, "destroy")]
    assert replaced.in_this_order(*order), replaced.seen


@pytest.mark.parametrize("name", ["default", "named", "first", "port"])
def test_the_old_one_goes_first_unless_the_program_says_otherwise(replaced: Replaced, name: str) -> None:
    old, new = replaced.old[name], replaced.new[name]
    assert replaced.in_this_order((old, "destroy"), (new, "create"), (new, "start")), replaced.seen


def test_create_first_with_a_fixed_name_fails_and_leaves_the_old_one_and_the_state_alone(
    new_project: NewProject,
) -> None:
    project = new_project("""
from contract import container, named
container("named", {"delete_before_replace": False}, name=named("named"), envs=["VERSION=one"])
""")
    project.up()
    old = project.ids("named")
    project.edit("VERSION=one", "VERSION=two")
    text = project.up(succeeds=False).text
    assert "named" in text
    assert "already in use" in text
    assert project.ids("named") == old
    assert project.container("named").status == "running"
    assert (project.half_made(), project.pending()) == ([], [])
    project.edit("VERSION=two", "VERSION=one")
    project.up("--expect-no-changes")


def test_create_first_with_a_host_port_fails_and_stays_failed_until_the_old_one_is_removed_by_hand(
    new_project: NewProject,
) -> None:
    project = new_project("""
from contract import container
ports = [{"internal": 8000, "external": PORT, "ip": "127.0.0.1", "protocol": "tcp"}]
container("port", {"delete_before_replace": False}, ports=ports, envs=["VERSION=one"])
""".replace("PORT", str(engine.free_port())))
    project.up()
    old = project.container("port")
    project.edit("VERSION=one", "VERSION=two")
    assert "port is already allocated" in project.up(succeeds=False).text
    newcomer = project.containers("port")[0]
    assert newcomer.status == "created"
    assert engine.answer(*engine.published(old, 8000)) == (200, "one")
    assert (project.half_made(), project.pending()) == (["port"], ["port"])

    project.edit('"delete_before_replace": False', '"delete_before_replace": True')
    project.up(succeeds=False)
    assert engine.answer(*engine.published(old, 8000)) == (200, "one")

    old.remove(force=True)
    project.up()
    assert engine.answer(*engine.published(project.container("port"), 8000)) == (200, "two")
    project.up("--expect-no-changes")
