"""From what the engine says about a container back to outputs, and to the inputs from which it has drifted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from slipway_offline.properties import completed
from slipway_offline.resource import Values

from .container_properties import CONTAINER
from .container_spec import healthcheck
from .units import as_read, go_duration, nano_cpus, to_mebibytes

# What `docker update` and `docker rename` change behind our back: how each reads, and what absence in the inputs means.
LIVE: dict[str, tuple[Callable[[Values], Any], Any]] = {
    "name": (lambda found: found["Name"].lstrip("/"), None),
    "restart": (lambda found: found["HostConfig"]["RestartPolicy"]["Name"] or "no", "no"),
    "maxRetryCount": (lambda found: found["HostConfig"]["RestartPolicy"]["MaximumRetryCount"], 0),
    "memory": (lambda found: to_mebibytes(found["HostConfig"]["Memory"]), 0),
    "memorySwap": (lambda found: to_mebibytes(found["HostConfig"]["MemorySwap"]), 0),
    "memoryReservation": (lambda found: to_mebibytes(found["HostConfig"]["MemoryReservation"]), 0),
    "cpuShares": (lambda found: found["HostConfig"]["CpuShares"], 0),
    "cpuSet": (lambda found: found["HostConfig"]["CpusetCpus"], ""),
}
# What the engine chooses when the program does not.
CHOSEN: dict[str, Callable[[Values], Any]] = {
    "command": lambda found: found["Config"]["Cmd"],
    "entrypoints": lambda found: found["Config"]["Entrypoint"],
    "hostname": lambda found: found["Config"]["Hostname"],
    "stopSignal": lambda found: found["Config"].get("StopSignal"),
    "stopTimeout": lambda found: found["Config"].get("StopTimeout"),
    "init": lambda found: bool(found["HostConfig"].get("Init")),
    "ipcMode": lambda found: found["HostConfig"]["IpcMode"],
    "logDriver": lambda found: found["HostConfig"]["LogConfig"]["Type"],
    "runtime": lambda found: found["HostConfig"]["Runtime"],
    "securityOpts": lambda found: found["HostConfig"]["SecurityOpt"],
    "shmSize": lambda found: to_mebibytes(found["HostConfig"]["ShmSize"]),
    "healthcheck": lambda found: read_healthcheck(found["Config"].get("Healthcheck")),
}


def outputs_of(found: Values, inputs: Values) -> Values:
    """The outputs of a container that `docker inspect` describes as `found`."""
    settings = found["NetworkSettings"]
    outputs = {key: read(found) for key, read in CHOSEN.items()} | completed(CONTAINER, inputs) | {
        "name": found["Name"].lstrip("/"),
        "hostname": found["Config"]["Hostname"],
        "bridge": settings.get("Bridge") or "",
        "networkDatas": [network_data(name, network) for name, network in sorted((settings["Networks"] or {}).items())],
    }
    if inputs.get("ports"):
        outputs["ports"] = [published(port, settings.get("Ports") or {}) for port in inputs["ports"]]
    if not found["State"]["Running"]:
        outputs["exitCode"] = found["State"]["ExitCode"]
    return outputs


def network_data(name: str, network: Values) -> Values:
    return {
        "networkName": name, "ipAddress": network["IPAddress"], "ipPrefixLength": network["IPPrefixLen"],
        "gateway": network["Gateway"], "globalIpv6Address": network["GlobalIPv6Address"],
        "globalIpv6PrefixLength": network["GlobalIPv6PrefixLen"], "ipv6Gateway": network["IPv6Gateway"],
        "macAddress": network["MacAddress"],
    }


def published(port: Values, bindings: Values) -> Values:
    """A port as the program wrote it, with the host's port where the engine chose it."""
    port = {"ip": "0.0.0.0", "protocol": "tcp"} | port  # noqa: S104
    chosen = next((binding for binding in bindings.get(f"{port['internal']}/{port['protocol']}") or ()
                   if binding["HostIp"] == port["ip"]), None)
    return port | ({"external": int(chosen["HostPort"])} if chosen and not port.get("external") else {})


def drift(found: Values, inputs: Values) -> Values:
    """The inputs as they really are, where that is not what they say.

    Volumes, networks and files are not looked at, nor is health: the genuine plugin does not see them either.
    """
    seen = {key: read(found) for key, (read, absent) in LIVE.items() if read(found) != inputs.get(key, absent)}
    if inputs.get("cpus") and (cpus := found["HostConfig"]["NanoCpus"]) != nano_cpus(inputs["cpus"]):
        seen["cpus"] = as_read(str(cpus / 10**9))
    if "healthcheck" in inputs and not same_healthcheck(inputs["healthcheck"], found["Config"].get("Healthcheck")):
        seen["healthcheck"] = read_healthcheck(found["Config"].get("Healthcheck"))
    if (inputs.get("tmpfs") or {}) != (found["HostConfig"].get("Tmpfs") or {}):
        seen["tmpfs"] = found["HostConfig"].get("Tmpfs") or {}
    if "init" in inputs and inputs["init"] != bool(found["HostConfig"].get("Init")):
        seen["init"] = not inputs["init"]
    if inputs.get("mustRun", True) and not found["State"]["Running"]:
        seen["mustRun"] = False
    return seen


def read_healthcheck(check: Values | None) -> Values | None:
    return check and {
        "tests": check.get("Test"), "interval": go_duration(check.get("Interval", 0)),
        "timeout": go_duration(check.get("Timeout", 0)), "startPeriod": go_duration(check.get("StartPeriod", 0)),
        "retries": check.get("Retries", 0),
    }


def same_healthcheck(wanted: Values, found: Values | None) -> bool:
    """Whether everything that the program says holds; the rest may come from the image."""
    asked = healthcheck(wanted) or {}
    return {key: (found or {}).get(key) for key in asked} == asked


