"""`envFile:`: environment variables from a file of the project."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from slipway.settings.problems import SettingsError
from slipway.site.site import Site
from tests.unit.declaring import correct, make_root, read

PAIRS = '[{"name": "TITLE", "value": "From a file"}, {"name": "DB", "value": "{database.name}"}]'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_root(tmp_path)


def declared(root: Path, file: str, **more: Any) -> Site:
    """The site whose service `stock` names this file in its stack."""
    return read(correct() | {"overrides": {"stock": {"envFile": file, **more}}}, root)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("of.json", PAIRS),
        ("of.json", '{"TITLE": "From a file", "DB": "{database.name}"}'),
        ("of.env", "# of this stack\n\nTITLE=From a file\nDB={database.name}\n"),
    ],
)
def test_variables_are_read_from_each_kind_of_file(root: Path, name: str, text: str) -> None:
    (root / name).write_text(text)
    env = declared(root, name).services["stock"].env
    assert env == {"DATABASE_URL": "{database.url}", "TITLE": "From a file", "DB": "{database.name}"}


def test_what_the_service_itself_says_goes_before_the_file(root: Path) -> None:
    (root / "of.json").write_text(PAIRS)
    assert declared(root, "of.json", env={"TITLE": "Its own"}).services["stock"].env["TITLE"] == "Its own"


def test_numbers_become_text_and_a_value_may_hold_an_equals_sign(root: Path) -> None:
    (root / "of.json").write_text('{"SIZE": 3, "DEBUG": false}')
    (root / "of.env").write_text("LOOK=a=b")
    assert declared(root, "of.json").services["stock"].env.items() >= {("SIZE", "3"), ("DEBUG", "false")}
    assert declared(root, "of.env").services["stock"].env["LOOK"] == "a=b"


def test_a_releases_record_holds_the_variables_and_not_the_files_name(root: Path) -> None:
    (root / "of.json").write_text(PAIRS)
    table: Any = declared(root, "of.json").tables["stock"]
    assert table["env"]["TITLE"] == "From a file"
    assert "envFile" not in table


@pytest.mark.parametrize(
    ("name", "content", "path", "says"),
    [
        ("gone.json", None, "envFile", "gone.json is not there; the path begins at the folder of Pulumi.yaml"),
        ("of.json", b"{", "envFile", "of.json is no JSON: line 1"),
        ("of.json", b'["TITLE"]', "envFile", 'must hold a list of {"name": '),
        ("of.json", b'[{"name": "TITLE"}]', "envFile", 'must hold a list of {"name": '),
        ("of.env", b"TITLE=a\nno pair\n", "envFile", "must hold lines NAME=value; line 2 is none"),
        ("of.env", b"\xff", "envFile", "cannot be read as text"),
        ("of.json", b'{"TITLE": ["a"]}', "env.TITLE", "must be a text, not a list"),
        ("of.json", b'{"A TITLE": "a"}', 'env["A TITLE"]', "a variable's name has letters, digits and underscores"),
        ("of.json", b'{"TITLE": "{services.shop.url}"}', "env.TITLE", "shop"),
    ],
)
def test_what_is_wrong_with_a_file_or_in_it_is_one_mistake(
    root: Path, name: str, content: bytes | None, path: str, says: str
) -> None:
    if content is not None:
        (root / name).write_bytes(content)
    with pytest.raises(SettingsError) as caught:
        declared(root, name)
    [problem] = caught.value.problems
    assert problem.path == f"services.stock.{path}"
    assert says in problem.what


def test_a_name_that_is_no_text_is_a_mistake_of_the_settings(root: Path) -> None:
    with pytest.raises(SettingsError, match=r"services\.stock\.envFile|overrides\.stock\.envFile"):
        read(correct() | {"overrides": {"stock": {"envFile": ["of.json"]}}}, root)
