"""The inputs of docker.Container that this plugin supports.

Which of them an update changes in place, which are chosen by the engine when absent, and what an absent one means are
the genuine plugin's answers (its schema of August 2026), not what the engine could do.
"""

from __future__ import annotations

import base64
import binascii
import re
from decimal import Decimal, InvalidOperation
from typing import Any

from slipway_offline.properties import Property, boolean, integer, list_of, map_of, record, set_of, text

from .units import duration

RESTART_POLICIES = ("no", "on-failure", "always", "unless-stopped")
MOUNT_TYPES = ("bind", "volume", "tmpfs")
PROPAGATIONS = ("private", "rprivate", "shared", "rshared", "slave", "rslave")
# Inputs that only newer engines know, with the API version that brought them. The genuine plugin refuses any
# volumeOptions below 1.45, too.
NEEDS_API = {
    "healthcheck.startInterval": (1, 44),
    "networksAdvanced.macAddress": (1, 44),
    "networksAdvanced.gwPriority": (1, 48),
    "mounts.volumeOptions": (1, 45),
}


def one_of(*choices: str) -> Any:
    return lambda value: None if value in choices else f'is "{value}"; it must be one of {", ".join(choices)}'


def at_least(least: int) -> Any:
    return lambda value: None if value >= least else f"is {value}; it must be at least {least}"


def a_duration(value: str) -> str | None:
    try:
        duration(value)
    except ValueError as error:
        return f"is malformed: {error}"
    return None


def a_processor_count(value: str) -> str | None:
    try:
        fine = Decimal(value) > 0
    except InvalidOperation:
        fine = False
    return None if fine else f'is "{value}"; it must be a number of processors such as "0.5" or "1.0"'


def a_mode(value: str) -> str | None:
    return None if re.fullmatch("0[0-7]{3}", value) else f'is "{value}"; it must be an octal mode such as "0644"'


def a_path(value: str) -> str | None:
    return None if value.startswith("/") else f'is "{value}"; it must be an absolute path'


