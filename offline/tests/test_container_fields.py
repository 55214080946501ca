"""Every supported input of docker.Container on a real engine: it arrives, and reading it back shows no difference.

Containers are made and inspected but not started, unless a field only shows in a running one; the image is an empty
one that the test imports.
"""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from slipway_offline.docker_provider.container import Container
from slipway_offline.docker_provider.container_properties import CONTAINER
from slipway_offline.docker_provider.engine import Engine, resolve
from slipway_offline.properties import problems
from slipway_offline.resource import Call, Resource, Values

PREFIX = f"fields-{secrets.token_hex(4)}"
NETWORK, VOLUME, OTHER, IMAGE = f"{PREFIX}-net", f"{PREFIX}-data", f"{PREFIX}-other", f"{PREFIX}:1"
SUBNET = f"10.{secrets.randbelow(100) + 100}.{secrets.randbelow(256)}"
CALL = Call("urn", threading.Event(), print, print)
Seen = Callable[[Values], Any]
Make = Callable[[Resource, Values], tuple[str, Values]]


def config(key: str) -> Seen:
    return lambda found: found["Config"][key]


def host(key: str) -> Seen:
    return lambda found: found["HostConfig"][key]


def endpoint(key: str) -> Seen:
    return lambda found: found["NetworkSettings"]["Networks"][NETWORK][key]


def on_network(**settings: Any) -> Values:
    return {"networksAdvanced": [{"name": NETWORK} | settings]}


