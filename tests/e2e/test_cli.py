"""The operator's command on a real engine, with a site that is small: a web server that is built, a sleeper, a volume
with data, a network, all with Slipway's names and labels."""

from __future__ import annotations

import copy
import json
import os
import secrets
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from slipway.cli.signals import PATIENCE
from slipway.setup import paths
from tests.support import engine
from tests.support.base_images import base_image
from tests.support.pulumi_project import PulumiProject
from tests.support.waiting import wait_until

PROGRAM = """\
import pulumi
import pulumi_docker as docker

from slipway.settings.configuration import resolve_engine
from waiting import Waiting

engine = resolve_engine(None)
config = pulumi.Config()
project, stack = pulumi.get_project(), pulumi.get_stack()
prefix = f"{project}-{stack}-"


def labelled(kind, service="web"):
    labels = {"slipway.project": project, "slipway.stack": stack, "slipway.service": service}
    return [kind(label=label, value=value) for label, value in labels.items()]


network = docker.Network(f"{prefix}web", labels=labelled(docker.NetworkLabelArgs))
data = docker.Volume(
    f"{prefix}web-data", name=f"{prefix}web-data", labels=labelled(docker.VolumeLabelArgs),
    opts=pulumi.ResourceOptions(retain_on_delete=stack == "prod"))
image = docker.Image(
    f"{prefix}web", image_name=f"{prefix}web:latest", skip_push=True,
    build=docker.DockerBuildArgs(context="web", args={"BASE": config.require("base")}, platform="linux/amd64"))


def container(name, **arguments):
    return docker.Container(
        f"{prefix}{name}", image=image.repo_digest, labels=labelled(docker.ContainerLabelArgs, name),
        networks_advanced=[docker.ContainerNetworksAdvancedArgs(name=network.name)], must_run=True,
        opts=pulumi.ResourceOptions(delete_before_replace=True, replace_on_changes=["healthcheck", "#initerror"]),
        **arguments)


web = container(
    "web", volumes=[docker.ContainerVolumeArgs(volume_name=data.name, container_path="/data")], init=True,
    ports=[docker.ContainerPortArgs(internal=8000, external=config.require_int("port"), ip="127.0.0.1")])
well = container(
    "well", command=["sleep", "600"], init=True, healthcheck=docker.ContainerHealthcheckArgs(
        tests=["CMD", config.get("check") or "true"], interval="1s", timeout="2s", retries=100))
Waiting(f"{prefix}waiting", engine.address, well.name)
pulumi.export("url", web.name.apply(lambda _: f"http://127.0.0.1:{config.require_int('port')}/"))
pulumi.export("key", pulumi.Output.secret("a secret, so that the state has a salt"))
"""
WAITING = """\
from pulumi import dynamic

from slipway.engine.containers import connect
from slipway.engine.progress import wait
from slipway.providers.provider import Provider


class WaitingProvider(Provider):
    identity = work = ("container",)

    def id(self, props):
        return props["container"]

    def do(self, olds, news):
        with connect(news["engine"]) as client:
            def healthy():
                return client.containers.get(news["container"]).attrs["State"]["Health"]["Status"] == "healthy"

            wait(healthy, 120, lambda: "it does not get well")


class Waiting(dynamic.Resource):
    def __init__(self, name, engine, container):
        super().__init__(WaitingProvider(), name, {"engine": engine, "container": container})
"""
DOCKERFILE = """\
ARG BASE
FROM $BASE
RUN mkdir /data && echo {mark} > /made
CMD ["python3", "-m", "http.server", "8000", "--directory", "/data"]
"""


