"""The options on which replacement, deletion and data depend: what a plan does with a container is decided here."""

from __future__ import annotations

import pulumi
import pytest

from slipway.core.naming import labels
from slipway.nginx import main as nginx_main
from tests.mocks.program import run
from tests.mocks.recording import PROJECT, Program, Registered
from tests.mocks.sites import SITES, program_of

EVERY_SITE = pytest.mark.parametrize("declared", SITES)


@EVERY_SITE
@pytest.mark.parametrize("stack", ["prod", "dev"])
def test_nothing_crashes_on_what_a_preview_does_not_know(stack: str, declared: str) -> None:
    previewed = run(stack, SITES[declared], preview=True)
    assert set(previewed.resources) == set(program_of(stack, declared).resources)


def test_every_container_states_its_replacement_order(site: Program) -> None:
    for name, each in site.containers.items():
        assert each.request.deleteBeforeReplaceDefined, f"{name}: the plugin would delete first, and so cause an outage"


def test_in_prod_only_postgres_and_the_edge_are_deleted_first(prod: Program) -> None:
    first = {name for name, each in prod.containers.items() if each.request.deleteBeforeReplace}
    assert first == {"postgres", "edge"}


@EVERY_SITE
def test_what_is_deleted_first_was_tried_before(declared: str) -> None:
    """With the container's own image, user, mounts and addresses."""
    for stack in ("prod", "dev"):
        program = program_of(stack, declared)
        for each in program.containers.values():
            trials = [program.resources[urn] for urn in each.request.dependencies if "Trial::" in urn]
            assert bool(trials) == each.request.deleteBeforeReplace, each.name
            for trial in trials:
                tried, made = trial.inputs, each.inputs
                assert (tried["image"], tried["user"], tried["memory"]) == (made["image"], made["user"], made["memory"])
                ports = [(one["ip"], one["external"]) for one in made.get("ports") or ()]
                assert [(one["ip"], one["port"]) for one in tried["ports"]] == ports
                seen = {one["target"] for one in tried["mounts"]}
                named = [one for one in made.get("volumes") or () if one.get("volumeName") or one.get("hostPath")]
                mounted = {one["containerPath"] for one in named}
                assert mounted - seen <= {nginx_main.LIVE}, each.name


def test_whatever_publishes_a_port_or_has_a_fixed_name_is_deleted_first(site: Program) -> None:
    for name, each in site.containers.items():
        if each.inputs.get("ports") or each.inputs.get("name"):
            assert each.request.deleteBeforeReplace, f"{name}: two of them would fight for it, and wedge the stack"


@EVERY_SITE
def test_no_app_container_has_a_property_dependency_on_a_delete_first_resource(declared: str) -> None:
    program = program_of("prod", declared)
    first = {urn for urn, each in program.resources.items() if each.request.deleteBeforeReplace}
    assert first, "the edge at least"
    for name, each in program.services.items():
        assert not program.all_built_from(each) & first, f"{name} would be deleted first with it"


def test_containers_are_replaced_for_what_the_plugin_only_records(site: Program) -> None:
    for name, each in site.containers.items():
        assert list(each.request.replaceOnChanges) == ["healthcheck", "tmpfs", "init", "#initerror"], name


def test_every_container_has_its_grace_in_state_and_it_outlasts_a_request(prod: Program) -> None:
    for name, each in prod.containers.items():
        grace = each.inputs["destroyGraceSeconds"]
        assert grace == each.inputs["stopTimeout"], name
        assert grace >= {"postgres": 90, "edge": 5}.get(name, 40), name
        assert grace <= 10 or name != "edge", "nobody is let in while nginx finishes what it has"
        assert each.inputs["stopSignal"] == {"postgres": "SIGINT", "edge": "SIGQUIT"}.get(name, "SIGTERM")


def test_data_volumes_are_known_by_name_and_ignore_what_would_replace_them(site: Program) -> None:
    for name in ("postgres-data", "images-uploads"):
        volume = site.of_kind("Volume")[name]
        assert volume.inputs.get("name") == volume.name
        assert set(volume.request.ignoreChanges) == {"labels", "driverOpts"}
        assert volume.request.deleteBeforeReplace, "another of the same name cannot stand beside it"


