"""A run that is interrupted or killed half-way, or whose newcomer never gets well: the next one converges, nothing is
left over, and what served before goes on serving."""

from __future__ import annotations

import os
import secrets
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from slipway.setup import paths
from tests.support import engine
from tests.support.base_images import base_image
from tests.support.pulumi_project import PulumiProject
from tests.support.waiting import wait_until

PROGRAM = """\
import pulumi
import pulumi_docker as docker

from blocker import Blocker

config = pulumi.Config()
mine = pulumi.get_project()
network = docker.Network(mine, labels=[docker.NetworkLabelArgs(label="slipway.test", value=mine)])


def container(name, previous=None, **arguments):
    return docker.Container(
        f"{mine}-{name}", image=config.require("image"), command=["sleep", "600"], init=True,
        labels=[docker.ContainerLabelArgs(label="slipway.test", value=mine)],
        networks_advanced=[docker.ContainerNetworksAdvancedArgs(name=network.name)],
        opts=pulumi.ResourceOptions(depends_on=[previous] if previous else []), **arguments)


app = container("app", wait=True, wait_timeout=60, healthcheck=docker.ContainerHealthcheckArgs(
    tests=["CMD", config.require("check")], interval="1s", timeout="2s", retries=100))
for number in range(3):
    app = container(f"row-{number}", app)
Blocker(mine, config.get_bool("block"), pulumi.ResourceOptions(depends_on=[app]))
"""

BLOCKER = '''\
"""A dynamic resource that can be told never to be ready."""
import threading
from pathlib import Path

from pulumi import dynamic
from slipway.providers.provider import Provider as OwnProvider, recorded


class Provider(OwnProvider):
    def create(self, props):
        if props["block"]:
            Path("working").touch()
            threading.Event().wait()
        return dynamic.CreateResult("blocker", recorded(props))


class Blocker(dynamic.Resource):
    def __init__(self, name, block, opts):
        super().__init__(Provider(), name, {"block": bool(block)}, opts)
'''

NewProject = Callable[..., PulumiProject]


@pytest.fixture
def new_project(tmp_path: Path, virtualenv: Path) -> Iterator[NewProject]:
    made: list[PulumiProject] = []

    def new(program: str, **config: object) -> PulumiProject:
        project = PulumiProject(tmp_path, program, virtualenv=virtualenv, name=f"interrupts-{secrets.token_hex(3)}")
        project.write("blocker.py", BLOCKER)
        project.environment["PYTHONPATH"] = str(paths.PROJECT)
        made.append(project)
        project.init(image=base_image("python"), **config)
        return project

    yield new
    for project in made:
        for found in on_the_engine(project):
            remove(found)


def on_the_engine(project: PulumiProject) -> list[Any]:
    """The project's containers and networks, found by their label."""
    labelled: Any = {"label": f"slipway.test={project.name}"}
    client = engine.client()
    return [
        *client.containers.list(all=True, filters=labelled, ignore_removed=True),
        *client.networks.list(filters=labelled),
    ]


def remove(found: Any) -> None:
    found.remove(**({"force": True} if hasattr(found, "kill") else {}))


def orphans(project: PulumiProject) -> list[Any]:
    """What the project has on the engine and not in its state."""
    known = {resource.get("id") for resource in project.resources()}
    return [found for found in on_the_engine(project) if found.id not in known]


def tools(project: PulumiProject) -> list[str]:
    """The command lines of those offline language hosts, plugins, programs and dynamic providers that this project's
    runs have started and that are still there."""
    found = []
    mark = f"PULUMI_HOME={project.environment['PULUMI_HOME']}\0".encode()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            ours = mark in (process / "environ").read_bytes()
            command = (process / "cmdline").read_text().replace("\0", " ") if ours else ""
        except OSError:
            continue  # it has ended meanwhile
        if "slipway_offline" in command or "pulumi.dynamic" in command:
            found.append(command)
    return found


def waits_for_health(project: PulumiProject) -> bool:
    return any(engine.health(found) == "starting" for found in engine.containers(f"{project.name}-app"))


