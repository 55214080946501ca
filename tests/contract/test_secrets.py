"""Secrets: generated once, never in the clear in the state or on the terminal, and not changed by accident."""

from __future__ import annotations

from tests.contract.conftest import NewProject
from tests.contract.project import ContractProject

PROGRAM = """
import pulumi
import pulumi_random as random
from contract import container, idle, named

password = random.RandomPassword(named("password"), length=24, special=False)
frozen = random.RandomPassword(named("frozen"), length=24, special=False,
                               opts=pulumi.ResourceOptions(ignore_changes=["length", "special"]))
configured = pulumi.Config().require_secret("word")
container("app", envs=[pulumi.Output.concat("PASSWORD=", password.result), pulumi.Output.concat("WORD=", configured)])
idle("file", uploads=[{"file": "/secret", "content": frozen.result}])
pulumi.export("password", password.result)
pulumi.export("frozen", frozen.result)
"""
FAILING = """
idle("sealed", read_only=True, uploads=[{"file": "/secret", "content": password.result}])
"""
WORD = "a-configured-word"


def in_the_clear(project: ContractProject, secrets: set[str]) -> set[str]:
    """The secrets that stand in a file of the backend as they are."""
    state = "".join(path.read_text() for path in (project.root / "state").rglob("*") if path.is_file())
    return {secret for secret in secrets if secret in state}


def test_a_secret_reaches_its_container_and_neither_the_state_nor_the_terminal(new_project: NewProject) -> None:
    project = new_project(PROGRAM)
    project.pulumi("config", "set", "--secret", "word", WORD)
    result = project.up()
    outputs = project.outputs()
    secrets = {WORD, *outputs.values()}
    assert [len(value) for value in outputs.values()] == [24, 24]
    assert all(value.isalnum() for value in outputs.values())
    environment = project.container("app").attrs["Config"]["Env"]
    assert {f"PASSWORD={outputs['password']}", f"WORD={WORD}"} <= set(environment)

    assert in_the_clear(project, secrets) == set()
    shown = result.text + project.pulumi("stack", "output").text + project.preview("--diff").text
    assert "[secret]" in shown
    assert not {secret for secret in secrets if secret in shown}
    assert WORD not in (project.directory / f"Pulumi.{project.stack}.yaml").read_text()
    project.assert_unchanged()

    project.edit("length=24", "length=25")
    assert project.plan() == {"password": "replace", "app": "replace"}, "any argument makes a new one, unless ignored"
    failing = project.directory / "__main__.py"
    failing.write_text(failing.read_text() + FAILING)
    text = project.up(succeeds=False).text
    secrets |= set(project.outputs().values())
    assert in_the_clear(project, secrets) == set(), "nor is it in what the state keeps of a container half made"
    assert not {secret for secret in secrets if secret in text}