@pytest.mark.parametrize("chosen", ["as shipped", "TLS by certbot"])
def test_data_of_another_stack_is_refused_whichever_volume_holds_it(chosen: str) -> None:
    kept = [each for each in program_of("prod", chosen).of_kind("Volume").values() if each.request.retainOnDelete]
    assert kept
    for volume in kept:
        with pytest.raises(pulumi.RunError, match=f"{volume.name} holds data of stack eu of project shop"):
            run("prod", SITES[chosen], volumes={volume.name: labels("shop", "eu")})


def test_no_volume_is_replaced_for_its_labels(site: Program) -> None:
    for name, each in site.of_kind("Volume").items():
        assert {"labels", "driverOpts"} <= set(each.request.ignoreChanges), name


def test_nothing_is_protected_or_destroy_would_fail_half_way(site: Program) -> None:
    assert not [urn for urn, each in site.resources.items() if each.request.protect]


def test_a_generated_secret_is_drawn_once_whatever_its_arguments_become(site: Program) -> None:
    passwords = site.of_kind("RandomPassword")
    assert passwords
    for name, each in passwords.items():
        given = {key for key in each.inputs if not key.startswith("__")} - {"result"}
        assert given <= set(each.request.ignoreChanges), name
        assert {"length", "special", "keepers"} <= set(each.request.ignoreChanges), name
        assert each.inputs["special"] is False, f"{name}: / @ : % break URLs"


def test_every_docker_resource_goes_to_the_engine_that_was_resolved(site: Program) -> None:
    for urn, each in site.resources.items():
        if each.type.startswith("docker:"):
            assert f"::{PROJECT}-{each.name.split('-')[1]}-engine::" in each.request.provider, urn
        elif each.type.startswith("pulumi-python:dynamic"):
            assert each.inputs["engine"] == "unix:///x", urn


def test_every_resource_has_its_place_in_a_component(site: Program) -> None:
    for urn, each in site.resources.items():
        inside = any(each.request.parent == above for above in site.resources)
        assert inside or each.type.startswith(("slipway:components:", "pulumi:providers:")), urn


def test_every_component_registers_its_outputs(site: Program) -> None:
    components = {urn for urn, each in site.resources.items() if each.type.startswith("slipway:components:")}
    assert components
    assert components == components & set(site.registered_outputs)


def test_a_service_starts_only_when_its_database_is_ready_and_migrated(site: Program) -> None:
    before = site.all_before(site.services["images"])
    jobs, roles = site.of_kind("Job"), site.of_kind("DatabaseRoles")["database-roles"]
    assert roles.urn in before
    assert {job.urn for job in jobs.values()} <= before
    assert {each.urn for name, each in site.of_kind("Attachment").items() if name.startswith("postgres")} <= before


def test_a_migration_runs_only_when_the_database_is_ready(site: Program) -> None:
    roles = site.of_kind("DatabaseRoles")["database-roles"]
    for name, job in site.of_kind("Job").items():
        assert roles.urn in site.all_before(job), name


def test_databases_are_provisioned_again_for_each_new_server(site: Program) -> None:
    assert site.containers["postgres"].urn in site.of_kind("DatabaseRoles")["database-roles"].built_from


def release(program: Program) -> Registered:
    return program.of_kind("Release")["release"]


@EVERY_SITE
def test_the_release_comes_after_every_container_attachment_and_static_file(declared: str) -> None:
    program = program_of("prod", declared)
    before = program.all_before(release(program))
    for kind in ("Attachment", "StaticFiles", "Job", "PidsLimit"):
        assert {
            each.urn
            for each in program.of_kind(kind).values()
            if (kind != "Attachment" or "edge" in each.name)
            and not any(later in each.urn for later in ("Schedule$", "Certbot$"))
        } <= before
    assert {each.urn for each in (*program.services.values(), program.containers["edge"])} <= before


@EVERY_SITE
def test_each_new_container_is_a_new_release_and_old_ones_are_deleted_after_it(declared: str) -> None:
    program = program_of("prod", declared)
    built_from = release(program).built_from
    assert {each.urn for each in (*program.services.values(), program.containers["edge"])} <= built_from
    for each in program.services.values():
        # Pulumi deletes what was replaced create-first after everything else of the run, the release included.
        assert not each.request.deleteBeforeReplace or declared == "never two at once"
    after = [urn for urn in program.resources if release(program).urn in program.all_before(program.resources[urn])]
    assert [urn for urn in after if "Schedule" not in urn and "Certbot" not in urn] == [], (
        "nothing but what works by the clock may come after the release: if it failed, that would be half done"
    )