# inputs, where the engine shows them, and what it shows
FIELDS: dict[str, tuple[Values, Seen, Any]] = {
    "image": ({}, config("Image"), IMAGE),
    "name": ({"name": f"{PREFIX}-named"}, lambda found: found["Name"], f"/{PREFIX}-named"),
    "command": ({"command": ["a", "b c"]}, config("Cmd"), ["a", "b c"]),
    "entrypoints": ({"entrypoints": ["/e", "x"]}, config("Entrypoint"), ["/e", "x"]),
    "envs": ({"envs": ["A=1", "B=x y"]}, lambda found: {"A=1", "B=x y"} <= set(found["Config"]["Env"]), True),
    "workingDir": ({"workingDir": "/srv"}, config("WorkingDir"), "/srv"),
    "user": ({"user": "10001:10001"}, config("User"), "10001:10001"),
    "groupAdds": ({"groupAdds": ["4"]}, host("GroupAdd"), ["4"]),
    "hostname": ({"hostname": "web"}, config("Hostname"), "web"),
    "domainname": ({"domainname": "example.org"}, config("Domainname"), "example.org"),
    "labels": ({"labels": [{"label": "a", "value": "b"}]}, config("Labels"), {"a": "b"}),
    "tty": ({"tty": True}, config("Tty"), True),
    "stdinOpen": ({"stdinOpen": True}, config("OpenStdin"), True),
    "init": ({"init": True}, host("Init"), True),
    "stopSignal": ({"stopSignal": "SIGQUIT"}, config("StopSignal"), "SIGQUIT"),
    "stopTimeout": ({"stopTimeout": 40}, config("StopTimeout"), 40),
    "healthcheck": (
        {"healthcheck": {"tests": ["CMD", "true"], "interval": "1m0s", "timeout": "2s", "startPeriod": "5s",
                         "retries": 3}},
        config("Healthcheck"),
        {"Test": ["CMD", "true"], "Interval": 60 * 10**9, "Timeout": 2 * 10**9, "StartPeriod": 5 * 10**9,
         "Retries": 3}),
    "healthcheck: turned off": ({"healthcheck": {"tests": ["NONE"]}}, config("Healthcheck"), {"Test": ["NONE"]}),
    "mounts: bind": (
        {"mounts": [{"type": "bind", "source": "/etc", "target": "/m", "readOnly": True,
                     "bindOptions": {"propagation": "rprivate"}}]},
        host("Mounts"),
        [{"Type": "bind", "Source": "/etc", "Target": "/m", "ReadOnly": True,
          "BindOptions": {"Propagation": "rprivate"}}]),
    "mounts: volume": (
        {"mounts": [{"type": "volume", "source": VOLUME, "target": "/m"}]},
        host("Mounts"), [{"Type": "volume", "Source": VOLUME, "Target": "/m"}]),
    "mounts: tmpfs": (
        {"mounts": [{"type": "tmpfs", "target": "/m", "tmpfsOptions": {"sizeBytes": 65536, "mode": 0o1777}}]},
        host("Mounts"),
        [{"Type": "tmpfs", "Target": "/m", "TmpfsOptions": {"SizeBytes": 65536, "Mode": 0o1777}}]),
    "volumes: named": (
        {"volumes": [{"volumeName": VOLUME, "containerPath": "/v", "readOnly": True}]}, host("Binds"),
        [f"{VOLUME}:/v:ro"]),
    "volumes: host": ({"volumes": [{"hostPath": "/etc", "containerPath": "/v"}]}, host("Binds"), ["/etc:/v:rw"]),
    "volumes: another container's": ({"volumes": [{"fromContainer": OTHER}]}, host("VolumesFrom"), [OTHER]),
    "volumes: anonymous": ({"volumes": [{"containerPath": "/v"}]}, config("Volumes"), {"/v": {}}),
    "tmpfs": ({"tmpfs": {"/tmp": "size=1m,mode=1777", "/run": ""}}, host("Tmpfs"),
              {"/tmp": "size=1m,mode=1777", "/run": ""}),
    "uploads": ({"uploads": [{"file": "/etc/x", "content": "y", "permissions": "0400", "owner": "7", "group": "8"}]},
                lambda _: True, True),  # the file itself: test_docker_life
    "readOnly": ({"readOnly": True}, host("ReadonlyRootfs"), True),
    "shmSize": ({"shmSize": 256}, host("ShmSize"), 256 * 2**20),
    "devices": ({"devices": [{"hostPath": "/dev/null", "containerPath": "/dev/nothing"}]}, host("Devices"),
                [{"PathOnHost": "/dev/null", "PathInContainer": "/dev/nothing", "CgroupPermissions": "rwm"}]),
    "networkMode": ({"networkMode": "none"}, host("NetworkMode"), "none"),
    "networksAdvanced": (on_network(), lambda found: list(found["NetworkSettings"]["Networks"]), [NETWORK]),
    "networksAdvanced: aliases": (on_network(aliases=["db", "back"]),
                                  lambda found: {"db", "back"} <= set(endpoint("Aliases")(found)), True),
    "networksAdvanced: address": (on_network(ipv4Address=f"{SUBNET}.77"), endpoint("IPAMConfig"),
                                  {"IPv4Address": f"{SUBNET}.77"}),
    "networksAdvanced: driverOpts": (on_network(driverOpts=["a=b"]), endpoint("DriverOpts"), {"a": "b"}),
    "ports": (
        {"ports": [{"internal": 80, "external": 18999, "ip": "127.0.0.1"}, {"internal": 81, "protocol": "udp"}]},
        host("PortBindings"),
        {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "18999"}], "81/udp": [{"HostIp": "0.0.0.0", "HostPort": ""}]}),
    "publishAllPorts": ({"publishAllPorts": True}, host("PublishAllPorts"), True),
    "hosts": ({"hosts": [{"host": "outside", "ip": "host-gateway"}]}, host("ExtraHosts"), ["outside:host-gateway"]),
    "dns": ({"dns": ["10.0.0.53"]}, host("Dns"), ["10.0.0.53"]),
    "dnsOpts": ({"dnsOpts": ["ndots:1"]}, host("DnsOptions"), ["ndots:1"]),
    "dnsSearches": ({"dnsSearches": ["example.org"]}, host("DnsSearch"), ["example.org"]),
    "sysctls": ({"sysctls": {"net.ipv4.tcp_migrate_req": "1"}}, host("Sysctls"), {"net.ipv4.tcp_migrate_req": "1"}),
    "capabilities": ({"capabilities": {"drops": ["ALL"], "adds": ["CAP_NET_BIND_SERVICE"]}},
                     lambda found: (host("CapDrop")(found), host("CapAdd")(found)),
                     (["ALL"], ["CAP_NET_BIND_SERVICE"])),
    "privileged": ({"privileged": True}, host("Privileged"), True),
    "securityOpts": ({"securityOpts": ["no-new-privileges:true"]}, host("SecurityOpt"), ["no-new-privileges:true"]),
    "usernsMode": ({"usernsMode": "host"}, host("UsernsMode"), "host"),
    "pidMode": ({"pidMode": "host"}, host("PidMode"), "host"),
    "ipcMode": ({"ipcMode": "none"}, host("IpcMode"), "none"),
    "cgroupnsMode": ({"cgroupnsMode": "host"}, host("CgroupnsMode"), "host"),
    "runtime": ({"runtime": "runc"}, host("Runtime"), "runc"),
    "memory": ({"memory": 64, "memorySwap": 64}, host("Memory"), 64 * 2**20),
    "memorySwap": ({"memory": 64, "memorySwap": 96}, host("MemorySwap"), 96 * 2**20),
    "memoryReservation": ({"memory": 64, "memorySwap": 64, "memoryReservation": 32}, host("MemoryReservation"),
                          32 * 2**20),
    "cpus": ({"cpus": "0.5"}, host("NanoCpus"), 500_000_000),
    "cpuShares": ({"cpuShares": 512}, host("CpuShares"), 512),
    "cpuSet": ({"cpuSet": "0"}, host("CpusetCpus"), "0"),
    "cpuPeriod": ({"cpuPeriod": 50000}, host("CpuPeriod"), 50000),
    "cpuQuota": ({"cpuQuota": 25000}, host("CpuQuota"), 25000),
    "ulimits": ({"ulimits": [{"name": "nofile", "soft": 1024, "hard": 2048}]}, host("Ulimits"),
                [{"Name": "nofile", "Soft": 1024, "Hard": 2048}]),
    "logDriver": ({"logDriver": "json-file"}, lambda found: host("LogConfig")(found)["Type"], "json-file"),
    "logOpts": ({"logOpts": {"max-size": "1m", "max-file": "2"}}, lambda found: host("LogConfig")(found)["Config"],
                {"max-size": "1m", "max-file": "2"}),
    "restart": ({"restart": "unless-stopped"}, lambda found: host("RestartPolicy")(found)["Name"], "unless-stopped"),
    "maxRetryCount": ({"restart": "on-failure", "maxRetryCount": 3}, host("RestartPolicy"),
                      {"Name": "on-failure", "MaximumRetryCount": 3}),
    "rm": ({"rm": True}, host("AutoRemove"), True),
}
NEWER: dict[str, tuple[tuple[int, int], Values, Seen, Any]] = {
    "healthcheck.startInterval": ((1, 44), {"healthcheck": {"tests": ["CMD", "true"], "startInterval": "1s"}},
                                  lambda found: config("Healthcheck")(found)["StartInterval"], 10**9),
    "networksAdvanced.macAddress": ((1, 44), on_network(macAddress="02:42:0a:00:00:77"),
                                    endpoint("MacAddress"), "02:42:0a:00:00:77"),
    "networksAdvanced.gwPriority": ((1, 48), on_network(gwPriority=7), endpoint("GwPriority"), 7),
    "mounts.volumeOptions": (
        (1, 45), {"mounts": [{"type": "volume", "source": VOLUME, "target": "/m", "volumeOptions": {"noCopy": True}}]},
        lambda found: host("Mounts")(found)[0]["VolumeOptions"], {"NoCopy": True}),
}
# Inputs that tell this plugin rather than the engine what to do; their effects: test_docker_life.
OURS = {"attach", "containerReadRefreshTimeoutMilliseconds", "destroyGraceSeconds", "logs", "mustRun", "removeVolumes",
        "start", "wait", "waitTimeout"}


