"""Files put into containers and volumes, and containers that run once."""

from __future__ import annotations

import pytest

from tests.contract.conftest import NewProject
from tests.contract.project import ContractProject
from tests.support import engine

FILES = """
import base64
import pulumi_docker as docker
from contract import SERVER, container, idle, named

volume = docker.Volume(named("files"))
container("plain", uploads=[
    {"file": "/etc/contract/text", "content": "words", "permissions": "0640"},
    {"file": "/etc/contract/run", "content": "#!/bin/sh", "executable": True},
    {"file": "/etc/contract/bytes", "content_base64": base64.b64encode(bytes([0, 255])).decode()},
    {"file": "/etc/contract/from-a-file", "source": "source.txt", "source_hash": "one"},
])
seed = idle("seed", volumes=[{"volume_name": volume.name, "container_path": "/files"}], uploads=[
    {"file": "/files/secret", "content": "one", "permissions": "0400", "owner": "1000", "group": "1000"}])
container("reader", {"depends_on": [seed]}, read_only=True, user="1000:1000", tmpfs={"/tmp": ""},
          volumes=[{"volume_name": volume.name, "container_path": "/files", "read_only": True}])
"""
INTO_READ_ONLY = """
idle("sealed", {"replace_on_changes": ["#initerror"]}, read_only=True,
     uploads=[{"file": "/etc/contract", "content": "one"}])
"""
JOBS = """
import pulumi
from contract import container

def job(name, script, **settings):
    return container(name, must_run=False, attach=True, command=["sh", "-c", script], **{"logs": True, **settings})

good = job("good", "sleep 1; echo to the output; echo to the errors >&2")
silent = job("silent", "sleep 1; exit 4", logs=False)
bad = job("bad", "echo it went wrong; exit 3")
pulumi.export("silent", silent.exit_code)
pulumi.export("good", [good.exit_code, good.container_logs])
pulumi.export("bad", [bad.exit_code, bad.container_logs])
"""
CHECKED = """
def passed(code):
    if code:
        raise RuntimeError(f"the job ended with {code}")
    return str(code)

container("next", envs=[bad.exit_code.apply(passed)])
"""


@pytest.fixture(scope="module")
def files(new_project: NewProject) -> ContractProject:
    made = new_project(FILES)
    made.write("source.txt", "from a file")
    made.up()
    return made


def run(project: ContractProject, name: str, *command: str) -> str:
    """What a command prints in a running container; fails the test when the command fails."""
    code, output = engine.run_in(project.container(name), *command)
    assert code == 0, output
    return output.strip()


def test_uploads_are_there_with_their_contents_and_modes(files: ContractProject) -> None:
    assert run(files, "plain", "cat", "/etc/contract/text") == "words"
    assert run(files, "plain", "cat", "/etc/contract/from-a-file") == "from a file"
    assert run(files, "plain", "od", "-An", "-tx1", "/etc/contract/bytes") == "00 ff"
    modes = run(files, "plain", "stat", "-c", "%a %u:%g", "/etc/contract/text", "/etc/contract/run").splitlines()
    assert modes[0] == "640 0:0"
    assert int(modes[1].split()[0], 8) & 0o100


def test_a_container_that_is_never_started_fills_a_volume_for_a_hardened_one(files: ContractProject) -> None:
    assert files.container("seed").status == "created"
    assert run(files, "reader", "cat", "/files/secret") == "one"
    assert run(files, "reader", "stat", "-c", "%a %u:%g", "/files/secret") == "400 1000:1000"
    assert engine.run_in(files.container("reader"), "touch", "/files/more")[0] != 0


def test_neither_uploads_nor_a_filled_volume_differ_on_a_second_run(files: ContractProject) -> None:
    files.assert_unchanged()


def test_new_contents_reach_the_running_reader_through_a_new_seed_alone(files: ContractProject) -> None:
    reader, seed = files.ids("reader"), files.container("seed").id
    files.edit('"content": "one"', '"content": "two"')
    assert files.plan() == {"seed": "replace"}
    files.up()
    assert files.container("seed").id != seed
    assert files.ids("reader") == reader
    assert run(files, "reader", "cat", "/files/secret") == "two"


def test_an_upload_into_a_read_only_root_fails_also_when_it_is_tried_again(files: ContractProject) -> None:
    program = (files.directory / "__main__.py").read_text()
    files.write("__main__.py", program + INTO_READ_ONLY)
    for _ in range(2):
        result = files.up(succeeds=False)
        assert "-sealed" in result.text
        assert "read-only" in result.text
        assert files.half_made() == ["sealed"]
        assert [found.status for found in files.containers("sealed")][:1] == ["created"]
    files.write("__main__.py", program)
    files.up()
    assert files.containers("sealed") == []


def test_a_job_is_waited_for_and_its_exit_code_and_output_are_outputs_but_a_failed_one_fails_no_run(
    new_project: NewProject,
) -> None:
    project = new_project(JOBS)
    project.up()
    outputs = project.outputs()
    code, logs = outputs["good"]
    assert code == 0
    assert "to the output" in logs
    assert "to the errors" in logs
    assert outputs["silent"] == 4
    assert outputs["bad"][0] == 3
    assert "it went wrong" in outputs["bad"][1]
    project.assert_unchanged()

    ran, events = project.ids("good", "bad"), engine.Events(project.name)
    project.write("__main__.py", JOBS + CHECKED)
    for _ in range(2):
        assert "the job ended with 3" in project.up(succeeds=False).text
        assert project.containers("next") == []
    assert project.ids("good", "bad") == ran
    assert "start" not in {action for _, action in events.seen()}, "asking again does not run the job again"

    project.edit("exit 3", "exit 0")
    project.up()
    assert project.container("bad").id != ran["bad"]
    assert project.container("next").status == "running"