class Site:
    """The project of one test, and the command, in an environment of its own."""

    def __init__(self, directory: Path, virtualenv: Path) -> None:
        self.name = f"cli-{secrets.token_hex(3)}"
        self.pulumi = PulumiProject(directory, PROGRAM, virtualenv=virtualenv, name=self.name, stack="dev")
        self.root, self.state = self.pulumi.directory, directory / "state"
        self.port = engine.free_port()
        self.pulumi.write("waiting.py", WAITING)
        self.pulumi.environment["PYTHONPATH"] = str(paths.PROJECT)
        self.pulumi.write("web/Dockerfile", DOCKERFILE.format(mark=self.name))
        self.pulumi.write(".gitignore", "__pycache__/\n")  # as every Python project's
        for stack in ("dev", "prod"):
            self.configure(stack)
        for command in (["init", "--quiet"], ["add", "--all"]):
            subprocess.run(["git", *command], cwd=self.root, check=True)
        self.staged = self.changed()

    def configure(self, stack: str, **more: str) -> None:
        config = {"base": base_image("python"), "port": self.port, "services": "{web: {route: /}}", **more}
        lines = [f"  {key}: {value}\n" for key, value in config.items()]
        self.pulumi.write(f"Pulumi.{stack}.yaml", "# as committed\nconfig:\n" + "".join(lines))

    def command(self, *arguments: str) -> list[str]:
        return [str(paths.PROJECT / "bin" / "slipway"), *arguments]

    def run(self, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            self.command(*arguments),
            cwd=self.root,
            env=self.pulumi.environment,
            text=True,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=300,
            check=False,
        )
        assert done.returncode == code, f"{arguments}: exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def json(self, *arguments: str, code: int = 0) -> Any:
        return json.loads(self.run(*arguments, "--json", code=code).stdout)

    def changed(self) -> str:
        """What git sees of the checkout."""
        return subprocess.run(
            ["git", "status", "--porcelain"], cwd=self.root, text=True, capture_output=True, check=True
        ).stdout

    def left(self) -> list[str]:
        """The names of everything that is on the engine with this project's name or label."""
        client: Any = engine.client()
        labelled = {"label": f"slipway.project={self.name}"}
        found: list[Any] = [
            *client.containers.list(all=True, filters=labelled, ignore_removed=True),
            *client.networks.list(filters=labelled),
            *client.volumes.list(filters=labelled),
        ]
        return sorted([str(each.name) for each in found] + engine.tags(f"{self.name}-"))

    def container(self, name: str, stack: str = "dev") -> Any:
        return engine.container(f"{self.name}-{stack}-{name}")

    def answers(self) -> bool:
        try:
            return engine.http_get("127.0.0.1", self.port)[0] == 200
        except OSError:
            return False

    @contextmanager
    def waiting(self) -> Iterator[subprocess.Popen[str]]:
        """An `up` that waits for the health of a container. What a background shell made it ignore, it heeds again."""
        with subprocess.Popen(
            ["env", "--default-signal=INT", *self.command("up")],
            cwd=self.root,
            env=self.pulumi.environment,
            text=True,
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ) as run:

            def waits() -> bool:
                return any(engine.health(each) == "starting" for each in engine.containers(f"{self.name}-dev-well"))

            wait_until("a container waits for its health", lambda: waits() or run.poll() is not None, 120)
            yield run

    def start_and_kill(self) -> None:
        """An `up` whose pulumi is killed on the way."""
        with self.waiting() as run:
            [lock] = self.state.glob(".pulumi/locks/organization/*/dev/*.json")
            os.kill(json.loads(lock.read_text())["pid"], signal.SIGKILL)
            run.communicate(timeout=60)
            assert run.returncode == 1

    def as_another_operator(self, directory: Path) -> Site:
        """The same site, from another checkout and another home."""
        other = copy.copy(self)
        other.pulumi = copy.copy(self.pulumi)
        other.root = other.pulumi.directory = shutil.copytree(self.root, directory / "project")
        home = directory / "home"
        home.mkdir()
        (home / "plugins").symlink_to(Path(self.pulumi.environment["PULUMI_HOME"]) / "plugins")
        other.pulumi.environment = self.pulumi.environment | {"HOME": str(directory), "PULUMI_HOME": str(home)}
        return other

    def there(self) -> dict[str, tuple[str, str]]:
        """{name: id and when it was started} of the project's containers."""
        found = engine.client().containers.list(all=True, filters={"label": f"slipway.project={self.name}"})
        return {str(each.name): (str(each.id), each.attrs["State"]["StartedAt"]) for each in found}


