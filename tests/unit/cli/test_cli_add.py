"""`slipway add`: what it writes, what it says, what it refuses."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.unit.add.samples import APP, INDEX, flat
from tests.unit.cli.fakes import Desk


@pytest.fixture
def shop(desk: Desk) -> Path:
    """A Flask folder in the project."""
    return folder(desk.root / "services" / "shop", flat(app='os.environ["SECRET_KEY"]\n'))


def folder(place: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text)
    return place


def services(desk: Desk) -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = yaml.safe_load((desk.root / "Pulumi.yaml").read_text())["config"]["services"][
        "default"
    ]
    return found


def test_a_folder_is_declared_and_the_next_command_is_named(desk: Desk, shop: Path) -> None:
    before = {path: path.read_bytes() for path in shop.rglob("*") if path.is_file()}
    result = desk.run("add", str(shop))
    assert (result.exit_code, services(desk)["shop"]["secrets"]) == (0, ["SECRET_KEY"])
    assert "- SECRET_KEY  # app.py:5 reads it" in (desk.root / "Pulumi.yaml").read_text()
    assert "4 lines of settings" in result.stderr
    assert "preview --stack dev" in result.stderr
    assert "refused" not in result.stderr
    assert {path: path.read_bytes() for path in shop.rglob("*") if path.is_file()} == before


def test_a_dry_run_shows_the_lines_and_writes_nothing(desk: Desk, shop: Path) -> None:
    before = (desk.root / "Pulumi.yaml").read_bytes()
    result = desk.run("add", str(shop), "--dry-run")
    assert result.stdout.startswith("shop:\n  app: app:app")
    assert "Nothing was written." in result.stderr
    assert (desk.root / "Pulumi.yaml").read_bytes() == before


def test_for_machines_there_is_one_object(desk: Desk, shop: Path) -> None:
    told = json.loads(desk.run("add", str(shop), "--json").stdout)
    assert told["declaration"] == services(desk)["shop"]
    assert (told["written"], told["lines"], told["mistakes"], told["missing"]) == (True, 4, [], [])


def test_the_second_folder_gets_a_route_of_its_own(desk: Desk, shop: Path) -> None:
    desk.run("add", str(shop))
    stock = folder(desk.root / "apps" / "Stock_2", flat())
    desk.run("add", str(stock), "--name", "stock2")
    assert services(desk)["stock2"] == {"path": "apps/Stock_2", "app": "app:app", "route": "/stock2/", "health": "/"}


def test_a_service_that_has_its_route_because_it_is_alone_does_not_lose_it(desk: Desk, shop: Path) -> None:
    desk.declares(services={"ui": {}})
    result = desk.run("add", str(shop))
    assert result.exit_code == 2
    assert "write into ui:     route: /" in result.stderr
    assert list(services(desk)) == ["ui"]


def test_what_preview_would_refuse_is_said_at_once(desk: Desk, shop: Path) -> None:
    desk.declares(services={"other": {"route": "/", "uses": ["missing"], "image": "redis:7"}}, profil="x")
    result = desk.run("add", str(shop))
    assert "settings of stack dev would be refused" in result.stderr
    assert "there is no service missing" in result.stderr
    assert "pulumi config rm profil" in result.stderr


def test_a_stack_file_with_services_of_its_own_is_told(desk: Desk, shop: Path) -> None:
    (desk.root / "Pulumi.dev.yaml").write_text("config:\n  services: {ui: {image: 'redis:7', route: /}}\n")
    assert "Pulumi.dev.yaml has services of its own" in desk.run("add", str(shop)).stderr


def test_secrets_that_are_set_in_the_stack_file_are_no_mistake(desk: Desk, shop: Path) -> None:
    stack = "config:\n  site:secrets:\n    shop: {SECRET_KEY: {secure: v1:abc}}\n  other:key: x\n"
    (desk.root / "Pulumi.dev.yaml").write_text(stack)
    assert "refused" not in desk.run("add", str(shop)).stderr


def test_what_is_missing_is_listed_with_what_to_type(desk: Desk) -> None:
    place = folder(desk.root / "services" / "shop", flat(app='os.environ["REGION"]\n'))
    result = desk.run("add", str(place))
    assert "in Pulumi.yaml, services.shop.env: REGION: VALUE" in result.stderr


@pytest.mark.parametrize("name", ["Shop", "postgres", "a b", "x" * 21])
def test_a_name_that_no_service_can_have_is_refused_with_one_that_it_can(desk: Desk, shop: Path, name: str) -> None:
    result = desk.run("add", str(shop), "--name", name)
    assert result.exit_code == 2
    assert "--name " in result.stderr


def test_a_name_and_a_folder_that_are_taken_are_refused(desk: Desk, shop: Path) -> None:
    desk.declares(services={"shop": {"path": "elsewhere", "route": "/"}, "other": {"path": "apps/x", "route": "/x/"}})
    taken = desk.run("add", str(shop))
    assert (taken.exit_code, "--name shop-2" in taken.stderr) == (2, True)
    folder(desk.root / "apps" / "x", flat())
    again = desk.run("add", str(desk.root / "apps" / "x"), "--name", "new")
    assert (again.exit_code, "declared already, as the service other" in again.stderr) == (2, True)


def test_a_folder_that_is_no_flask_app_is_refused_with_what_was_looked_for(desk: Desk) -> None:
    place = folder(desk.root / "services" / "x", {"main.py": "print(1)\n"})
    result = desk.run("add", str(place))
    assert result.exit_code == 2
    assert "looked for: a function create_app()" in result.stderr


def test_a_folder_outside_of_the_project_is_told_how_to_get_in(desk: Desk, tmp_path: Path) -> None:
    outside = folder(tmp_path / "shop-1.0", flat())
    result = desk.run("add", str(outside))
    assert result.exit_code == 2
    copy = next(line.partition("copy it:")[2] for line in result.stderr.splitlines() if "copy it:" in line)
    (desk.root / "services").mkdir()
    subprocess.run(copy, shell=True, check=True)
    assert desk.run("add", str(desk.root / "services/shop")).exit_code == 0
    assert "submodule add" in result.stderr
    assert "in Pulumi.yaml, services.shop:     path: ../shop-1.0\n" in result.stderr


@pytest.mark.parametrize(("place", "code"), [(".", 2), ("..", 2), ("services/nowhere", 4)])
def test_the_projects_own_folder_and_no_folder_are_refused(desk: Desk, place: str, code: int) -> None:
    assert desk.run("add", str(desk.root / place)).exit_code == code


def test_where_the_block_cannot_be_put_it_is_shown_and_the_file_left_as_it_is(desk: Desk, shop: Path) -> None:
    text = "name: site\nruntime: python\nconfig: {services: {default: {ui: {route: /}}}}\n"
    (desk.root / "Pulumi.yaml").write_text(text)
    result = desk.run("add", str(shop))
    assert result.exit_code == 1
    assert "left as it is" in result.stderr
    assert "app: app:app" in result.stderr
    assert (desk.root / "Pulumi.yaml").read_text() == text


def test_the_app_is_never_run(desk: Desk, tmp_path: Path) -> None:
    trap = f"open({str(tmp_path / 'ran')!r}, 'w')\n"
    place = folder(
        desk.root / "services" / "x", {"app.py": trap + APP + INDEX, "setup.py": trap, "requirements.txt": "flask"}
    )
    assert desk.run("add", str(place)).exit_code == 0
    assert not (tmp_path / "ran").exists()
