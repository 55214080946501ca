"""Which project, which stack, where its state is, who holds the lock, and in which environment pulumi runs."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from slipway.cli import backend
from slipway.cli.__main__ import main
from slipway.cli.project import Project
from slipway.cli.pulumi import NOISE, Pulumi, environment
from slipway.setup import paths, plugins
from slipway.setup.choices import Choices
from slipway.setup.settings import Settings
from tests.unit.cli.fakes import Desk


def test_the_stacks_values_take_the_place_of_the_projects_defaults(desk: Desk) -> None:
    (desk.root / "Pulumi.yaml").write_text(
        "name: site\nconfig:\n  plain: 1\n  drain: {type: integer, default: 30}\n  edge: {description: x}\n"
    )
    (desk.root / "Pulumi.prod.yaml").write_text("config:\n  site:drain: 5\n  dockerHost: ssh://host\n")

    declared = Project.load("prod", desk.root).declared

    assert declared == {"plain": 1, "drain": 5, "edge": None, "dockerHost": "ssh://host"}


def test_what_the_stack_overrides_is_seen_and_a_mistake_hides_nothing_else(desk: Desk) -> None:
    desk.declares(services={"web": {"port": "many"}}, overrides={"web": {"database": True, "volumes": {"m": "/m"}}})
    web = Project.load("dev", desk.root).site.services["web"]
    assert (web.owns_database, web.volumes, web.port) == (True, {"m": "/m"}, 5000)


@pytest.mark.parametrize(
    ("stack", "profile", "kind"),
    [("dev", "", "dev"), ("dev-2", "", "dev"), ("prod", "", "prod"), ("x", "dev", "dev"), ("dev", "mistyped", "prod")],
)
def test_a_stack_of_an_unknown_kind_counts_as_prod(desk: Desk, stack: str, profile: str, kind: str) -> None:
    desk.declares(profile=profile)
    assert Project.load(stack, desk.root).profile.name == kind


def test_the_project_is_the_nearest_one_upwards(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = desk.root / "services" / "ui"
    inner.mkdir(parents=True)
    monkeypatch.chdir(inner)
    assert Project.load("dev").root == desk.root


def test_pulumi_takes_main_from_the_folder_itself_when_it_was_entered_by_a_symbolic_link(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "link").symlink_to(desk.root)
    monkeypatch.chdir(tmp_path / "link")
    monkeypatch.setenv("PWD", str(tmp_path / "link"))
    assert Pulumi(Project.load("dev")).environment["PWD"] == str(desk.root)


@pytest.mark.parametrize("name", ["Pulumi.yml", "Pulumi.json"])
def test_a_project_file_may_have_any_name_that_pulumi_takes(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (desk.root / "Pulumi.yaml").unlink()
    file = desk.root / name
    file.write_text('{"name": "other", "config": {"drain": 5}}')
    file.with_name(f"Pulumi.prod{file.suffix}").write_text('{"config": {"other:drain": 6}}')
    monkeypatch.chdir(desk.root)
    assert [(each.name, each.site.drain) for each in map(Project.load, ("dev", "prod"))] == [("other", 5), ("other", 6)]


@pytest.mark.parametrize("command", ["preview", "up", "down", "status", "releases", "psql", "logs"])
def test_where_there_is_no_project_every_command_says_where_to_go(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for typed in ([command], [command, "--project", str(tmp_path)]):
        result = CliRunner().invoke(main, typed)
        assert (result.exit_code, desk.calls()) == (2, [])
        assert "there is no Pulumi.yaml" in result.stderr
        assert f"--project {paths.PROJECT}" in result.stderr
    assert CliRunner().invoke(main, ["doctor", "--json"]).exit_code != 2, "which is about the machine"


def test_what_to_type_is_a_make_target_in_slipways_own_project_and_the_command_in_a_site_elsewhere(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, elsewhere = Project.load("prod", paths.PROJECT), Project.load("prod", desk.root)
    assert own.typed("up") == "make up STACK=prod"
    assert own.typed("down", delete_data=True) == "make down STACK=prod DATA=delete"
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.chdir(paths.PROJECT / "examples" / "rooms")
    assert elsewhere.typed("up") == "../../bin/slipway up --stack prod"
    assert elsewhere.typed("down", delete_data=True) == "../../bin/slipway down --stack prod --delete-data"


@pytest.mark.parametrize("text", ["", "- a list", "name: [", "runtime: python"])
def test_a_pulumi_yaml_that_is_none_is_told(desk: Desk, text: str) -> None:
    (desk.root / "Pulumi.yaml").write_text(text)
    assert desk.run("ps").exit_code == 2


@pytest.mark.parametrize(
    ("url", "folder"),
    [
        ("file:///var/state", "/var/state"),
        ("file:///var/my%20state?no_tmp_dir=true", "/var/my state"),
        ("file://~/state", f"{Path.home()}/state"),
        ("file://./state", "{root}/state"),
        ("s3://bucket", None),
        ("https://api.pulumi.com", None),
    ],
)
def test_where_a_file_backend_is(desk: Desk, url: str, folder: str | None) -> None:
    found = backend.state_folder(Project.load("dev", desk.root), {"PULUMI_BACKEND_URL": url})
    assert found == (Path(folder.format(root=desk.root)) if folder else None)


def lock(pid: int, host: str = "") -> backend.Lock:
    return backend.Lock(Path("1.json"), pid, "ada", host or socket.gethostname(), "2026-01-01T00:00:00Z")


@contextmanager
def process(*arguments: str) -> Iterator[int]:
    """A process with these arguments, which is there when its command line can be read; its number."""
    program = "print('there', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", program, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as started:
        assert started.stdout
        started.stdout.readline()
        yield started.pid
        started.communicate(b"\n")


def test_only_a_lock_of_this_machine_whose_pulumi_has_ended_counts_as_left_behind() -> None:
    with process("pulumi") as running:
        assert not lock(running).holder_is_gone
    assert lock(running).holder_is_gone
    assert not lock(running, "elsewhere").holder_is_gone
    with process() as another:
        assert lock(another).holder_is_gone, "another program has the number now"


def test_a_lock_that_cannot_be_read_is_not_taken_away(desk: Desk) -> None:
    desk.lock()
    [file] = desk.root.parent.rglob("locks/**/*.json")
    file.write_text("")
    assert desk.run("up").exit_code == 8


def test_what_the_user_set_wins_over_what_set_up_chose() -> None:
    choices = Choices(
        environment={
            "PULUMI_HOME": "chosen",
            "PULUMI_BACKEND_URL": "chosen",
            "PULUMI_CONFIG_PASSPHRASE_FILE": "chosen",
        },
        path=["/chosen/bin"],
    )

    found = environment(choices, {"PULUMI_BACKEND_URL": "mine", "PULUMI_CONFIG_PASSPHRASE": "mine"})

    assert (found["PULUMI_HOME"], found["PULUMI_BACKEND_URL"]) == ("chosen", "mine")
    assert "PULUMI_CONFIG_PASSPHRASE_FILE" not in found
    assert found["PATH"].startswith("/chosen/bin:")
    assert environment(Choices(), {"PULUMI_PYTHON_CMD": "/another/checkout"})["PULUMI_PYTHON_CMD"] == str(
        paths.VIRTUALENV / "bin" / "python"
    )
    assert found["PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER"] == "true"


def test_a_missing_passphrase_file_is_told_before_anything_runs(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PULUMI_CONFIG_PASSPHRASE")
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE_FILE", "/nowhere/passphrase")

    result = desk.run("up")

    assert result.exit_code == 3
    assert f"make -C {paths.PROJECT} setup" in result.stderr
    assert desk.calls() == []


def test_plugins_that_are_gone_since_set_up_are_told_before_pulumi_tries_to_download_them(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "pulumi home"
    kept = home / "plugins" / f"resource-random-v{Settings.load().plugins['random']}" / "pulumi-resource-random"
    kept.parent.mkdir(parents=True)
    kept.touch()
    choices = Choices(origin={plugins.PART: "genuine"}, environment={"PULUMI_HOME": str(home)})
    monkeypatch.setattr(Choices, "load", classmethod(lambda _: choices))
    monkeypatch.delenv("PULUMI_HOME", raising=False)

    result = desk.run("up")

    assert result.exit_code == 3
    assert f"there is no plugin docker in {home / 'plugins'}" in result.stderr
    assert f"make -C {paths.PROJECT} setup" in result.stderr
    assert desk.calls() == []


def test_without_pulumi_set_up_is_named(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert desk.run("status").exit_code == 3


def test_an_engine_that_does_not_answer_is_told(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere.sock")

    result = desk.run("ps")

    assert result.exit_code == 3
    assert "unix:///nowhere.sock" in result.stderr


@pytest.mark.parametrize(
    "line",
    [
        " ~  docker:index:Network site-dev-ui refreshing (0s) ",
        " ~  slipway:components:Secrets site-dev-secrets refresh (0.00s) ",
        "    docker:index:Container site-dev-ui  ",
        "    pulumi:pulumi:Stack site-dev running ",
    ],
)
def test_lines_of_resources_that_stay_the_same_are_left_out(line: str) -> None:
    assert NOISE.fullmatch(line)


@pytest.mark.parametrize(
    "line",
    [
        " ~  docker:index:Container site-dev-ui refresh (0.09s) [diff: ~mustRun]",
        " +  docker:index:Container site-dev-ui created (1s) ",
        " -  docker:index:Container site-dev-ui refresh (0.09s) deleted",
        "    pulumi:pulumi:Stack site-dev running release: 2 containers are well",
        "    error: update failed",
        "",
    ],
)
def test_lines_that_say_something_are_kept(line: str) -> None:
    assert not NOISE.fullmatch(line)