def a_name(value: str) -> str | None:
    fine = re.fullmatch(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+", value)
    return None if fine else f'is "{value}"; a container name is made of letters, digits, "_", "." and "-"'


def encoded(value: str) -> str | None:
    try:
        base64.b64decode(value, validate=True)
    except binascii.Error:
        return "is not base64"
    return None


def not_empty(value: list[Any]) -> str | None:
    return "must not hold an empty string" if "" in value else None


def a_port(value: int) -> str | None:
    return None if 0 <= value <= 65535 else f"is {value}; a port is a number up to 65535"


LABELS = set_of(record({"label": text(required=True), "value": text(required=True)}), computed=True)
HEALTHCHECK = record({
    "tests": list_of(text()),
    "interval": text(default="0s", valid=a_duration),
    "timeout": text(default="0s", valid=a_duration),
    "startPeriod": text(default="0s", valid=a_duration),
    "startInterval": text(default="0s", valid=a_duration),
    "retries": integer(default=0, valid=at_least(0)),
}, in_place=True, computed=True)
MOUNT = record({
    "type": text(required=True, valid=one_of(*MOUNT_TYPES)),
    "target": text(required=True, valid=a_path),
    "source": text(),
    "readOnly": boolean(default=False),
    "bindOptions": record({"propagation": text(valid=one_of(*PROPAGATIONS))}),
    "tmpfsOptions": record({"mode": integer(), "sizeBytes": integer()}),
    "volumeOptions": record({"noCopy": boolean(), "subpath": text(), "driverName": text(),
                             "driverOptions": map_of(text())}),
})
VOLUME = record({
    "containerPath": text(valid=a_path), "hostPath": text(valid=a_path), "volumeName": text(), "fromContainer": text(),
    "readOnly": boolean(default=False), "selinuxRelabel": text(valid=one_of("z", "Z")),
})
NETWORK = record({
    "name": text(required=True), "aliases": set_of(text()), "driverOpts": set_of(text()), "gwPriority": integer(),
    "ipv4Address": text(), "ipv6Address": text(), "macAddress": text(),
})
PORT = record({
    "internal": integer(required=True, valid=a_port), "external": integer(valid=a_port),
    "ip": text(default="0.0.0.0"), "protocol": text(default="tcp", valid=one_of("tcp", "udp", "sctp")),  # noqa: S104
})
UPLOAD = record({
    "file": text(required=True, valid=a_path), "content": text(), "contentBase64": text(valid=encoded),
    "source": text(), "sourceHash": text(), "executable": boolean(default=False), "permissions": text(valid=a_mode),
    "owner": text(), "group": text(),
})

CONTAINER: dict[str, Property] = {
    "image": text(required=True),
    "name": text(valid=a_name),
    # what runs
    "command": list_of(text(), computed=True, valid=not_empty),
    "entrypoints": list_of(text(), computed=True),
    "envs": set_of(text(), computed=True),
    "workingDir": text(),
    "user": text(),
    "groupAdds": set_of(text()),
    "hostname": text(computed=True),
    "domainname": text(),
    "labels": LABELS,
    "tty": boolean(default=False),
    "stdinOpen": boolean(default=False),
    "init": boolean(in_place=True, computed=True),
    "stopSignal": text(computed=True),
    "stopTimeout": integer(computed=True, valid=at_least(0)),
    "healthcheck": HEALTHCHECK,
    # files
    "mounts": set_of(MOUNT),
    "volumes": set_of(VOLUME),
    "tmpfs": map_of(text(), in_place=True),
    "uploads": set_of(UPLOAD),
    "readOnly": boolean(default=False),
    "shmSize": integer(computed=True, valid=at_least(0)),
    "devices": set_of(record({"hostPath": text(required=True), "containerPath": text(), "permissions": text()})),
    # network
    "networkMode": text(default="bridge"),
    "networksAdvanced": set_of(NETWORK),
    "ports": list_of(PORT),
    "publishAllPorts": boolean(default=False),
    "hosts": set_of(record({"host": text(required=True), "ip": text(required=True)})),
    "dns": set_of(text()),
    "dnsOpts": set_of(text()),
    "dnsSearches": set_of(text()),
    "sysctls": map_of(text()),
    # rights
    "capabilities": record({"adds": set_of(text()), "drops": set_of(text())}),
    "privileged": boolean(default=False),
    "securityOpts": set_of(text(), computed=True),
    "usernsMode": text(),
    "pidMode": text(),
    "ipcMode": text(computed=True),
    "cgroupnsMode": text(valid=one_of("private", "host")),
    "runtime": text(computed=True),
    # limits
    "memory": integer(in_place=True, valid=at_least(0)),
    "memorySwap": integer(in_place=True, valid=at_least(-1)),
    "memoryReservation": integer(in_place=True, valid=at_least(0)),
    "cpus": text(valid=a_processor_count),
    "cpuShares": integer(in_place=True, valid=at_least(0)),
    "cpuSet": text(in_place=True),
    "cpuPeriod": integer(in_place=True, valid=at_least(0)),
    "cpuQuota": integer(in_place=True, valid=at_least(0)),
    "ulimits": set_of(record({
        "name": text(required=True), "soft": integer(required=True), "hard": integer(required=True)})),
    # logs
    "logDriver": text(computed=True),
    "logOpts": map_of(text()),
    # life: what this plugin does rather than the engine
    "restart": text(default="no", in_place=True, valid=one_of(*RESTART_POLICIES)),
    "maxRetryCount": integer(in_place=True, valid=at_least(0)),
    "start": boolean(default=True, in_place=True),
    "mustRun": boolean(default=True, in_place=True),
    "wait": boolean(default=False, in_place=True),
    "waitTimeout": integer(default=60, in_place=True, valid=at_least(0)),
    "attach": boolean(default=False, in_place=True),
    "logs": boolean(default=False, in_place=True),
    "rm": boolean(default=False, in_place=True),
    "removeVolumes": boolean(default=True, in_place=True),
    "destroyGraceSeconds": integer(in_place=True, valid=at_least(0)),
    "containerReadRefreshTimeoutMilliseconds": integer(default=15000, in_place=True),
}
