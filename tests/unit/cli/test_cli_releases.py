"""releases and rollback."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from slipway.cli import rollback
from slipway.core.resource_types import JOB, PASSWORD
from tests.unit.cli.fakes import URN, Desk, container_resource, step

SERVICES: dict[str, Any] = {
    "ui": {"route": "/", "env": {"TITLE": "Photos", "TEXT": "one\n\ntwo: # three\n", "NUMBER": "1"}},
    "images": {"database": True, "migrate": "flask db upgrade", "volumes": {"uploads": "/media"}},
}
SECRET = {"type": PASSWORD, "urn": URN + "site-prod-later-KEY", "id": "none"}
COMMENTED = """\
# for everybody
config:
  # where it is
  edge:
    port: 81   # not 80
  overrides: {ui: {replicas: 2}}

# the end
"""


def image(number: int, service: str) -> str:
    return f"sha256:{number}{len(service)}".ljust(71, "0")


def record(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "release": str(number),
        "time": f"2026-01-0{number}T03:04:05+00:00",
        "revision": f"abc{number}",
        "images": {service: image(number, service) for service in SERVICES},
        "services": SERVICES,
        "schema": {"images": "as it was"},
        **changes,
    }


def book(*records: dict[str, Any], serving: int) -> dict[str, Any]:
    outputs = {"records": list(records), "serving": str(serving)}
    return {"type": "pulumi-python:dynamic/slipway:Release", "urn": URN + "release", "id": "r", "outputs": outputs}


@pytest.fixture
def shop(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Three releases, the newest serves, all images and the schema are there."""
    records = [record(number) for number in (3, 2, 1)]
    desk.declares(services=SERVICES)
    desk.has_state(book(*records, serving=3), container_resource("postgres", "p"))
    desk.engine.add("site-dev-postgres-1234567", "postgres", id="p")
    desk.engine.images = {image for each in records for image in each["images"].values()}
    monkeypatch.setattr(rollback, "fingerprint", lambda _server, _service: "as it was")
    return desk


def pinned(desk: Desk, stack: str = "dev") -> Any:
    """What the stack file says of the release."""
    file = desk.root / f"Pulumi.{stack}.yaml"
    written = yaml.safe_load(file.read_text()) if file.exists() else {}
    return ((written or {}).get("config") or {}).get("release")


def test_the_releases_are_listed_with_the_one_that_serves_and_the_one_that_is_pinned(shop: Desk) -> None:
    shop.run("rollback", "2")
    rows = json.loads(shop.run("releases", "--json").stdout)
    assert [(row["release"], row["revision"], row["serving"], row["pinned"]) for row in rows] == [
        ("3", "abc3", True, False),
        ("2", "abc2", False, True),
        ("1", "abc1", False, False),
    ]
    assert rows[0]["images"] == {"ui": "320000000000", "images": "360000000000"}
    lines = shop.run("releases").stdout.splitlines()
    assert " ".join(lines[1].split()) == "3 2026-01-03 03:04:05 abc3 ui 320000000000, images 360000000000 serving"
    assert lines[2].split()[-1] == "pinned"


def test_a_rollback_goes_to_the_release_before_the_one_that_serves(shop: Desk) -> None:
    result = shop.run("rollback")
    assert result.exit_code == 0, result.output
    assert pinned(shop) == {key: record(2)[key] for key in ("release", "images", "services")}
    assert shop.ran() == ["up"]
    assert yaml.safe_load(shop.call("up")["config"])["config"]["release"]["release"] == "2"
    assert "pinned to release 2; back to the newest source:" in result.stdout


def test_a_rollback_from_an_older_release_goes_further_back(shop: Desk) -> None:
    shop.has_state(book(record(3), record(2), record(1), serving=2))
    shop.run("rollback")
    assert pinned(shop)["release"] == "1"


def test_a_second_rollback_takes_the_place_of_the_first(shop: Desk) -> None:
    shop.run("rollback", "1")
    shop.run("rollback", "2")
    text = (shop.root / "Pulumi.dev.yaml").read_text()
    assert pinned(shop)["release"] == "2"
    assert text.count(rollback.NOTE) == text.count("release:\n") == 1