def is_half_way(project: PulumiProject) -> bool:
    return bool(engine.containers(f"{project.name}-row-0"))


MOMENTS = {
    "a container waits for its health": ("false", waits_for_health),
    "containers are being made": ("true", is_half_way),
}


def stop(project: PulumiProject, number: signal.Signals, moment: Callable[[PulumiProject], bool]) -> str:
    """Starts `up` and sends it a signal at the moment named; what it said until its end."""
    run = project.start("up", "--yes", "--skip-preview")
    try:
        wait_until("the moment to interrupt", lambda: moment(project) or run.poll() is not None, 60, pause=0.02)
        assert run.poll() is None, run.stdout.read() if run.stdout else ""
        os.killpg(run.pid, number)
        said, _ = run.communicate(timeout=30)
    finally:
        run.kill()
    assert run.returncode != 0
    wait_until("everything that the run had started is gone", lambda: not tools(project), 10)
    return said


def assert_converged(project: PulumiProject) -> None:
    assert orphans(project) == []
    assert len(on_the_engine(project)) == 5
    project.assert_settled()
    project.pulumi("destroy", "--yes", "--skip-preview")
    assert on_the_engine(project) == []


@pytest.mark.parametrize("moment", MOMENTS)
def test_after_a_kill_the_lock_is_cancelled_what_is_unknown_to_the_state_removed_and_the_next_run_converges(
    new_project: NewProject, moment: str
) -> None:
    check, reached = MOMENTS[moment]
    project = new_project(PROGRAM, check=check)

    stop(project, signal.SIGKILL, reached)

    assert "locked" in project.up(succeeds=False).text
    project.pulumi("cancel", "--yes")
    left = orphans(project)
    assert len(left) <= 1, "only the one that was being made is unknown to the state"
    for found in left:
        remove(found)
    project.pulumi("refresh", "--yes", "--skip-preview", "--clear-pending-creates")
    project.configure("check", "true")
    assert "pending operations" not in project.up().text
    assert_converged(project)


def test_a_killed_run_takes_a_working_dynamic_provider_with_it(new_project: NewProject) -> None:
    project = new_project(PROGRAM.replace("range(3)", "range(0)"), check="true", block=True)

    stop(project, signal.SIGKILL, lambda project: (project.directory / "working").exists())

    assert orphans(project) == []


SERVER = """\
import pulumi
import pulumi_docker as docker

config = pulumi.Config()
mine = pulumi.get_project()
app = docker.Container(
    f"{mine}-app", image=config.require("image"), command=["python3", "-m", "http.server", "8000"],
    envs=[f"CHECK={config.require('check')}"], wait=True, wait_timeout=3,
    labels=[docker.ContainerLabelArgs(label="slipway.test", value=mine)],
    healthcheck=docker.ContainerHealthcheckArgs(
        tests=["CMD", config.require("check")], interval="1s", timeout="2s", retries=100),
    opts=pulumi.ResourceOptions(delete_before_replace=False, replace_on_changes=["#initerror"]))
pulumi.export("name", app.name)
"""


def test_a_newcomer_that_never_gets_well_fails_the_run_while_the_old_one_serves(new_project: NewProject) -> None:
    project = new_project(SERVER, check="true")
    project.up()
    old = engine.container(f"{project.name}-app")
    name = project.outputs()["name"]

    project.configure("check", "false")
    said = project.up(succeeds=False).text

    assert f"{project.name}-app" in said
    assert "healthy" in said
    assert engine.http_get(engine.address(old), 8000)[0] == 200
    states = {bool(found.get("delete")): found for found in project.resources() if found["urn"].endswith("-app")}
    assert states[True]["id"] == old.id, "the old one is kept, to be deleted by the next run that succeeds"
    assert states[False]["initErrors"], "the half-made one is known"
    assert project.outputs()["name"] == name

    project.configure("check", "true")
    project.up()
    assert engine.container(f"{project.name}-app").id not in {states[True]["id"], states[False]["id"]}
    assert orphans(project) == []
    project.pulumi("destroy", "--yes", "--skip-preview")
    assert on_the_engine(project) == []