def test_every_supported_input_has_a_row() -> None:
    assert {name.partition(":")[0] for name in FIELDS} | OURS == set(CONTAINER)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    """An engine with the image, network, volume and container that the rows name, and without them afterwards."""
    it = Engine(resolve({}, os.environ))
    it.import_image_from_data(b"\0" * 1024, repository=PREFIX, tag="1")
    network = it.ask("/networks/create", {"Name": NETWORK, "IPAM": {"Config": [{"Subnet": f"{SUBNET}.0/24"}]}})
    it.create_volume(VOLUME)
    other = it.make_container({"Image": IMAGE, "Cmd": ["/none"]}, OTHER)
    yield it
    it.remove_container(other)
    it.remove_network(network["Id"])
    it.remove_volume(VOLUME)
    it.remove_image(IMAGE)


@pytest.mark.parametrize("row", FIELDS)
def test_a_field_arrives_and_reads_back_without_a_difference(engine: Engine, make: Make, row: str) -> None:
    arrives_and_reads_back(engine, make, *FIELDS[row])


@pytest.mark.parametrize("row", NEWER)
def test_a_field_of_newer_engines_arrives_there_and_is_refused_by_older_ones(
    engine: Engine, make: Make, row: str,
) -> None:
    needed, wanted, seen, value = NEWER[row]
    if engine.api >= needed:
        arrives_and_reads_back(engine, make, wanted, seen, value)
    else:
        assert [problem.reason.partition(" needs")[0] for problem in Container(engine).check(wanted)] == [row]


def arrives_and_reads_back(engine: Engine, make: Make, wanted: Values, seen: Seen, value: Any) -> None:
    container = Container(engine)
    inputs = {"name": f"{PREFIX}-{secrets.token_hex(4)}", "image": IMAGE, "command": ["/none"], "start": False,
              "mustRun": False} | wanted
    assert not list(problems(CONTAINER, inputs, "docker"))
    container_id, state = make(container, inputs)
    assert seen(engine.inspect_container(container_id)) == value
    assert container.changes(inputs, state, inputs) == []
    read = container.read(CALL, container_id, state, inputs)
    assert read is not None
    assert read[1] == inputs
    assert container.changes(read[1], read[0], inputs) == []
    container.delete(CALL, container_id, state)
    assert container.read(CALL, container_id, state, inputs) is None
