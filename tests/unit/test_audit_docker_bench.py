"""Each scored row of docker-bench-security turns red by its own field, and by no other."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest

from slipway.audit.docker_bench import ROWS, Seen, expected

CONTAINER: dict[str, Any] = {
    "AppArmorProfile": "docker-default",
    "Config": {"User": "1000"},
    "State": {"Status": "running", "Health": {"Status": "healthy"}},
    "Mounts": [
        {"Type": "volume", "Source": "/var/lib/docker/volumes/x/_data", "Destination": "/data", "RW": True,
         "Propagation": ""},
        {"Type": "bind", "Source": "/srv/site", "Destination": "/srv", "RW": True, "Propagation": "rprivate"},
    ],
    "NetworkSettings": {"Ports": {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8100"}], "5000/tcp": None}},
    "HostConfig": {
        "CapAdd": None, "CapDrop": ["ALL"], "Privileged": False, "NetworkMode": "site", "Memory": 268435456,
        "CpuShares": 0, "NanoCpus": 1000000000, "ReadonlyRootfs": True, "PidMode": "", "IpcMode": "private",
        "UTSMode": "", "UsernsMode": "", "CgroupParent": "", "PidsLimit": 256,
        "SecurityOpt": ["no-new-privileges:true"],
        "RestartPolicy": {"Name": "unless-stopped", "MaximumRetryCount": 0},
    },
}  # fmt: skip
SEEN = Seen(
    container=CONTAINER,
    image={"Config": {"Healthcheck": {"Test": ["CMD", "true"]}}},
    info={"Swarm": {"LocalNodeState": "inactive"}, "SecurityOptions": ["name=apparmor", "name=seccomp"]},
    processes=["gunicorn: master [manage:app]"],
    execs=[{"ProcessConfig": {"privileged": False}}],
    content_trust="1",
)
SOCKET = {"Source": "/var/run/docker.sock", "Destination": "/x", "RW": True, "Propagation": "rprivate"}


def changed(**keys: Any) -> Seen:
    """With fields of the container changed; `HostConfig__Memory` is a field of a table in it."""
    container = copy.deepcopy(CONTAINER)
    for key, value in keys.items():
        table, _, name = key.partition("__")
        if name:
            container[table][name] = value
        else:
            container[key] = value
    return replace(SEEN, container=container)


def port(address: str, number: int) -> Seen:
    return changed(NetworkSettings__Ports={"80/tcp": [{"HostIp": address, "HostPort": str(number)}]})


def mount(**fields: Any) -> Seen:
    return changed(Mounts=[*CONTAINER["Mounts"], {**SOCKET, "Source": "/srv/other", **fields}])


MUTATIONS = [
    ("4.1", changed(Config__User="")),
    ("4.1", changed(Config__User="0:0")),
    ("4.1", changed(Config__User="root")),
    ("4.5", replace(SEEN, content_trust="")),
    ("4.6", replace(SEEN, image={"Config": {"Healthcheck": None}})),
    ("5.1", replace(SEEN, info={**SEEN.info, "Swarm": {"LocalNodeState": "active"}})),
    ("5.2", changed(AppArmorProfile="")),
    ("5.2", changed(AppArmorProfile="unconfined")),
    ("5.4", changed(HostConfig__CapAdd=["CAP_SYS_ADMIN"])),
    ("5.4", changed(HostConfig__CapAdd=["NET_ADMIN", "CHOWN"])),
    ("5.5", changed(HostConfig__Privileged=True)),
    ("5.6", mount(Source="/etc")),
    ("5.6", mount(Source="/")),
    ("5.7", replace(SEEN, processes=["/usr/sbin/sshd -D"])),
    ("5.8", port("127.0.0.1", 443)),
    ("5.10", changed(HostConfig__NetworkMode="host")),
    ("5.11", changed(HostConfig__Memory=0)),
    ("5.12", changed(HostConfig__NanoCpus=0)),
    ("5.13", changed(HostConfig__ReadonlyRootfs=False)),
    ("5.14", port("0.0.0.0", 8100)),
    ("5.14", port("::", 8100)),
    ("5.15", changed(HostConfig__RestartPolicy={"Name": "on-failure", "MaximumRetryCount": 6})),
    ("5.16", changed(HostConfig__PidMode="host")),
    ("5.17", changed(HostConfig__IpcMode="host")),
    ("5.20", mount(Propagation="rshared")),
    ("5.21", changed(HostConfig__UTSMode="host")),
    ("5.22", changed(HostConfig__SecurityOpt=["no-new-privileges", "seccomp=unconfined"])),
    ("5.23", replace(SEEN, execs=[{"ProcessConfig": {"privileged": True}}])),
    ("5.25", changed(HostConfig__CgroupParent="/custom")),
    ("5.26", changed(HostConfig__SecurityOpt=["label=type:x"])),
    ("5.26", changed(HostConfig__SecurityOpt=["no-new-privileges:false"])),
    ("5.27", changed(State={"Status": "running"})),
    ("5.29", changed(HostConfig__PidsLimit=None)),
    ("5.29", changed(HostConfig__PidsLimit=-1)),
    ("5.31", changed(HostConfig__UsernsMode="host")),
    ("5.32", mount(Source="/var/run/docker.sock")),
]


def red(seen: Seen) -> set[str]:
    return {row.number for row in ROWS if row.judge(seen)}


def test_a_container_as_it_should_be_passes_every_row() -> None:
    assert red(SEEN) == set()


@pytest.mark.parametrize(("number", "seen"), MUTATIONS)
def test_one_field_turns_exactly_its_row_red(number: str, seen: Seen) -> None:
    assert red(seen) == {number}


def test_without_any_security_option_two_rows_are_red() -> None:
    assert red(changed(HostConfig__SecurityOpt=None)) == {"5.3", "5.26"}


@pytest.mark.parametrize(
    "seen",
    [
        changed(HostConfig__CapAdd=["CAP_CHOWN"]),
        changed(HostConfig__NanoCpus=0, HostConfig__CpuShares=512),
        changed(HostConfig__RestartPolicy={"Name": "on-failure", "MaximumRetryCount": 5}),
        mount(Source="/etc", RW=False),
        port("127.0.0.1", 1024),
    ],
)
def test_what_the_tool_lets_pass_passes(seen: Seen) -> None:
    assert red(seen) == set()


def test_there_are_the_29_scored_rows_and_each_has_a_mutation() -> None:
    numbers = [row.number for row in ROWS]
    assert len(numbers) == len(set(numbers)) == 29
    assert {number for number, _ in MUTATIONS} | {"5.3"} == set(numbers)


def test_only_what_has_a_reason_may_fail() -> None:
    bare = replace(SEEN, info={"SecurityOptions": ["name=seccomp"]})
    assert {row.number for row in ROWS if expected(row, SEEN, edge=False)} == {"4.5"}
    assert {row.number for row in ROWS if expected(row, bare, edge=False)} == {"4.5", "5.2"}
    assert {row.number for row in ROWS if expected(row, SEEN, edge=True)} == {"4.5", "5.8", "5.14"}
