"""Where secret values go: into state, encrypted, and into files. Nowhere else."""

from __future__ import annotations

import re

import pytest

from tests.mocks.program import run
from tests.mocks.recording import SECRET, Program, texts
from tests.mocks.sites import PASSWORD, SITES, program_of

EVERY_STACK = pytest.mark.parametrize("stack", ["prod", "dev"])
EVERY_SITE = pytest.mark.parametrize("declared", SITES)


@EVERY_STACK
@EVERY_SITE
def test_no_secret_reaches_a_label_a_name_a_command_or_an_environment_value(stack: str, declared: str) -> None:
    program = program_of(stack, declared)
    for urn, each in program.resources.items():
        assert not [text for text in each.in_plain if SECRET in text], urn


@EVERY_STACK
@EVERY_SITE
def test_the_engine_is_given_no_secret_at_all_or_docker_inspect_would_show_it(stack: str, declared: str) -> None:
    for urn, each in program_of(stack, declared).resources.items():
        if each.type.startswith("docker:") or each.kind in {"Job", "Release", "Attachment", "StaticFiles"}:
            assert not each.holds_a_secret, urn


@EVERY_STACK
@EVERY_SITE
def test_no_secret_is_an_output_in_plain(stack: str, declared: str) -> None:
    program = program_of(stack, declared)
    for outputs in (program.exports, *program.registered_outputs.values()):
        assert not [text for text in texts(outputs) if SECRET in text]


def files(program: Program, name: str) -> dict[str, str]:
    found: dict[str, str] = program.of_kind("FilesVolume")[name].inputs["files"]
    return found


def test_a_service_finds_its_secrets_in_files_that_only_it_can_read(prod: Program) -> None:
    volume = prod.of_kind("FilesVolume")["images-files"].inputs
    assert volume["mode"] == 0o400
    assert f"{volume['uid']:.0f}" == prod.services["images"].inputs["user"]
    assert files(prod, "images-files")["env/DB_PASSWORD"] == f"{SECRET}slipwayprodimagesdbruntime"
    assert files(prod, "images-jobs-migrate-files")["env/DB_PASSWORD"] == f"{SECRET}slipwayprodimagesdbowner"
    assert files(prod, "ui-files")["env/SECRET_KEY"] == f"{SECRET}slipwayproduiSECRETKEY"


def test_the_server_is_told_verifiers_and_even_these_are_secret(site: Program) -> None:
    roles = site.of_kind("DatabaseRoles")["database-roles"]
    assert roles.holds_a_secret
    assert not [text for text in roles.in_plain if "SCRAM-SHA-256$" in text]
    assert len(set(re.findall(r"'SCRAM-SHA-256\$[^']+'", roles.inputs["sql"]))) == 2
    assert SECRET not in roles.inputs["sql"]


def test_every_service_starts_by_the_wrapper_and_mounts_its_files_read_only(site: Program) -> None:
    for name, each in site.services.items():
        assert each.inputs["entrypoints"] == ["sh", "/run/slipway/exec"], name
        mounted = next(volume for volume in each.inputs["volumes"] if volume["containerPath"] == "/run/slipway")
        assert mounted.get("readOnly") is True, name
        assert files(site, f"{name}-files")["exec"].startswith("#!/bin/sh"), name
    for name, job in site.of_kind("Job").items():
        assert job.inputs["command"][:2] == ["sh", "/run/slipway/exec"], name


def test_the_name_of_a_volume_of_secrets_changes_with_them_and_with_nothing_else(prod: Program) -> None:
    def names(program: Program) -> dict[str, str]:
        return {name: each.inputs["volume"] for name, each in program.of_kind("FilesVolume").items()}

    assert names(run("prod", {"edge": {"port": 9000}})) == names(prod)
    others = names(run("prod", secret="another"))
    assert others.keys() == names(prod).keys()
    assert not set(others.values()) & set(names(prod).values())


def test_a_chosen_secret_takes_the_place_of_a_generated_one() -> None:
    program = run("prod", {"secrets": {"ui": {"SECRET_KEY": PASSWORD}}})
    assert files(program, "ui-files")["env/SECRET_KEY"] == PASSWORD
    assert "ui-SECRET_KEY" not in program.of_kind("RandomPassword")
    assert not [each for each in program.resources.values() if any(PASSWORD in text for text in each.in_plain)]


def test_every_secret_is_drawn_for_itself(site: Program) -> None:
    drawn = {"stack-key", "postgres-superuser", "images-db-owner", "images-db-runtime", "ui-SECRET_KEY"}
    assert set(site.of_kind("RandomPassword")) == drawn
