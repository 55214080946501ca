"""An ordinary `runtime: python` project, driven by nothing but the `pulumi` command, with whichever CLI, language host
and plugins this machine has."""

from __future__ import annotations

import json
import secrets
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support import engine
from tests.support.base_images import base_image
from tests.support.pulumi_project import PulumiProject

PROGRAM = """\
import os

import pulumi
import pulumi_docker as docker
import pulumi_random as random

from greeter import Greeting

config = pulumi.Config()
mine = f"{pulumi.get_project()}"
password = random.RandomPassword("password", length=24, special=False)
pet = random.RandomPet("pet")
network = docker.Network(mine, labels=[docker.NetworkLabelArgs(label="slipway.test", value=mine)])
data = docker.Volume(mine, labels=[docker.VolumeLabelArgs(label="slipway.test", value=mine)])
container = docker.Container(
    mine, image=config.require("image"), command=["sleep", "600"], init=True,
    envs=[password.result.apply(lambda value: f"PASSWORD={value}")],
    labels=[docker.ContainerLabelArgs(label="slipway.test", value=mine)],
    networks_advanced=[docker.ContainerNetworksAdvancedArgs(name=network.name)],
    volumes=[docker.ContainerVolumeArgs(volume_name=data.name, container_path="/data")])
greeting = Greeting("greeting", file=config.require("file"), text=config.get("text") or "hello")

pulumi.export("token", config.require_secret("token"))
pulumi.export("password", password.result)
pulumi.export("pet", pet.id)
pulumi.export("container", container.name)
pulumi.export("greeting", greeting.size)
pulumi.export("python path", os.environ.get("PYTHONPATH", ""))
"""

GREETER = '''\
"""A dynamic resource: a file with a text in it."""
import pathlib

import pulumi
from pulumi import dynamic


class Provider(dynamic.ResourceProvider):
    def create(self, props):
        pathlib.Path(props["file"]).write_text(props["text"])
        return dynamic.CreateResult(props["file"], {**props, "size": len(props["text"])})

    def diff(self, id_, old, new):
        return dynamic.DiffResult(changes=old["text"] != new["text"], replaces=[])

    def update(self, id_, old, new):
        return dynamic.UpdateResult(self.create(new).outs)

    def delete(self, id_, props):
        pathlib.Path(id_).unlink()


class Greeting(dynamic.Resource):
    size: pulumi.Output[int]

    def __init__(self, name, file, text, opts=None):
        super().__init__(Provider(), name, {"file": file, "text": text, "size": None}, opts)
'''

TOKEN = "a-token-" + secrets.token_hex(8)


@dataclass
class Begun:
    """A project that was brought up, and what was seen on the way."""

    project: PulumiProject
    planned: dict[str, str]
    after_preview: list[str]
    said: str


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory, virtualenv: Path) -> Iterator[Begun]:
    """In a folder whose name has a space in it."""
    directory = tmp_path_factory.mktemp("command line")
    name = f"command-line-{secrets.token_hex(3)}"
    project = PulumiProject(directory, PROGRAM, virtualenv=virtualenv, name=name)
    project.write("greeter.py", GREETER)
    project.init(image=base_image("python"), file=str(directory / "greeting.txt"))
    project.pulumi("config", "set", "--secret", "token", TOKEN)
    try:
        planned = project.steps()
        after_preview = [path.name for path in directory.glob("greeting*")] + on_the_engine(name)
        yield Begun(project, planned, after_preview, project.up().text)
    finally:
        project.destroy()
        engine.remove_all(name)


@pytest.fixture(scope="module")
def project(begun: Begun) -> PulumiProject:
    return begun.project


def on_the_engine(name: str) -> list[str]:
    """What the project has there: the names of its containers, networks and volumes."""
    labelled: Any = {"label": f"slipway.test={name}"}
    client = engine.client()
    found = [
        *client.containers.list(all=True, filters=labelled, ignore_removed=True),
        *client.networks.list(filters=labelled),
        *client.volumes.list(filters=labelled),
    ]
    return [thing.attrs["Name"] for thing in found]


def test_a_preview_shows_what_would_be_made_and_makes_nothing(begun: Begun) -> None:
    assert set(begun.planned.values()) == {"create"}
    assert len(begun.planned) == 7
    assert begun.after_preview == []


def test_up_makes_everything_without_a_warning_and_then_there_is_nothing_left_to_do(begun: Begun) -> None:
    project = begun.project

    assert "warning" not in begun.said, begun.said
    assert len(on_the_engine(project.name)) == 3
    project.assert_settled()
    project.pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes")
    project.preview("--expect-no-changes")


def test_outputs_are_shown_and_secret_ones_only_on_request(project: PulumiProject) -> None:
    shown = json.loads(project.pulumi("stack", "output", "--json").stdout)
    revealed = project.outputs()

    assert shown["pet"] == revealed["pet"] == project.pulumi("stack", "output", "pet").stdout.strip()
    assert shown["token"] == shown["password"] == "[secret]"
    assert (revealed["token"], len(revealed["password"])) == (TOKEN, 24)


