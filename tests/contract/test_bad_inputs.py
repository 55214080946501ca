"""Mistakes: each names the resource and what is wrong with it, touches nothing, and is repaired by the next run."""

from __future__ import annotations

import pytest

from tests.contract.conftest import NewProject
from tests.contract.project import ContractProject
from tests.support import engine

GOOD = """
from contract import container

container("good")
"""


@pytest.fixture(scope="module")
def project(new_project: NewProject) -> ContractProject:
    made = new_project(GOOD)
    made.up()
    return made


@pytest.mark.parametrize(("settings", "named"), [
    ('"nonsense": 1', "nonsense"),
    ('"healthcheck": {"tests": ["CMD", "true"], "nonsense": 1}', "nonsense"),
    ('"healthcheck": {"tests": ["CMD", "true"], "interval": "five apples"}', "interval"),
    ('"memory": "much"', "memory"),
], ids=["unknown", "unknown-inside", "duration", "kind"])
def test_an_unknown_or_malformed_setting_is_refused_by_a_preview_that_names_it(
    project: ContractProject, settings: str, named: str,
) -> None:
    """The SDK's own classes refuse some of these before the plugin sees them; a plain resource goes past them."""
    before = project.resources()
    project.write("__main__.py", GOOD + f"""
import pulumi
from contract import SERVER, named
pulumi.CustomResource("docker:index/container:Container", named("mistaken"), {{"image": SERVER, {settings}}})
""")
    text = project.preview(succeeds=False).text
    assert f"{project.name}-mistaken" in text
    assert named in text
    assert project.resources() == before


def test_an_image_that_is_nowhere_fails_the_run_by_name_and_the_next_run_repairs_it(project: ContractProject) -> None:
    project.write("__main__.py", GOOD + 'container("app", image="contract-nowhere:1")\n')
    good = project.ids("good")
    text = project.up(succeeds=False).text
    assert f"{project.name}-app" in text
    assert "contract-nowhere:1" in text
    assert project.containers("app") == []
    project.edit(', image="contract-nowhere:1"', "")
    project.up()
    assert project.container("app").status == "running"
    assert project.ids("good") == good


def test_a_port_that_is_taken_fails_the_run_and_the_same_program_repairs_it_once_it_is_free(
    project: ContractProject, server_image: str,
) -> None:
    port = engine.free_port()
    other = engine.client().containers.run(
        server_image, detach=True, name=f"{project.name}-other", ports={"8000/tcp": ("127.0.0.1", port)})
    project.write("__main__.py", GOOD + f"""
port = {{"internal": 8000, "external": {port}, "ip": "127.0.0.1", "protocol": "tcp"}}
container("web", {{"replace_on_changes": ["#initerror"]}}, ports=[port])
""")
    text = project.up(succeeds=False).text
    assert f"{project.name}-web" in text
    assert str(port) in text
    assert "already allocated" in text
    other.remove(force=True)
    project.up()
    assert engine.published(project.container("web"), 8000) == ("127.0.0.1", port)
