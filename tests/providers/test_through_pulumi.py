"""The dynamic resources in a Pulumi program, through the plain command line."""

from __future__ import annotations

import json
import secrets
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import engine
from tests.support.base_images import base_image
from tests.support.pulumi_project import PulumiProject
from tests.support.waiting import wait_until

PROGRAM = Path(__file__).with_name("program")
SLIPWAY = Path(__file__).parents[2] / "slipway"
PASSWORD = "correct-horse-battery-staple"
COUNT = "echo ran >> /data/runs; echo migrated; cat /run/slipway/env/PASSWORD > /dev/null"


class Project(PulumiProject):
    """The program with a copy of the package, which a test may edit."""

    def __init__(self, directory: Path, virtualenv: Path) -> None:
        self.name = f"providers-{secrets.token_hex(4)}"
        super().__init__(directory, PROGRAM, virtualenv=virtualenv, name=self.name)
        shutil.copytree(SLIPWAY, self.directory / "slipway", ignore=shutil.ignore_patterns("__pycache__"))
        self.init(image=base_image("python"), files="1", script=COUNT, serve="sleep 1000")
        self.pulumi("config", "set", "--secret", "password", PASSWORD)

    def configure(self, key: str, value: object) -> None:
        self.pulumi("config", "set", key, str(value))

    def runs(self) -> int:
        """How often the job ran."""
        output: bytes = engine.client().containers.run(
            base_image("python"),
            ["sh", "-c", "cat /data/runs || true"],
            volumes={f"{self.name}-data": {"bind": "/data"}},
            remove=True,
        )
        return output.count(b"ran")

    def dynamic(self) -> dict[str, tuple[Any, ...]]:
        """The dynamic resources in the state, their secrets shown (encrypted they look different each time)."""
        state = json.loads(self.pulumi("stack", "export", "--show-secrets").stdout)
        resources = [r for r in state["deployment"]["resources"] if "dynamic" in r["type"]]
        return {r["urn"]: (r["id"], r["inputs"], r["outputs"], r["created"], r["modified"]) for r in resources}

    def planned(self, *flags: str) -> dict[str, str]:
        """{logical name: operation} without the parts of a replacement and of a refresh."""
        steps = self.steps(*flags).items()
        return {urn.rpartition("::")[2]: step for urn, step in steps if step != "refresh"}


@pytest.fixture
def project(tmp_path: Path, virtualenv: Path) -> Iterator[Project]:
    made = Project(tmp_path, virtualenv)
    yield made
    engine.remove_all(made.name)


def test_the_life_of_a_stack(project: Project) -> None:
    """First run, nothing to do, changed code, drift, end: one after the other on one stack."""
    first = project.up()
    assert f"{project.name}-job: migrated" in first.text
    assert "release: 1 containers are well" in first.text
    project.assert_unchanged()
    assert project.runs() == 1

    before = project.dynamic()
    for module in (project.directory / "slipway" / "providers").glob("*.py"):
        module.write_text(f"{module.read_text()}\nEDITED = 1\n")
    project.assert_unchanged()
    assert len(before) == 5
    assert project.dynamic() == before, "editing a provider changed the state"

    web = project.resource(f"{project.name}-web")["outputs"]["name"]
    engine.update(web, PidsLimit=-1)
    assert project.planned("--refresh") == {"limit": "update"}
    project.up("--refresh")
    assert engine.client().containers.get(web).attrs["HostConfig"]["PidsLimit"] == 64
    project.assert_unchanged()

    engine.client().containers.get(web).remove(force=True)
    engine.client().volumes.get(f"{project.name}-files-1").remove()
    assert project.pulumi("preview", "--refresh", "--json").stdout.count('"op": "create"') >= 2
    project.up("--refresh")
    assert engine.client().volumes.get(f"{project.name}-files-1")
    assert project.runs() == 1
    project.assert_unchanged()

    project.pulumi("destroy", "--yes", "--skip-preview")
    left = [str(v.name) for v in engine.client().volumes.list() if str(v.name).startswith(project.name)]
    assert (engine.containers(f"{project.name}-job"), left) == ([], [])


def test_secrets_stay_encrypted_in_state_and_out_of_all_output(project: Project) -> None:
    project.configure("postgres", base_image("postgres"))
    said = [project.up("--diff"), project.up("--refresh", "--diff")]
    project.pulumi("config", "set", "--secret", "password", f"{PASSWORD}-2")
    said += [project.preview("--diff"), project.up("--diff"), project.up("--refresh", "--expect-no-changes")]
    project.pulumi("config", "set", "--secret", "password", f"{PASSWORD} ' ;")
    said.append(project.up("--diff", succeeds=False))
    said.append(project.pulumi("stack", "export"))
    assert [result.command for result in said if PASSWORD in result.text] == []
    kept = [path for path in (project.root / "state").rglob("*") if path.is_file()]
    assert kept
    assert [path for path in kept if PASSWORD in path.read_text()] == []
    for container in engine.client().containers.list(all=True, filters={"name": project.name}):
        assert PASSWORD not in str(container.attrs)


def test_a_preview_says_exactly_what_a_change_does(project: Project) -> None:
    project.up()
    project.configure("files", "2")
    plan = project.planned()
    assert "replace" in plan.pop("files")
    assert plan == {"job": "update"}
    assert f"{project.name}-job: migrated" in project.up().text
    assert project.runs() == 2
    assert [str(v.name) for v in engine.client().volumes.list() if f"{project.name}-files" in str(v.name)] == [
        f"{project.name}-files-2"
    ]


def test_a_failed_release_fails_the_run_and_deletes_nothing(project: Project) -> None:
    project.up()
    old = project.resource(f"{project.name}-web")["outputs"]["name"]
    project.configure("serve", "echo cannot start; exit 4")
    for flags in ([], ["--refresh"]):
        failed = project.up(*flags, succeeds=False)
        assert "cannot start" in failed.text
        assert "exit code 4" in failed.text
        assert "File " not in failed.text, "the operator is shown where in our code it was noticed"
        assert engine.client().containers.get(old).status == "running"
    project.configure("serve", "sleep 1001")
    project.up()
    assert len(engine.containers(f"{project.name}-web")) == 1
    project.assert_unchanged()


def test_a_killed_runs_job_is_waited_for_by_the_next(project: Project) -> None:
    project.configure("script", f"{COUNT}; until [ -e /data/go ]; do sleep 0.2; done")
    killed = project.start("up", "--yes", "--skip-preview")
    wait_until(
        "the job runs", lambda: [c for c in engine.containers(f"{project.name}-job") if c.status == "running"], 60
    )
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    project.pulumi("cancel", "--yes")
    resumed = project.start("up", "--yes", "--skip-preview")
    job = engine.container(f"{project.name}-job")
    job.exec_run(["touch", "/data/go"], user="1000")
    output, _ = resumed.communicate(timeout=120)
    assert resumed.returncode == 0, output
    assert "taking over the run" in output
    assert project.runs() == 1