def test_no_secret_stands_in_a_file(project: PulumiProject) -> None:
    known = [TOKEN, project.outputs()["password"]]
    files = [path for path in project.root.rglob("*") if path.is_file() and "plugins" not in path.parts]

    assert [path for path in files for secret in known if secret.encode() in path.read_bytes()] == []
    assert "secure" in (project.directory / f"Pulumi.{project.stack}.yaml").read_text()


def test_the_programs_environment_has_nothing_of_the_tools(project: PulumiProject) -> None:
    assert project.outputs()["python path"] == ""


def test_a_dynamic_resource_is_made_and_changed_in_place(project: PulumiProject) -> None:
    file = project.root / "greeting.txt"
    assert file.read_text() == "hello"

    project.configure("text", "good morning")
    assert list(project.steps().values()) == ["update"]
    project.up()

    assert file.read_text() == "good morning"
    assert project.outputs()["greeting"] == len("good morning")


POLICY = """\
from pulumi_policy import EnforcementLevel, PolicyPack, ResourceValidationPolicy


def check(resource, report):
    if resource.resource_type == "docker:index/container:Container" and not resource.props.get("init"):
        report("a container needs an init")


PolicyPack("containers", policies=[ResourceValidationPolicy(
    name="init", description="Containers have an init.", enforcement_level=EnforcementLevel.MANDATORY,
    validate=check)])
"""


@pytest.fixture
def policy(project: PulumiProject, virtualenv: Path) -> str:
    runtime = {"name": "python", "options": {"virtualenv": str(virtualenv)}}
    project.write("policy/PulumiPolicy.yaml", yaml.safe_dump({"runtime": runtime}))
    return str(project.write("policy/__main__.py", POLICY).parent)


def test_a_policy_pack_lets_pass_what_keeps_to_it(project: PulumiProject, policy: str) -> None:
    assert "containers" in project.preview("--policy-pack", policy).stdout


def test_a_mandatory_policy_stops_a_preview_and_an_up_before_anything_is_done(
    project: PulumiProject, policy: str
) -> None:
    before = on_the_engine(project.name)
    project.write("__main__.py", PROGRAM.replace("init=True", "init=False"))
    try:
        for refused in (
            project.preview("--policy-pack", policy, succeeds=False),
            project.up("--policy-pack", policy, succeeds=False),
        ):
            assert "a container needs an init" in refused.text
    finally:
        project.write("__main__.py", PROGRAM)

    assert on_the_engine(project.name) == before


def test_about_names_the_programs_python_and_its_packages(project: PulumiProject, virtualenv: Path) -> None:
    about = json.loads(project.pulumi("about", "--json", "--stack", project.stack, "--transitive").stdout)

    assert str(virtualenv) in about["runtime"]["executable"]
    assert {"name": "pulumi", "version": "3.272.0"} in about["dependencies"]


def borrowed_packages(folder: Path, virtualenv: Path) -> str:
    """A wheel that makes the packages of `virtualenv` importable where it is installed, so that no index is asked."""
    [packages] = virtualenv.glob("lib/python*/site-packages")
    name, info = "borrowed-1.0-py3-none-any.whl", "borrowed-1.0.dist-info"
    with zipfile.ZipFile(folder / name, "w") as wheel:
        wheel.writestr("borrowed.pth", f"{packages}\n")
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: borrowed\nVersion: 1.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    return name


def test_a_project_is_made_from_a_template_and_its_requirements_are_installed(tmp_path: Path, virtualenv: Path) -> None:
    (tmp_path / "another").mkdir()
    another = PulumiProject(tmp_path / "another", "", virtualenv=virtualenv, name="another")
    another.environment |= {"PULUMI_PYTHON_CMD": str(virtualenv / "bin" / "python"), "PIP_NO_INDEX": "1"}
    template, made = tmp_path / "template", tmp_path / "a new project"
    template.mkdir()
    (template / "Pulumi.yaml").write_text(
        yaml.safe_dump(
            {
                "name": "${PROJECT}",
                "description": "${DESCRIPTION}",
                "template": {"description": "A template."},
                "runtime": {"name": "python", "options": {"toolchain": "pip", "virtualenv": "venv"}},
            }
        )
    )
    (template / "__main__.py").write_text(
        "import sys\nimport pulumi\npulumi.export('prefix', sys.prefix)\nprint('made as ${PROJECT}')\n"
    )
    (template / "requirements.txt").write_text(f"./{borrowed_packages(template, virtualenv)}\n")

    another.pulumi("new", str(template), "--dir", str(made), "--name", "fresh", "--stack", "first", "--yes")
    another.pulumi("install", "--cwd", str(made))
    another.pulumi("up", "--yes", "--skip-preview", "--cwd", str(made), "--stack", "first")

    assert another.pulumi("stack", "output", "prefix", "--cwd", str(made), "--stack", "first").stdout.strip() == str(
        made / "venv"
    )
    another.pulumi("stack", "rm", "--yes", "--force", "first", "--cwd", str(made))


def test_destroy_and_stack_rm_leave_nothing(project: PulumiProject) -> None:
    project.pulumi("destroy", "--yes", "--skip-preview")

    assert on_the_engine(project.name) == []
    assert not (project.root / "greeting.txt").exists()

    project.pulumi("stack", "rm", "--yes", project.stack)
    assert json.loads(project.pulumi("stack", "ls", "--json").stdout) == []