@pytest.fixture
def remote_backend() -> Iterator[str]:
    """The address of a backend that is no folder: of it Slipway knows what Pulumi says of it, and nothing else."""
    port = engine.free_port()
    container = engine.client().containers.run(
        base_image("postgres"),
        name=f"cli-backend-{secrets.token_hex(3)}",
        detach=True,
        environment={"POSTGRES_HOST_AUTH_METHOD": "trust"},
        ports={"5432/tcp": ("127.0.0.1", port)},
        tmpfs={"/var/lib/postgresql/data": ""},
    )
    try:
        ready: Any = ["pg_isready", "--host=127.0.0.1"]  # over TCP: the server that only sets up listens on its socket
        wait_until("the backend answers", lambda: container.exec_run(ready).exit_code == 0, 180)
        yield f"postgres://postgres@127.0.0.1:{port}/postgres?sslmode=disable"
    finally:
        container.remove(force=True, v=True)


@pytest.fixture
def site(tmp_path: Path, virtualenv: Path) -> Iterator[Site]:
    site = Site(tmp_path, virtualenv)
    yield site
    engine.remove_all(site.name)
    for tag in site.left():
        engine.remove_image(tag)


def test_a_stack_is_made_shown_used_and_taken_down_and_the_checkout_stays_as_it_was(site: Site) -> None:
    assert f"http://127.0.0.1:{site.port}/" in site.run("up").stdout
    wait_until("the site answers", site.answers, 90)
    assert site.changed() == site.staged

    assert site.json("up")["changes"].keys() == {"same"}
    assert site.json("preview", "--expect-no-changes")["steps"] == []
    assert site.json("status")["containers"] == {"web": "running", "well": "healthy"}
    assert site.run("open").stdout == f"http://127.0.0.1:{site.port}/\n"
    assert '"GET / HTTP/1.1" 200' in site.run("logs", "web").stdout
    assert "7" in site.run("exec", "web", "--", "sh", "-c", "echo $((3 + 4)); exit 9", code=9).stdout
    assert site.changed() == site.staged

    site.run("down")
    assert site.left() == [f"{site.name}-dev-web:latest"]
    site.run("status", code=6)
    site.run("down", "--delete-data", "--yes")
    assert site.left() == []
    site.run("status", code=4)
    assert site.changed() == site.staged


def test_plain_pulumi_deploys_the_same_stack(site: Site) -> None:
    site.run("up")
    site.pulumi.pulumi("stack", "select", "dev")
    site.pulumi.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes")

    assert site.json("up")["changes"].keys() == {"same"}
    assert site.pulumi.outputs()["key"] == "a secret, so that the state has a salt"


def test_what_was_stopped_or_removed_by_hand_is_shown_and_put_right_and_nothing_else_restarts(site: Site) -> None:
    site.run("up")
    before = site.container("web").attrs["State"]["StartedAt"]

    site.container("well").stop(timeout=0)
    assert site.json("status", code=6)["containers"]["well"] == "exited"
    assert [step["operation"] for step in site.json("preview", "--expect-no-changes", code=7)["steps"]] == ["update"]
    site.run("up")
    site.container("well").remove(force=True)
    steps = [step for step in site.json("preview")["steps"] if not step["resource"].endswith("-waiting")]
    assert [(step["operation"], step["resource"]) for step in steps] == [("create", f"{site.name}-dev-well")]
    site.run("up")

    assert site.json("status")["well"]
    assert site.container("web").attrs["State"]["StartedAt"] == before


def test_an_image_that_was_removed_with_its_container_is_built_anew(site: Site) -> None:
    site.run("up")
    for name in ("web", "well"):
        site.container(name).remove(force=True)
    engine.remove_image(f"{site.name}-dev-web:latest")

    site.run("up")
    assert site.json("status")["well"]
    site.run("down", "--delete-data", "--yes")
    assert site.left() == []


