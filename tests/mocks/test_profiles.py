"""What distinguishes dev from prod, and what no stack may do."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from tests.mocks.program import ENGINE, ROOT, run
from tests.mocks.recording import Program, subnet
from tests.mocks.sites import SITES, program_of


def published(program: Program) -> dict[str, Any]:
    return {name: each.inputs["ports"] for name, each in program.containers.items() if each.inputs.get("ports")}


def test_prod_publishes_exactly_one_port(prod: Program) -> None:
    assert published(prod) == {"edge": [{"internal": 80, "external": 8100, "ip": "127.0.0.1", "protocol": "tcp"}]}


def test_dev_publishes_each_service_and_adminer_on_this_machine_alone(dev: Program) -> None:
    ports = {
        name: (port["external"], port["internal"], port["ip"])
        for name, ports in published(dev).items()
        for port in ports
    }
    local = "127.0.0.1"
    assert ports == {"ui": (8006, 5000, local), "images": (8007, 5000, local), "adminer": (8081, 8080, local)}


def test_dev_has_adminer_and_prod_has_not(dev: Program, prod: Program) -> None:
    assert "adminer" in dev.containers
    assert "adminer" not in prod.containers
    assert not [name for name in prod.exports if "adminer" in name]
    assert "ADMINER_DEFAULT_SERVER=postgres" in dev.containers["adminer"].inputs["envs"]


def mounts_of_the_host(program: Program) -> list[str]:
    volumes = [volume for each in program.containers.values() for volume in each.inputs.get("volumes", ())]
    jobs = [mount["source"] for each in program.of_kind("Job").values() for mount in each.inputs["mounts"]]
    return [*(each["hostPath"] for each in volumes if each.get("hostPath")), *(each for each in jobs if each[0] == "/")]


def test_dev_mounts_the_source_and_prod_nothing_of_the_host(dev: Program, prod: Program) -> None:
    assert set(mounts_of_the_host(dev)) == {str(ROOT / "services" / name) for name in ("ui", "images")}
    assert mounts_of_the_host(prod) == []


def test_dev_runs_the_debug_server_and_prod_gunicorn(dev: Program, prod: Program) -> None:
    assert {each.inputs["command"][0] for each in dev.services.values()} == {"flask"}
    for name, each in prod.services.items():
        command = each.inputs["command"]
        assert (command[0], command[-1]) == ("gunicorn", "manage:app"), name
        assert "--bind=0.0.0.0:5000" in command


def test_flask_commands_find_the_application_that_is_served(dev: Program, prod: Program) -> None:
    for program in (dev, prod):
        for name, each in (program.services | program.of_kind("Job")).items():
            given = each.inputs.get("envs") or [f"{key}={value}" for key, value in each.inputs["env"].items()]
            assert "FLASK_APP=manage:app" in given, name


def test_gunicorn_believes_the_headers_of_the_edge_alone(prod: Program) -> None:
    shared = {name: reached(prod, name) & reached(prod, "edge") for name in prod.services}
    assert shared == {"ui": {"ui", "ui-images"}, "images": {"images"}}
    for name, each in prod.services.items():
        ranges = sorted(subnet(prod.of_kind("Network")[network].name) for network in shared[name])
        option = next(word for word in each.inputs["command"] if word.startswith("--forwarded-allow-ips="))
        assert sorted(option.partition("=")[2].split(",")) == ranges, name


def test_the_database_is_migrated_in_both_and_seeded_in_dev(dev: Program, prod: Program) -> None:
    assert set(dev.of_kind("Job")) == {"images-migrate", "images-seed"}
    assert set(prod.of_kind("Job")) == {"images-migrate"}


@pytest.mark.parametrize("declared", SITES)
def test_every_prod_container_is_hardened(declared: str) -> None:
    program = program_of("prod", declared)
    for name, each in program.containers.items():
        inputs = each.inputs
        assert inputs["readOnly"] is True, name
        assert inputs["capabilities"] == {"drops": ["ALL"]}, name
        assert inputs["securityOpts"] == ["no-new-privileges:true"], name
        assert inputs["user"].isdecimal(), name
        assert inputs["user"] != "0", name
        assert not inputs.get("privileged"), name
        assert not inputs.get("networkMode"), name
        assert {"/run", "/tmp"} <= inputs["tmpfs"].keys(), name
        assert "docker.sock" not in str(inputs), name
    for name, each in program.of_kind("Job").items():
        assert each.inputs["hardened"] is True, name
        assert each.inputs["user"] not in {"", "0", "root"}, name


def test_every_container_has_limits_a_bounded_log_and_a_restart_policy(site: Program) -> None:
    for name, each in site.containers.items():
        inputs = each.inputs
        assert inputs["memory"] > 0, name
        assert inputs["memorySwap"] == inputs["memory"], name
        assert re.fullmatch(r"\d+\.\d+", inputs["cpus"]), name
        assert inputs["logDriver"] == "json-file", name
        assert set(inputs["logOpts"]) == {"max-size", "max-file"}, name
        assert inputs["restart"] == "unless-stopped", name
        assert inputs["ulimits"], name
        assert inputs["mustRun"] is True, name
        assert inputs["wait"] is False, f"{name}: with the provider's wait, a refresh may delete the healthy container"


def test_every_container_has_a_limit_of_processes_that_leaves_room_for_what_it_starts(site: Program) -> None:
    limits = {each.name.removesuffix("-pids-limit"): each for each in site.of_kind("PidsLimit").values()}
    for each in site.containers.values():
        assert each.name in limits
        limit = limits.pop(each.name)
        assert limit.inputs["container"] == f"{each.name}-id", each.name
        assert limit.inputs["limit"] == (264 if "postgres" in each.name else 256), each.name
    assert limits == {}


def test_every_prod_container_says_whether_it_is_well(prod: Program) -> None:
    for name, each in prod.containers.items():
        check = each.inputs["healthcheck"]
        assert check["tests"][0] == "CMD", name
        assert "startPeriod" not in check, name
        for duration in (check["interval"], check["timeout"]):
            assert re.fullmatch(r"([1-9]\d*m)?\d+s", duration), f"{name}: the engine writes {duration} another way"


def test_data_volumes_keep_their_data_in_prod_and_not_in_dev(dev: Program, prod: Program) -> None:
    for name in ("postgres-data", "images-uploads"):
        assert prod.of_kind("Volume")[name].request.retainOnDelete, name
        assert not dev.of_kind("Volume")[name].request.retainOnDelete, name


def test_every_network_is_internal_but_those_named(dev: Program, prod: Program) -> None:
    def open_ones(program: Program) -> set[str]:
        return {name for name, each in program.of_kind("Network").items() if not each.inputs["internal"]}

    assert open_ones(prod) == {"public"}
    assert open_ones(dev) == {"ui", "images", "adminer"}


def test_new_internal_networks_have_no_address_of_the_host_where_the_engine_can() -> None:
    isolating = replace(ENGINE, isolates=True)
    for stack in ("dev", "prod"):
        for network in run(stack, engine=isolating).of_kind("Network").values():
            mode = network.inputs.get("options")
            isolated = {"com.docker.network.bridge.gateway_mode_ipv4": "isolated"}
            assert mode == (isolated if network.inputs["internal"] else None), network.name
            assert "options" in network.request.ignoreChanges, "a network of before would be replaced"


def test_postgres_is_on_internal_networks_alone(site: Program) -> None:
    networks = site.of_kind("Network")
    joined = {name for name, each in networks.items() if name in reached(site, "postgres")}
    assert joined == {"postgres", "images-db"}
    assert all(networks[name].inputs["internal"] for name in joined)


def reached(program: Program, container: str) -> set[str]:
    """The networks that a container is on."""
    by_name = {f"{each.name}-1234567": name for name, each in program.of_kind("Network").items()}
    own = {by_name[each["name"]] for each in program.containers[container].inputs["networksAdvanced"]}
    joined = {
        by_name[each.inputs["network"]]
        for each in program.of_kind("Attachment").values()
        if each.inputs["container"] == f"{program.containers[container].name}-id"
    }
    return own | joined


def test_images_are_built_here_for_the_engine_and_pushed_nowhere(dev: Program, prod: Program) -> None:
    for program, target in ((dev, "dev"), (prod, "prod")):
        images = program.of_kind("Image")
        for name, each in images.items():
            assert each.inputs["skipPush"] is True, name
            assert each.inputs["build"]["platform"] == ENGINE.platform, name
        assert {images[name].inputs["build"]["target"] for name in ("ui", "images")} == {target}


def test_containers_name_their_image_by_the_id_that_was_built(site: Program) -> None:
    for name, each in site.containers.items():
        if name != "adminer":
            assert each.inputs["image"] == f"sha256:{each.name}", name


def test_a_stack_is_dev_by_its_name_or_setting_and_prod_otherwise() -> None:
    assert "adminer" not in run("staging").containers
    assert "adminer" in run("dev-anna").containers
    assert "adminer" in run("staging", {"profile": "dev"}).containers
    assert "adminer" not in run("dev-anna", {"profile": "prod"}).containers


def test_what_is_mounted_for_a_trial_is_there_already(site: Program) -> None:
    trials = site.of_kind("Trial").values()
    assert trials
    assert all(mount.get("source") for trial in trials for mount in trial.inputs["mounts"])