@pytest.mark.parametrize(
    "file", [None, "", "config:\n", "config: {}\n", COMMENTED, "environment: [mine]\n" + COMMENTED]
)
def test_ending_it_leaves_the_stack_file_as_it_was(shop: Desk, file: str | None) -> None:
    path = shop.root / "Pulumi.dev.yaml"
    if file is not None:
        path.write_text(file)
    before = yaml.safe_load(file or "") or {}
    shop.run("rollback", "1")
    during = yaml.safe_load(path.read_text())
    assert during["config"].pop("release")["services"] == SERVICES
    assert {key: value for key, value in during.items() if value} == {key: v for key, v in before.items() if v}
    assert shop.run("rollback", "--clear").exit_code == 0
    after = path.read_text()
    assert after == (file if file and "port" in file else "")
    assert shop.ran() == ["up"], "ending it deploys nothing by itself"


def test_also_a_key_that_pulumi_wrote_with_the_projects_name_is_taken_out(shop: Desk) -> None:
    path = shop.root / "Pulumi.dev.yaml"
    path.write_text("config:\n  site:drain: 5\n  site:release:\n    release: '1'\n    images: {}\n  site:edge: {}\n")
    shop.run("rollback", "--clear")
    assert path.read_text() == "config:\n  site:drain: 5\n  site:edge: {}\n"


def test_ending_what_is_not_there_changes_nothing(shop: Desk) -> None:
    result = shop.run("rollback", "--clear")
    assert (result.exit_code, shop.ran()) == (0, [])
    assert "is not pinned" in result.stderr
    assert not (shop.root / "Pulumi.dev.yaml").exists()


def refused(shop: Desk, *arguments: str, code: int, stack: str = "dev") -> str:
    """What a rollback says that must do nothing."""
    result = shop.run("rollback", *arguments, "--stack", stack)
    assert result.exit_code == code, result.output
    assert (pinned(shop, stack), shop.ran()) == (None, [])
    return str(result.stderr)


def test_a_release_that_was_never_recorded_is_refused(shop: Desk) -> None:
    assert "no record of release 9 of site-dev; recorded: 3, 2, 1" in refused(shop, "9", code=4)


def test_before_the_first_release_there_is_nothing_to_go_back_to(shop: Desk) -> None:
    shop.has_state(book(record(1), serving=1))
    assert "no record of an earlier release" in refused(shop, code=4)
    shop.has_state()
    assert "recorded: none" in refused(shop, code=4)


def test_a_release_whose_images_are_gone_is_refused_before_anything_is_touched(shop: Desk) -> None:
    shop.engine.images.discard(image(2, "ui"))
    assert "no longer has the images of release 2: ui" in refused(shop, "2", code=4)


def test_another_schema_needs_force(shop: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rollback, "fingerprint", lambda _server, _service: "another")
    said = refused(shop, code=5)
    assert "images: migrations ran since release 2" in said
    assert "--force" in said
    assert shop.run("rollback", "--force").exit_code == 0
    assert pinned(shop)["release"] == "2"


def test_a_schema_that_nobody_knows_needs_force(shop: Desk) -> None:
    shop.has_state(book(record(2), record(1, schema={"images": ""}), serving=2))
    assert "migrations ran since release 1" in refused(shop, code=5)
    shop.has_state(book(record(2), record(1), serving=2))
    shop.engine.containers.clear()
    assert "migrations ran since release 1" in refused(shop, code=5)


@pytest.mark.parametrize(("migrated", "code"), [(2, 0), (3, 5)])
def test_of_a_managed_database_the_image_that_migrated_it_last_counts(shop: Desk, migrated: int, code: int) -> None:
    managed = {"images": {"database": {"url": "postgresql://x@y/z"}, "migrate": "flask db upgrade"}}
    job = {
        "type": JOB,
        "urn": URN + "job",
        "outputs": {"container": "site-dev-images-migrate", "image": image(migrated, "images")},
    }
    shop.declares(services=managed)
    shop.has_state(book(record(3), record(2, services=managed, schema={}), serving=3), job)
    assert shop.run("rollback").exit_code == code


def test_in_a_stack_that_does_not_keep_its_data_a_volume_is_not_lost_unasked(shop: Desk) -> None:
    older = {**SERVICES, "images": {**SERVICES["images"], "volumes": {}}}
    shop.has_state(book(record(3), record(2, services=older), serving=3), container_resource("postgres", "p"))
    assert "the data volume site-dev-images-uploads would be deleted" in refused(shop, code=5)
    shop.declares(services={**older}, overrides={"images": {"volumes": {"thumbs": "/thumbs"}}})
    assert "the data volume site-dev-images-thumbs would be deleted" in refused(shop, code=5)
    none = {**older, "images": {**older["images"], "database": {"url": "postgresql://x@y/z"}, "migrate": None}}
    shop.has_state(book(record(3), record(2, services=none), serving=3), container_resource("postgres", "p"))
    assert "the data volume site-dev-postgres-data would be deleted" in refused(shop, code=5)
    assert shop.run("rollback", "--stack", "prod").exit_code == 0, "there it stays"


