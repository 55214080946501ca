"""What an edit of each container setting does: a new container, a change in place, or nothing at all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest

from tests.contract.conftest import NewProject
from tests.contract.project import ContractProject
from tests.support.base_images import base_image

PROGRAM = """
import json
from contract import idle

for name, (settings, options) in json.load(open("fields.json")).items():
    idle(name, options, **settings)
"""
LABEL = {"label": "a", "value": "1"}
FILE = {"file": "/etc/contract", "content": "one"}
LOG = {"log_driver": "json-file"}
CHECK = {"tests": ["CMD", "true"], "interval": "2s", "timeout": "2s", "retries": 2}
FILES = {"name": "nofile", "soft": 100, "hard": 200}
# The three that are changed in the state but not in the container, and an error left by the creation.
FORCED = {"replace_on_changes": ["healthcheck", "tmpfs", "init", "#initerror"]}


class Edit(NamedTuple):
    """The settings before and after one edit, what the plan calls it, and the resource options."""

    before: dict[str, Any]
    after: dict[str, Any]
    plan: str
    options: Mapping[str, Any] = MappingProxyType({})


EDITS = {
    "envs": Edit({"envs": ["A=1", "B=1"]}, {"envs": ["A=2", "B=1"]}, "replace"),
    "envs-in-another-order": Edit({"envs": ["A=1", "B=1"]}, {"envs": ["B=1", "A=1"]}, "same"),
    "envs-emptied": Edit({"envs": ["A=1"]}, {"envs": []}, "replace"),
    "labels": Edit({"labels": [LABEL]}, {"labels": [LABEL | {"value": "2"}]}, "replace"),
    "labels-emptied": Edit({"labels": [LABEL]}, {"labels": []}, "same"),
    "command": Edit({"command": ["sleep", "1"]}, {"command": ["sleep", "2"]}, "replace"),
    "entrypoints": Edit({"entrypoints": ["/bin/true"]}, {"entrypoints": ["/bin/false"]}, "replace"),
    "image": Edit({}, {"image": "@base"}, "replace"),
    "user": Edit({"user": "1000"}, {"user": "1001"}, "replace"),
    "read-only": Edit({"read_only": False}, {"read_only": True}, "replace"),
    "cpus": Edit({"cpus": "0.5"}, {"cpus": "1.0"}, "replace"),
    "log-opts": Edit(LOG | {"log_opts": {"max-size": "1m"}}, LOG | {"log_opts": {"max-size": "2m"}}, "replace"),
    "ulimits": Edit({"ulimits": [FILES]}, {"ulimits": [FILES | {"hard": 300}]}, "replace"),
    "shm-size": Edit({"shm_size": 64}, {"shm_size": 128}, "replace"),
    "stop-signal": Edit({"stop_signal": "SIGTERM"}, {"stop_signal": "SIGINT"}, "replace"),
    "stop-timeout": Edit({"stop_timeout": 5}, {"stop_timeout": 6}, "replace"),
    "uploads": Edit({"uploads": [FILE]}, {"uploads": [FILE | {"content": "two"}]}, "replace"),
    "security-opts-emptied": Edit({"security_opts": ["no-new-privileges:true"]}, {"security_opts": []}, "replace"),
    "memory": Edit({"memory": 64, "memory_swap": 64}, {"memory": 65, "memory_swap": 65}, "update", FORCED),
    "restart": Edit({"restart": "no"}, {"restart": "unless-stopped"}, "update", FORCED),
    "grace": Edit({"destroy_grace_seconds": 1}, {"destroy_grace_seconds": 2}, "update", FORCED),
    "wait-timeout": Edit({"wait_timeout": 60}, {"wait_timeout": 61}, "update", FORCED),
    "tmpfs": Edit({"tmpfs": {"/run": "size=1m"}}, {"tmpfs": {"/run": "size=2m"}}, "update"),
    "init": Edit({"init": False}, {"init": True}, "update"),
    "healthcheck-forced": Edit({"healthcheck": CHECK}, {"healthcheck": CHECK | {"retries": 3}}, "replace", FORCED),
    "tmpfs-forced": Edit({"tmpfs": {"/run": "size=1m"}}, {"tmpfs": {"/run": "size=2m"}}, "replace", FORCED),
    "init-forced": Edit({"init": False}, {"init": True}, "replace", FORCED),
}


class Edited(NamedTuple):
    """The plan of one preview of all the edits together, and the containers before and after the run that made them."""

    project: ContractProject
    plan: dict[str, str]
    old: dict[str, str]
    new: dict[str, str]

    def inspect(self, name: str) -> dict[str, Any]:
        attributes: dict[str, Any] = self.project.container(name).attrs
        return attributes


@pytest.fixture(scope="module")
def edited(new_project: NewProject) -> Edited:
    project = new_project(PROGRAM)

    def write(which: str) -> None:
        fields = {name: (getattr(edit, which), dict(edit.options)) for name, edit in EDITS.items()}
        text = json.dumps(fields).replace("@base", base_image("python"))
        project.write("fields.json", text)

    write("before")
    project.up()
    old = project.ids(*EDITS)
    write("after")
    plan = project.plan()
    project.up()
    return Edited(project, plan, old, project.ids(*EDITS))


@pytest.mark.parametrize("name", EDITS)
def test_the_plan_says_what_an_edit_does_and_the_run_does_it(edited: Edited, name: str) -> None:
    assert edited.plan.get(name, "same") == EDITS[name].plan
    replaced = edited.new[name] != edited.old[name]
    assert replaced == (EDITS[name].plan == "replace")


def test_memory_and_restart_policy_change_in_the_running_container(edited: Edited) -> None:
    host = edited.inspect("memory")["HostConfig"]
    assert (host["Memory"], host["MemorySwap"]) == (65 * 2**20, 65 * 2**20)
    assert edited.inspect("restart")["HostConfig"]["RestartPolicy"]["Name"] == "unless-stopped"


def test_tmpfs_and_init_are_updated_in_name_only_unless_the_program_forces_a_replacement(edited: Edited) -> None:
    assert edited.inspect("tmpfs")["HostConfig"]["Tmpfs"] == {"/run": "size=1m"}
    assert not edited.inspect("init")["HostConfig"]["Init"]
    assert edited.inspect("tmpfs-forced")["HostConfig"]["Tmpfs"] == {"/run": "size=2m"}
    assert edited.inspect("init-forced")["HostConfig"]["Init"]
    assert edited.inspect("healthcheck-forced")["Config"]["Healthcheck"]["Retries"] == 3


def test_labels_that_were_all_taken_out_stay_on_the_container(edited: Edited) -> None:
    assert edited.inspect("labels-emptied")["Config"]["Labels"]["a"] == "1"


def test_grace_and_wait_timeout_change_in_the_state_alone(edited: Edited) -> None:
    assert edited.project.resource("grace")["outputs"]["destroyGraceSeconds"] == 2
    assert edited.project.resource("wait-timeout")["outputs"]["waitTimeout"] == 61


def test_after_all_edits_there_is_nothing_more_to_do(edited: Edited) -> None:
    assert edited.project.plan() == {}
