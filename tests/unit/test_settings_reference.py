"""What docs and editors know of the settings is what the program reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from slipway.settings import reference
from slipway.settings.edge_table import EdgeTable, PagesTable, TlsTable
from slipway.settings.models import (
    AdminerTable,
    BaseImagesTable,
    Beside,
    Declaration,
    MigrationsTable,
    PostgresTable,
)
from slipway.settings.service_table import DatabaseTable, ScheduledTable, ServiceTable
from slipway.settings.table import Table
from slipway.site.database import Database, MigrationSettings, PostgresSettings
from slipway.site.edge import EdgeSettings, TlsSettings
from slipway.site.site import AdminerSettings, Service, Site

ROOT = Path(__file__).parents[2]
TABLES: tuple[type[Table], ...] = (
    *(Declaration, Beside, ServiceTable, DatabaseTable, ScheduledTable, EdgeTable, TlsTable, PagesTable),
    *(PostgresTable, MigrationsTable, AdminerTable, BaseImagesTable),
)
TRAVELS: tuple[tuple[type[Table], Any], ...] = (
    *((ServiceTable, Service), (DatabaseTable, Database), (EdgeTable, EdgeSettings), (TlsTable, TlsSettings)),
    *((PostgresTable, PostgresSettings), (MigrationsTable, MigrationSettings), (AdminerTable, AdminerSettings)),
    (Declaration, Site),
)
FILES = sorted(
    path.relative_to(ROOT).as_posix() for folder in (".", "examples/*") for path in ROOT.glob(f"{folder}/Pulumi*.yaml")
)


@pytest.fixture(scope="module")
def editor() -> Draft202012Validator:
    """What underlines mistakes while somebody writes."""
    written = json.loads(reference.SCHEMA.read_text())
    Draft202012Validator.check_schema(written)
    return Draft202012Validator(written)


def test_the_page_has_the_keys_as_they_are() -> None:
    text = reference.PAGE.read_text()
    assert reference.page(text) == text, "python -m slipway.settings.reference"


def test_the_schema_is_written_anew_with_the_keys() -> None:
    assert json.loads(reference.SCHEMA.read_text()) == reference.schema(), "python -m slipway.settings.reference"


def test_a_page_without_a_place_for_a_table_is_refused() -> None:
    with pytest.raises(ValueError, match="no place for the keys of a stack"):
        reference.page(reference.PAGE.read_text().replace("<!-- keys: stack -->", ""))


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.__name__)
def test_every_key_says_what_it_means_and_shows_what_can_be_written(table: type[Table]) -> None:
    for name, field in table.model_fields.items():
        assert field.description, name
        assert field.examples, name


@pytest.mark.parametrize(("table", "travels"), TRAVELS, ids=lambda each: each.__name__)
def test_a_default_is_said_once(table: type[Table], travels: Any) -> None:
    for name, field in table.model_fields.items():
        own = getattr(travels, name, None)
        if own is not None and not isinstance(own, property):
            assert field.default == own, name


@pytest.mark.parametrize("file", FILES)
def test_an_editor_finds_nothing_in_the_files_of_the_examples(editor: Draft202012Validator, file: str) -> None:
    assert [error.message for error in editor.iter_errors(yaml.safe_load((ROOT / file).read_text()))] == []


@pytest.mark.parametrize(
    "written",
    [
        "drain: '45'",
        "edge: {tls: acme, headers: off}",
        "edge: {tls: {mode: off}}",
        "services: {web: }",
        "services: {web: {database: true, command: [sh, -c, 'a && b'], env: {A: 1, B: true}}}",
        "services: {web: {database: {url: 'postgresql://x'}}}",
        "overrides: {web: {memory: null}}",
        "adminer: {port: 8082}",
        "adminer: false",
        "secrets: {web: {SECRET_KEY: {secure: 'v1:x'}}}",
        "other:key: 5",
    ],
)
def test_an_editor_accepts_what_the_program_does(editor: Draft202012Validator, written: str) -> None:
    config = yaml.safe_load(f"{{{written}}}")
    assert editor.is_valid({"config": config})
    in_the_project = {key: {"default": value} for key, value in config.items()}
    assert editor.is_valid({"config": in_the_project})


@pytest.mark.parametrize(
    "written",
    [
        "drian: 45",
        "drain: 0",
        "edge: {tls: off-and-on}",
        "edge: {port: 65536}",
        "services: {web: {memory: 8}}",
        "services: {web: {rout: /}}",
        "services: {web: {schedule: {nightly: {cron: '0 3 * * *'}}}}",
        "overrides: {web: {memroy: 64}}",
        "adminer: maybe",
        "postgres: {preload: [pg_cron]}",
    ],
)
def test_an_editor_underlines_what_the_program_refuses(editor: Draft202012Validator, written: str) -> None:
    config = yaml.safe_load(f"{{{written}}}")
    assert not editor.is_valid({"config": config})
    assert not editor.is_valid({"config": {key: {"default": value} for key, value in config.items()}})
