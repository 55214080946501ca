"""slipway new: a site that is right from the beginning, and nothing written where it could not be."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from slipway import new as site
from slipway.cli import new as command
from slipway.cli.__main__ import main
from slipway.cli.errors import Code
from slipway.settings import reference, runtime
from slipway.setup import paths
from slipway.site.site import Site
from tests.unit.cli.fakes import Desk
from tests.unit.declaring import FakeEngine, read


@pytest.fixture(autouse=True)
def nothing_taken(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """The stacks in the backend, by project."""
    taken: dict[str, list[str]] = {}
    monkeypatch.setattr(command, "stacks", lambda project: taken.get(project, []))
    return taken


def new(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["new", *map(str, arguments)])


def made(folder: Path, stack: str) -> Site:
    """What the program reads of the site."""
    described = yaml.safe_load((folder / "Pulumi.yaml").read_text())
    defaults = {key: entry["default"] for key, entry in described["config"].items()}
    own = yaml.safe_load((folder / f"Pulumi.{stack}.yaml").read_text())["config"]
    return read({**defaults, **own}, folder, stack=stack, project=described["name"], engine=FakeEngine(memory=4000))


@pytest.mark.parametrize("name", ["shop", "größe & co, neu", "quote's: #1", "Büro 2026"])
def test_a_new_site_has_correct_settings_in_both_stacks_and_finds_the_program(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "my sites" / name
    result = new(folder)
    assert result.exit_code == 0, result.output
    described = yaml.safe_load((folder / "Pulumi.yaml").read_text())
    assert (folder / described["main"]).resolve() == paths.PROJECT
    dev, prod = made(folder, "dev"), made(folder, "prod")
    runtime.check(folder, paths.PROJECT, "prod")
    assert dev.services["web"].dev_port != prod.edge.port
    assert str(prod.edge.port) in (folder / "README.md").read_text()
    assert {"__pycache__/", ".env"} <= set((folder / ".gitignore").read_text().splitlines())
    assert not list(folder.rglob("*$*"))
    assert all("${" not in file.read_text() for file in folder.rglob("*") if file.is_file())


def test_an_editor_finds_the_keys_from_each_file(tmp_path: Path) -> None:
    folder = tmp_path / "my sites" / "shop"
    assert new(folder).exit_code == 0
    named = [file.read_text().splitlines()[0].partition("$schema=")[2] for file in sorted(folder.glob("Pulumi*.yaml"))]
    assert {(folder / each).resolve() for each in named} == {reference.SCHEMA}
    assert len(named) == 3
    assert site.schema(folder, Path("/my programs/schema.json")) == "file:///my%20programs/schema.json"


def test_it_says_what_to_type_from_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "/nowhere")
    shown = new("my shop").stderr
    assert "cd 'my shop'" in shown
    assert f"{paths.PROJECT}/bin/slipway up --stack prod" in shown


def test_an_empty_folder_is_taken_and_may_be_the_one_that_it_is_typed_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "shop").mkdir()
    monkeypatch.chdir(tmp_path / "shop")
    assert new(".").exit_code == 0
    assert made(tmp_path / "shop", "prod").project == "shop"


def test_two_sites_have_different_ports_although_neither_is_up(tmp_path: Path) -> None:
    ports = set()
    for name in ("one", "two"):
        assert new(tmp_path / name).exit_code == 0
        ports |= {made(tmp_path / name, "dev").services["web"].dev_port, made(tmp_path / name, "prod").edge.port}
    assert len(ports) == 4


def test_a_port_that_something_listens_on_is_not_chosen(tmp_path: Path) -> None:
    first = site.first_port(tmp_path)
    with socket.create_server(("127.0.0.1", first + site.PROD)):
        assert site.first_port(tmp_path) != first


def test_further_services_get_ports_of_the_sites_own(tmp_path: Path) -> None:
    new(tmp_path / "shop")
    file = tmp_path / "shop" / "Pulumi.yaml"
    described = yaml.safe_load(file.read_text())
    described["config"]["services"]["default"]["api"] = {"route": "/api/", "path": "services/web", "app": "app:app"}
    file.write_text(yaml.safe_dump(described))
    services = made(tmp_path / "shop", "dev").services
    assert services["web"].dev_port is not None
    assert services["api"].dev_port == services["web"].dev_port + 1


@pytest.mark.parametrize(
    ("folder", "options", "says"),
    [
        ("full", (), "not an empty folder"),
        ("full/file", (), "not an empty folder"),
        ("full/file/below", (), ""),
        ("new", ("--name", "Shop"), "--name shop"),
        ("new", ("--name", ""), "no site can be called"),
        ("new", ("--name", "a" * 21), "at most 20"),
        ("new", ("--name", "../x"), "--name x"),
        (str(paths.PROJECT), (), "not an empty folder"),
        (str(paths.PROJECT / "mine"), (), "is in Slipway's own folder"),
        ("new", ("--name", "taken"), "the stacks prod"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(
    tmp_path: Path,
    nothing_taken: dict[str, list[str]],
    monkeypatch: pytest.MonkeyPatch,
    folder: str,
    options: tuple[str, ...],
    says: str,
) -> None:
    nothing_taken["taken"] = ["prod"]
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    result = new(folder, *options)
    assert result.exit_code == Code.USAGE, result.output
    assert says in result.stderr
    assert sorted(tmp_path.rglob("*")) == before
    assert not (paths.PROJECT / "mine").exists()


def test_a_service_is_added_to_a_new_site(desk: Desk, tmp_path: Path) -> None:
    folder = tmp_path / "my shöp"
    new(folder)
    api = folder / "apps" / "api"
    api.mkdir(parents=True)
    (api / "app.py").write_text("from flask import Flask\napp = Flask(__name__)\n")
    (api / "requirements.txt").write_text("flask==3.1.3\n")
    added = CliRunner().invoke(main, ["add", str(api), "--project", str(folder)])
    assert added.exit_code == 0, added.output
    declared = made(folder, "prod").services["api"]
    assert (declared.path, declared.route) == ("apps/api", "/api/")
    assert "would be refused" not in added.stderr


def test_its_service_asks_for_the_flask_that_is_tested() -> None:
    text = (site.TEMPLATE / "services" / "web" / "requirements.txt").read_text().strip()
    assert f'"{text}"' in (paths.PROJECT / "pyproject.toml").read_text()