def test_while_another_run_is_at_work_nothing_is_written(shop: Desk) -> None:
    shop.lock(hostname="elsewhere")
    assert "another run is working" in refused(shop, code=8)


def test_a_stack_file_that_is_written_in_one_line_is_refused(shop: Desk) -> None:
    text = "config: {drain: 5}\n"
    (shop.root / "Pulumi.dev.yaml").write_text(text)
    result = shop.run("rollback")
    assert (result.exit_code, shop.ran()) == (2, [])
    assert "cannot take `release`" in result.stderr
    assert (shop.root / "Pulumi.dev.yaml").read_text() == text


def test_a_stack_file_in_json_takes_the_release_and_gives_it_back(shop: Desk) -> None:
    source = shop.root / "Pulumi.yaml"
    source.with_suffix(".json").write_text(json.dumps(yaml.safe_load(source.read_text())))
    source.unlink()
    file = shop.root / "Pulumi.dev.json"
    for before in (None, '{"config": {"site:drain": 5}, "environment": ["mine"]}'):
        if before:
            file.write_text(before)
        assert shop.run("rollback", "1").exit_code == 0
        held = json.loads(file.read_text())
        assert held["config"]["site:release"]["services"] == SERVICES
        assert shop.run("rollback", "--clear").exit_code == 0
        assert json.loads(file.read_text()) == json.loads(before or '{"config": {}}')


def test_a_rollback_that_fails_says_that_the_pin_stays_and_how_to_end_it(shop: Desk) -> None:
    shop.ends_with("up", 255)
    result = shop.run("rollback")
    assert result.exit_code == 1
    assert "stays pinned; to end that:  slipway rollback --clear --stack dev" in result.stderr
    assert pinned(shop)["release"] == "2"


def test_a_rollback_that_gets_no_plan_stays_pinned_as_well_and_says_so(shop: Desk) -> None:
    shop.has_state(book(record(2), record(1), serving=2), container_resource("postgres", "p"), SECRET)
    shop.ends_with("preview", 255)
    result = shop.run("rollback", "--stack", "prod")
    assert result.exit_code == 1
    assert "could not make a plan" in result.stderr
    assert "stays pinned; to end that:  slipway rollback --clear --stack prod" in result.stderr
    assert pinned(shop, "prod")["release"] == "1"


@pytest.mark.parametrize("file", [None, "# mine\r\nconfig: \n  drain: 5   # short", COMMENTED])
def test_a_rollback_that_puts_data_at_risk_is_refused_and_the_stack_file_as_it_was(
    shop: Desk, file: str | None
) -> None:
    path = shop.root / "Pulumi.prod.yaml"
    if file is not None:
        path.write_bytes(file.encode())
    shop.has_state(book(record(2), record(1), serving=2), container_resource("postgres", "p"), SECRET)
    shop.plans(step("delete", PASSWORD, "site-prod-later-KEY"))

    result = shop.run("rollback", "--stack", "prod")

    assert result.exit_code == 9
    assert "the generated secret site-prod-later-KEY is forgotten" in result.stderr
    assert "slipway rollback 1 --force --stack prod" in result.stderr
    assert "stays pinned" not in result.stderr
    assert "--allow-data-loss" not in result.stderr, "of `up`, which would bring the newest source"
    assert (path.read_bytes().decode() if path.exists() else None) == file
    assert shop.ran() == ["preview"]

    assert shop.run("rollback", "1", "--force", "--stack", "prod").exit_code == 0
    assert pinned(shop, "prod")["release"] == "1"


def test_up_and_preview_say_for_machines_that_the_stack_is_pinned(shop: Desk) -> None:
    shop.run("rollback", "1")
    (shop.book / "plan.json").write_text("{}")
    for command in ("up", "preview", "status"):
        assert json.loads(shop.run(command, "--json").stdout)["pinned"] == "1", command
    shop.run("rollback", "--clear")
    assert json.loads(shop.run("up", "--json").stdout)["pinned"] == ""


def test_down_with_data_deletes_the_images_of_every_recorded_release(shop: Desk) -> None:
    former = record(1, images={"former": image(1, "former")})
    shop.has_state(book(record(2), former, serving=2))
    shop.engine.tags = ["site-dev-ui:2", "site-dev-former:1", "site-dev-ui:build-0123456789ab", "site-other:1"]
    assert shop.run("down", "--delete-data", "--yes").exit_code == 0
    assert shop.engine.tags == ["site-other:1"]
