"""From the inputs of docker.Container to what the engine is asked for: pure functions, in the engine's own JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slipway_offline.resource import Values, given

from .units import duration, labels, mebibytes, nano_cpus


def container_config(inputs: Values) -> Values:
    """The body of POST /containers/create. Networks are connected afterwards, as older engines take only one here."""
    host = host_config(inputs)
    return given({
        "Image": inputs["image"],
        "Cmd": inputs.get("command"),
        "Entrypoint": inputs.get("entrypoints"),
        "Env": inputs.get("envs"),
        "Labels": labels(inputs.get("labels")),
        "User": inputs.get("user"),
        "WorkingDir": inputs.get("workingDir"),
        "Hostname": inputs.get("hostname"),
        "Domainname": inputs.get("domainname"),
        "Tty": inputs.get("tty"),
        "OpenStdin": inputs.get("stdinOpen"),
        "StopSignal": inputs.get("stopSignal"),
        "StopTimeout": inputs.get("stopTimeout"),
        "ExposedPorts": {port: {} for port in host.get("PortBindings", ())},
        "Volumes": {volume["containerPath"]: {} for volume in inputs.get("volumes") or () if anonymous(volume)},
        "Healthcheck": healthcheck(inputs.get("healthcheck")),
        "HostConfig": host,
    })


def host_config(inputs: Values) -> Values:
    capabilities, volumes = inputs.get("capabilities") or {}, inputs.get("volumes") or ()
    driver, options = inputs.get("logDriver"), inputs.get("logOpts")
    return limits(inputs) | given({
        "NetworkMode": inputs.get("networkMode"),
        "PortBindings": port_bindings(inputs.get("ports") or ()),
        "PublishAllPorts": inputs.get("publishAllPorts"),
        "Privileged": inputs.get("privileged"),
        "AutoRemove": inputs.get("rm"),
        "Binds": [bind(volume) for volume in volumes if source(volume)],
        "VolumesFrom": [volume["fromContainer"] for volume in volumes if volume.get("fromContainer")],
        "Mounts": [mount(item) for item in inputs.get("mounts") or ()],
        "Tmpfs": inputs.get("tmpfs"),
        "ReadonlyRootfs": inputs.get("readOnly"),
        "CapAdd": capabilities.get("adds"),
        "CapDrop": capabilities.get("drops"),
        "SecurityOpt": inputs.get("securityOpts"),
        "Init": inputs.get("init"),
        "ShmSize": mebibytes(inputs.get("shmSize")),
        "NanoCpus": nano_cpus(inputs["cpus"]) if inputs.get("cpus") else None,
        "CpuPeriod": inputs.get("cpuPeriod"),
        "CpuQuota": inputs.get("cpuQuota"),
        "Ulimits": [{"Name": limit["name"], "Soft": limit["soft"], "Hard": limit["hard"]}
                    for limit in inputs.get("ulimits") or ()],
        "LogConfig": {"Type": driver or "", "Config": options or {}} if driver or options else None,
        "ExtraHosts": [f"{host['host']}:{host['ip']}" for host in inputs.get("hosts") or ()],
        "Dns": inputs.get("dns"),
        "DnsOptions": inputs.get("dnsOpts"),
        "DnsSearch": inputs.get("dnsSearches"),
        "GroupAdd": inputs.get("groupAdds"),
        "IpcMode": inputs.get("ipcMode"),
        "PidMode": inputs.get("pidMode"),
        "UsernsMode": inputs.get("usernsMode"),
        "CgroupnsMode": inputs.get("cgroupnsMode"),
        "Runtime": inputs.get("runtime"),
        "Sysctls": inputs.get("sysctls"),
        "Devices": [{"PathOnHost": device["hostPath"],
                     "PathInContainer": device.get("containerPath") or device["hostPath"],
                     "CgroupPermissions": device.get("permissions") or "rwm"}
                    for device in inputs.get("devices") or ()],
    })


def limits(inputs: Values) -> Values:
    """What an update can change: the body of POST /containers/{id}/update."""
    return given({
        "Memory": mebibytes(inputs.get("memory")),
        "MemorySwap": mebibytes(inputs.get("memorySwap")),
        "MemoryReservation": mebibytes(inputs.get("memoryReservation")),
        "CpuShares": inputs.get("cpuShares"),
        "CpusetCpus": inputs.get("cpuSet"),
        "RestartPolicy": {"Name": inputs.get("restart") or "no", "MaximumRetryCount": inputs.get("maxRetryCount") or 0},
    })


def healthcheck(check: Mapping[str, Any] | None) -> Values | None:
    """Zero, which a program writes for "as in the image", is left out."""
    if not check:
        return None
    return given({
        "Test": check.get("tests"),
        "Interval": duration(check.get("interval") or "0s") or None,
        "Timeout": duration(check.get("timeout") or "0s") or None,
        "StartPeriod": duration(check.get("startPeriod") or "0s") or None,
        "StartInterval": duration(check.get("startInterval") or "0s") or None,
        "Retries": check.get("retries") or None,
    })


def port_bindings(ports: list[Values] | tuple[()]) -> Values:
    bindings: Values = {}
    for port in ports:
        bindings.setdefault(f"{port['internal']}/{port.get('protocol') or 'tcp'}", []).append(
            {"HostIp": port.get("ip") or "0.0.0.0", "HostPort": str(port.get("external") or "")})  # noqa: S104
    return bindings


def source(volume: Values) -> str | None:
    return volume.get("volumeName") or volume.get("hostPath")


def anonymous(volume: Values) -> bool:
    return not source(volume) and not volume.get("fromContainer")


def bind(volume: Values) -> str:
    flags = ["ro" if volume.get("readOnly") else "rw", volume.get("selinuxRelabel")]
    return f"{source(volume)}:{volume['containerPath']}:{','.join(flag for flag in flags if flag)}"


def mount(item: Values) -> Values:
    volume, tmpfs = item.get("volumeOptions") or {}, item.get("tmpfsOptions") or {}
    return given({
        "Type": item["type"], "Target": item["target"], "Source": item.get("source"), "ReadOnly": item.get("readOnly"),
        "BindOptions": given({"Propagation": (item.get("bindOptions") or {}).get("propagation")}),
        "VolumeOptions": given({
            "NoCopy": volume.get("noCopy"), "Subpath": volume.get("subpath"),
            "DriverConfig": given({"Name": volume.get("driverName"), "Options": volume.get("driverOptions")})}),
        "TmpfsOptions": given({"SizeBytes": tmpfs.get("sizeBytes"), "Mode": tmpfs.get("mode")}),
    })


def endpoint(network: Values) -> Values:
    """The settings with which the container joins one of its networks."""
    return given({
        "Aliases": network.get("aliases"),
        "IPAMConfig": given({"IPv4Address": network.get("ipv4Address"), "IPv6Address": network.get("ipv6Address")}),
        "DriverOpts": dict(option.split("=", 1) for option in network.get("driverOpts") or ()),
        "MacAddress": network.get("macAddress"),
        "GwPriority": network.get("gwPriority"),
    })
