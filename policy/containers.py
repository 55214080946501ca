"""Rules on what a container may do and how much it may take."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policy.rule import Resource
from slipway.core.resource_types import JOB
from slipway.site.profile import Profile

ROOT = {"", "0", "root"}
UNCONFINED = re.compile(r"(seccomp|apparmor|systempaths)[=:]unconfined|label[=:]disable")
BOUNDED_BY_ITSELF = {"local", "none", "journald", "syslog", "fluentd", "gelf", "awslogs", "gcplogs", "splunk"}
"""Log drivers that keep no file of unlimited size on the host."""


def non_root_user(each: Resource, profile: Profile) -> Iterator[str]:
    """Processes run as a user of their own, never as root."""
    user = str(each.inputs.get("user") or "").partition(":")[0]
    if profile.hardened and user in ROOT:
        yield f'user is "{user}": give the number of a user that is not root'


def read_only_root(each: Resource, profile: Profile) -> Iterator[str]:
    """A container cannot write to its own root; what it must write goes to a tmpfs or a volume."""
    if profile.hardened and each.inputs.get("readOnly") is not True:
        yield "read_only is not True: set it, and name the folders that are written to in tmpfs"


def no_capabilities(each: Resource, profile: Profile) -> Iterator[str]:
    """Every capability of the kernel is dropped and none is added."""
    if not profile.hardened:
        return
    given = each.inputs.get("capabilities") or {}
    if "ALL" not in (given.get("drops") or ()):
        yield 'capabilities.drops does not hold "ALL": drop all'
    if added := list(given.get("adds") or ()):
        yield f"capabilities.adds is {added}: remove it (a low port needs none since Docker 20.10)"


def no_new_privileges(each: Resource, profile: Profile) -> Iterator[str]:
    """No program gains privileges by being started, and the engine's own confinement stays on."""
    options = each.texts("securityOpts")
    if profile.hardened and not {"no-new-privileges", "no-new-privileges:true"} & set(options):
        yield 'security_opts does not hold "no-new-privileges:true": add it'
    for option in options:
        if UNCONFINED.search(option):
            yield f"security_opts holds {option}: remove it"


def no_privilege(each: Resource, profile: Profile) -> Iterator[str]:
    """No container is privileged or is given a device of the host."""
    del profile
    if each.inputs.get("privileged"):
        yield "privileged is set: remove it"
    for given in ("devices", "deviceRequests", "deviceCgroupRules"):
        if each.inputs.get(given):
            yield f"{given} names devices of the host: remove it"


def no_host_namespace(each: Resource, profile: Profile) -> Iterator[str]:
    """A container has its own network, processes, memory segments, users and control groups, not the host's."""
    del profile
    modes = {
        "networkMode": "network_mode",
        "pidMode": "pid_mode",
        "ipcMode": "ipc_mode",
        "usernsMode": "userns_mode",
        "cgroupnsMode": "cgroupns_mode",
    }
    for given, written in modes.items():
        if each.inputs.get(given) == "host":
            yield f'{written} is "host": remove it'


def bounded_memory(each: Resource, profile: Profile) -> Iterator[str]:
    """A container has a limit of memory, and no swap beyond it."""
    del profile
    memory, swap = each.inputs.get("memory") or 0, each.inputs.get("memorySwap") or 0
    if memory <= 0:
        yield "memory is not set: give a limit in MiB"
    elif each.type != JOB and swap != memory:
        yield f"memory_swap is {swap:g}, memory is {memory:g}: set both to the same"


def bounded_processor(each: Resource, profile: Profile) -> Iterator[str]:
    """A container has a limit of processor time."""
    del profile
    try:
        cpus = float(each.inputs.get("cpus") or 0)
    except ValueError:
        cpus = 0
    if cpus <= 0:
        yield 'cpus is not set: give a number of cores, such as "0.5" or "1.0"'


def bounded_log(each: Resource, profile: Profile) -> Iterator[str]:
    """A container's log is rotated before it fills the disk."""
    del profile
    driver, options = each.inputs.get("logDriver") or "json-file", each.inputs.get("logOpts") or {}
    if driver not in BOUNDED_BY_ITSELF and not {"max-size", "max-file"} <= set(options):
        yield f"log_opts of {driver} has no max-size and max-file: set both"


def bounded_files(each: Resource, profile: Profile) -> Iterator[str]:
    """A container has a limit of open files."""
    if profile.hardened and "nofile" not in {limit.get("name") for limit in each.inputs.get("ulimits") or ()}:
        yield "ulimits has no nofile: add it"


def health_check(each: Resource, profile: Profile) -> Iterator[str]:
    """A container says whether it is well. Only a service with a command of its own may have nothing to ask: a worker
    answers no request."""
    tests = list((each.inputs.get("healthcheck") or {}).get("tests") or ())
    program, *arguments = each.texts("command") or [""]
    serves = program == "gunicorn" or (program == "flask" and "run" in arguments)  # `flask work` may be a worker
    if each.belongs_to("FlaskService") and not serves:
        return
    if tests[:1] == ["NONE"]:
        yield "healthcheck is switched off: remove the NONE"
    elif profile.hardened and not tests:
        yield "healthcheck is not set: give the command that asks the process whether it is well"


def hardened_job(each: Resource, profile: Profile) -> Iterator[str]:
    """A one-shot container is as closed as those that stay."""
    if profile.hardened and each.inputs.get("hardened") is not True:
        yield "hardened is not True: set it"


def limited_processes(stack: list[Resource], profile: Profile) -> Iterator[tuple[str, Resource]]:
    """Every container has a limit of processes, so that a fork bomb stays inside (PidsLimit: the docker plugin has no
    field for it)."""
    del profile
    limited = {urn for each in stack if each.kind == "PidsLimit" for urn in each.built_from}
    for each in stack:
        if each.kind == "Container" and each.urn not in limited:
            yield "no PidsLimit takes its id: declare one (components.workload)", each