def test_after_a_kill_the_next_up_clears_the_lock_and_what_was_half_made(site: Site) -> None:
    site.configure("dev", check="'false'")
    site.start_and_kill()
    half = site.container("well").id
    assert site.json("status", code=6)["locks"]

    site.configure("dev")
    site.run("up")

    assert site.container("well").id != half
    site.pulumi.pulumi("stack", "select", "dev")
    assert not [each for each in site.pulumi.resources() if each.get("initErrors")]
    status = site.json("status")
    assert (status["well"], status["interrupted"], status["locks"]) == (True, False, [])


def test_of_two_operators_on_a_remote_backend_the_second_changes_nothing_while_the_first_may_be_at_work(
    site: Site, remote_backend: str, tmp_path: Path
) -> None:
    site.pulumi.environment["PULUMI_BACKEND_URL"] = remote_backend
    site.configure("dev", check="'false'")
    (tmp_path / "other").mkdir()
    other = site.as_another_operator(tmp_path / "other")
    changing = (["up"], ["down"], ["down", "--delete-data", "--yes"], ["rotate", "--all"])

    with site.waiting() as first:
        before, half = site.there(), str(site.container("well").name)
        for arguments in changing:
            assert f"process {first.pid} of" in other.run(*arguments, code=8).stderr
        plainly = other.pulumi.pulumi("up", "--yes", "--skip-preview", "--stack", "dev", succeeds=False).text
        assert "the stack is currently locked" in plainly
        assert (first.poll(), site.there()) == (None, before)
        os.killpg(first.pid, signal.SIGKILL)  # of everything: whether it is dead nobody can know from elsewhere
        first.communicate()
    for arguments in changing[:3]:
        assert "pulumi cancel --stack dev" in other.run(*arguments, code=8).stderr
    assert site.there() == before

    other.pulumi.pulumi("cancel", "--yes", "--stack", "dev")
    other.configure("dev")
    other.run("up")
    assert other.json("status")["well"]
    assert {identity for identity, _ in site.there().values()}.isdisjoint({before[half][0]})


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 130)])
def test_an_interrupted_run_ends_in_order_and_the_next_one_goes_on(site: Site, number: int, code: int) -> None:
    site.configure("dev", check="'false'")
    with site.waiting() as run:
        # As a terminal does for Ctrl-C, and as an init system ends a service: all of it, or the command alone.
        os.killpg(run.pid, number) if number == signal.SIGINT else run.send_signal(number)
        said = run.communicate(timeout=PATIENCE)[0]
    assert run.returncode == code, said
    assert "interrupted; type the same again" in said
    assert "Traceback" not in said
    status = site.json("status", code=6)
    assert (status["locks"], status["interrupted"]) == ([], False)

    site.configure("dev")
    site.run("up")
    wait_until("it gets well", lambda: engine.health(site.container("well")) == "healthy", 90)
    assert site.json("status")["well"]


def test_a_stack_that_was_killed_half_way_can_be_taken_down(site: Site) -> None:
    site.configure("dev", check="'false'")
    site.start_and_kill()

    site.run("down", "--delete-data", "--yes")
    assert site.left() == []


def test_without_its_state_prod_keeps_its_data_through_up_and_down(site: Site) -> None:
    prod = ("--stack", "prod")
    site.run("up", *prod)
    site.run("exec", "web", *prod, "--", "sh", "-c", "echo kept > /data/note")
    old = site.container("web", "prod").id

    shutil.rmtree(site.state)
    refused = site.run("up", *prod, code=5)
    assert site.container("web", "prod").name in refused.stderr
    assert site.container("web", "prod").id == old
    site.run("up", *prod, "--yes")
    assert site.container("web", "prod").id != old

    shutil.rmtree(site.state)
    site.run("down", *prod)
    assert site.left() == [f"{site.name}-prod-web-data", f"{site.name}-prod-web:latest"]

    site.run("up", *prod)
    wait_until("the site answers", site.answers, 90)
    assert engine.http_get("127.0.0.1", site.port, "/note") == (200, "kept\n")
    site.run("down", *prod)
    assert site.left() == [f"{site.name}-prod-web-data", f"{site.name}-prod-web:latest"]

    assert "--yes" in site.run("down", *prod, "--delete-data", code=5).stderr
    site.run("down", *prod, "--delete-data", "--yes")
    assert site.left() == []
