"""Data at risk that no plan shows: up and preview look at the volumes themselves."""

from __future__ import annotations

import json

import pytest

from slipway.core import postgres
from tests.unit.cli.fakes import URN, Desk, FakeContainer, container_resource

PROD = ("--stack", "prod")
VOLUME = "docker:index/volume:Volume"
ROLES = "pulumi-python:dynamic/slipway:DatabaseRoles"
UPLOADS, DATA = "site-prod-web-uploads", "site-prod-postgres-data"
CONTROL = "12345678 and more"
CLUSTER = postgres.system_identifier(CONTROL.encode())


@pytest.fixture
def server(desk: Desk) -> FakeContainer:
    """The server of a stack that has two data volumes and one that is written anew."""
    names = {UPLOADS: UPLOADS, DATA: DATA, "site-prod-edge-live": "site-prod-edge-live-0123abc"}
    desk.has_state(
        container_resource("site-prod-postgres", "id-of-site-prod-postgres"),
        *({"type": VOLUME, "urn": URN + urn, "id": name, "inputs": {"name": name}} for urn, name in names.items()),
        {"type": ROLES, "urn": URN + "roles", "id": "roles", "outputs": {"cluster": CLUSTER}},
    )
    desk.declares(services={"web": {"database": True}})
    desk.engine.volumes = {UPLOADS: {}, DATA: {}}
    server = desk.engine.add("site-prod-postgres", "postgres")
    server.files = {f"{postgres.DATA}/PG_VERSION": "17\n", f"{postgres.DATA}/global/pg_control": CONTROL}
    return server


def test_data_that_is_there_is_no_matter(desk: Desk, server: FakeContainer) -> None:
    assert desk.run("up", *PROD).exit_code == 0
    assert desk.ran() == ["preview", "up"]


@pytest.mark.parametrize("lost", [UPLOADS, DATA])
def test_a_known_volume_that_is_missing_is_data_at_risk(desk: Desk, server: FakeContainer, lost: str) -> None:
    del desk.engine.volumes[lost]
    refused = desk.run("up", *PROD)
    assert refused.exit_code == 9
    assert f"the volume {lost} is gone from the engine" in refused.stderr
    assert "up --stack prod --allow-data-loss" in refused.stderr
    assert "up" not in desk.ran()
    assert f"data at risk: the volume {lost}" in desk.run("preview", *PROD).stderr
    told = json.loads(desk.run("preview", *PROD, "--json").stdout)
    assert (told["data_at_risk"], len(told["missing"])) == (True, 1)
    assert desk.run("up", *PROD, "--allow-data-loss").exit_code == 0


@pytest.mark.parametrize(
    ("control", "why"), [(None, "holds no database any more"), ("87654321", "holds the data of another server")]
)
def test_an_emptied_or_exchanged_database_is_data_at_risk(
    desk: Desk, server: FakeContainer, control: str | None, why: str
) -> None:
    server.files = {} if control is None else {f"{postgres.DATA}/global/pg_control": control}
    refused = desk.run("up", *PROD)
    assert (refused.exit_code, f"{DATA} {why}" in refused.stderr) == (9, True)


def test_a_stack_that_keeps_no_data_loses_none(desk: Desk, server: FakeContainer) -> None:
    desk.engine.volumes = {}
    assert desk.run("up").exit_code == 0


@pytest.mark.parametrize("command", ["up", "preview"])
def test_another_major_version_is_refused_before_anything(desk: Desk, server: FakeContainer, command: str) -> None:
    desk.declares(
        services={"web": {"database": True}}, baseImages={"postgres": "docker.io/library/postgres:18.1-bookworm"}
    )
    refused = desk.run(command, *PROD)
    assert refused.exit_code == 9
    assert f"{DATA} holds data of Postgres 17, which Postgres 18 cannot read" in refused.stderr
    for typed in ("pg_dump -Fc web > web.dump", f"docker volume rm {DATA}", "pg_restore --clean --if-exists -d web"):
        assert typed in refused.stderr
    assert desk.ran() == []
    assert desk.run("up", *PROD, "--allow-data-loss").exit_code == 9, "the new server would not start"


@pytest.mark.parametrize(
    "image",
    [
        "registry.test:5000/own-postgres",
        "registry.test:18/own/postgres",
        "own/postgres:1.4",
        "own/postgres:2026-01-31",
        "postgres:17.2@sha256:18aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "postgres@sha256:18aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    ],
)
def test_a_version_that_nothing_tells_is_left_to_the_trial(desk: Desk, server: FakeContainer, image: str) -> None:
    desk.declares(services={"web": {"database": True}}, baseImages={"postgres": image})
    assert desk.run("up", *PROD).exit_code == 0
