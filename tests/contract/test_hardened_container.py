"""Every setting that closes a container: it reaches the engine, and no later run finds a difference in it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.conftest import NewProject
from tests.contract.project import ContractProject
from tests.support import engine

PROGRAM = """
import pulumi
import pulumi_docker as docker
from contract import container, idle, named

front = docker.Network(named("front"))
back = docker.Network(named("back"), internal=True)
data = docker.Volume(named("data"))
container(
    "hardened", {"delete_before_replace": False},
    read_only=True, tmpfs={"/tmp": "rw,noexec,nosuid,size=16m", "/run": "rw,size=1m"},
    user="1000:1000", capabilities={"drops": ["ALL"]}, security_opts=["no-new-privileges:true"],
    memory=64, memory_swap=64, cpus="0.5", ulimits=[{"name": "nofile", "soft": 1024, "hard": 2048}],
    log_driver="json-file", log_opts={"max-size": "10m", "max-file": "3"}, restart="unless-stopped",
    networks_advanced=[{"name": front.name, "aliases": ["app"]}, {"name": back.name, "aliases": ["app", "api"]}],
    ports=[{"internal": 8000, "ip": "127.0.0.1", "protocol": "tcp"}],
    volumes=[{"volume_name": data.name, "container_path": "/data", "read_only": True}],
    labels=[{"label": "contract.a", "value": "1"}, {"label": "contract.b", "value": "2"}],
    hosts=[{"host": "gate", "ip": "192.0.2.1"}], hostname="hardened", init=True, stop_signal="SIGTERM", stop_timeout=10,
    destroy_grace_seconds=10, wait=True, wait_timeout=30,
    healthcheck={"tests": ["CMD", "test", "-e", "/tmp/well"], "interval": "1s", "timeout": "1m0s", "retries": 3,
                 "start_period": "2s"})
idle("descending", ports=[{"internal": port, "ip": "127.0.0.1", "protocol": "tcp"} for port in (9000, 8000)])
"""
LOOSE = """
idle("swap-left-out", memory=64)
idle("whole-cpu", cpus="1")
idle("sixty-seconds", healthcheck={"tests": ["CMD", "true"], "interval": "60s"})
"""


@pytest.fixture(scope="module")
def project(new_project: NewProject) -> ContractProject:
    made = new_project(PROGRAM)
    made.up()
    return made


def test_every_setting_reaches_the_engine(project: ContractProject) -> None:
    found = project.container("hardened").attrs
    config, host = found["Config"], found["HostConfig"]
    assert {key: host[key] for key in WANTED_HOST} == WANTED_HOST
    assert {key: config[key] for key in WANTED_CONFIG} == WANTED_CONFIG
    assert host["PortBindings"]["8000/tcp"][0]["HostIp"] == "127.0.0.1"
    assert {"contract.a": "1", "contract.b": "2"}.items() <= config["Labels"].items()
    assert found["State"]["Health"]["Status"] == "healthy"
    (mount,) = found["Mounts"]
    assert (mount["Type"], mount["Destination"], mount["RW"]) == ("volume", "/data", False)
    assert mount["Name"].startswith(f"{project.name}-data-")


def test_it_is_on_exactly_the_networks_that_the_program_names(project: ContractProject) -> None:
    networks = project.container("hardened").attrs["NetworkSettings"]["Networks"]
    aliases = {project.short(name)[:-8]: set(network["Aliases"]) for name, network in networks.items()}
    assert aliases.keys() == {"front", "back"}
    assert "app" in aliases["front"]
    assert "api" not in aliases["front"]
    assert {"app", "api"} <= aliases["back"]
    internal = {name: engine.client().networks.get(name).attrs["Internal"] for name in networks}
    assert {project.short(name)[:-8]: value for name, value in internal.items()} == {"front": False, "back": True}


def test_neither_a_second_run_nor_a_refresh_finds_a_difference(project: ContractProject) -> None:
    old = project.container("hardened").id
    project.assert_unchanged()
    assert project.container("hardened").id == old


def test_settings_written_otherwise_than_the_engine_reads_them_differ_on_every_run(project: ContractProject) -> None:
    project.write("__main__.py", PROGRAM + LOOSE)
    project.up()
    project.preview("--expect-no-changes", succeeds=False)
    for flags in ([], ["--refresh"]):
        plan = project.plan(*flags)
        assert plan.pop("sixty-seconds") in {"update", "replace"}
        assert plan == {"swap-left-out": "update", "whole-cpu": "replace"}


MIB, SECOND = 2**20, 10**9
WANTED_HOST: dict[str, Any] = {
    "ReadonlyRootfs": True,
    "Tmpfs": {"/tmp": "rw,noexec,nosuid,size=16m", "/run": "rw,size=1m"},
    "CapDrop": ["ALL"],
    "CapAdd": None,
    "Privileged": False,
    "SecurityOpt": ["no-new-privileges:true"],
    "Memory": 64 * MIB,
    "MemorySwap": 64 * MIB,
    "NanoCpus": SECOND // 2,
    "Ulimits": [{"Name": "nofile", "Soft": 1024, "Hard": 2048}],
    "LogConfig": {"Type": "json-file", "Config": {"max-size": "10m", "max-file": "3"}},
    "RestartPolicy": {"Name": "unless-stopped", "MaximumRetryCount": 0},
    "ExtraHosts": ["gate:192.0.2.1"],
    "Init": True,
}
WANTED_CONFIG: dict[str, Any] = {
    "User": "1000:1000",
    "Hostname": "hardened",
    "StopSignal": "SIGTERM",
    "StopTimeout": 10,
    "Healthcheck": {"Test": ["CMD", "test", "-e", "/tmp/well"], "Interval": SECOND, "Timeout": 60 * SECOND,
                    "Retries": 3, "StartPeriod": 2 * SECOND},
}
