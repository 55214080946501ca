"""The rows of docker-bench-security 1.6.0, sections 4 and 5, that it scores, judged on what the engine says.

The numbers and titles are the tool's (CIS Docker Benchmark 1.6.0, the ones that it calls "Automated"), so that a report
can be laid beside its own. Each row is a function of one container: it answers with what is wrong, or with nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

HARMLESS = frozenset(
    {"AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "NET_RAW"}
    | {"SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"}
)
"""The capabilities that a container has anyway: naming one adds nothing."""
SENSITIVE = frozenset({"/", "/boot", "/dev", "/etc", "/lib", "/proc", "/sys", "/usr"})
RETRIES = 5


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One container as the engine shows it.

    container, image, info   the answers of `docker inspect`, `docker image inspect` and `docker info`
    processes                the command lines of the processes in it
    execs                    `docker inspect` of each exec that is known
    content_trust            DOCKER_CONTENT_TRUST of whoever starts containers
    """

    container: Mapping[str, Any]
    image: Mapping[str, Any]
    info: Mapping[str, Any]
    processes: Sequence[str] = ()
    execs: Sequence[Mapping[str, Any]] = field(default_factory=tuple)
    content_trust: str = ""

    @property
    def host(self) -> Mapping[str, Any]:
        """HostConfig."""
        found: Mapping[str, Any] = self.container["HostConfig"]
        return found

    @property
    def options(self) -> list[str]:
        return list(self.host.get("SecurityOpt") or ())

    @property
    def mounts(self) -> list[Mapping[str, Any]]:
        return list(self.container.get("Mounts") or ())

    def published(self) -> Iterator[tuple[str, int]]:
        """(address, port) of the host."""
        for bindings in (self.container["NetworkSettings"].get("Ports") or {}).values():
            for binding in bindings or ():
                yield binding["HostIp"], int(binding["HostPort"])


def _user(seen: Seen) -> str:
    user = str(seen.container["Config"].get("User") or "").partition(":")[0]
    return f"runs as {user or 'root'}" if user in {"", "0", "root"} else ""


def _content_trust(seen: Seen) -> str:
    return "" if seen.content_trust == "1" else "DOCKER_CONTENT_TRUST is not 1"


def _image_healthcheck(seen: Seen) -> str:
    return "" if (seen.image.get("Config") or {}).get("Healthcheck") else "the image has no HEALTHCHECK"


def _swarm(seen: Seen) -> str:
    state = (seen.info.get("Swarm") or {}).get("LocalNodeState", "inactive")
    return "" if state == "inactive" else f"swarm mode is {state}"


def _apparmor(seen: Seen) -> str:
    return "no AppArmor profile" if seen.container.get("AppArmorProfile") in {None, "", "unconfined"} else ""


def _security_options(seen: Seen) -> str:
    return "" if seen.options else "no security options"


def _capabilities(seen: Seen) -> str:
    given = {str(each).upper().removeprefix("CAP_") for each in seen.host.get("CapAdd") or ()}
    return f"adds {', '.join(sorted(given - HARMLESS))}" if given - HARMLESS else ""


def _privileged(seen: Seen) -> str:
    return "is privileged" if seen.host.get("Privileged") else ""


def _sensitive_folders(seen: Seen) -> str:
    found = sorted(each["Source"] for each in seen.mounts if each.get("RW") and each.get("Source") in SENSITIVE)
    return f"mounts {', '.join(found)}" if found else ""


def _sshd(seen: Seen) -> str:
    return "runs sshd" if any("sshd" in process for process in seen.processes) else ""


def _privileged_ports(seen: Seen) -> str:
    found = sorted({str(port) for _, port in seen.published() if 0 < port < 1024})
    return f"publishes {', '.join(found)}" if found else ""


def _host_network(seen: Seen) -> str:
    return "is on the host's network" if seen.host.get("NetworkMode") == "host" else ""


def _memory(seen: Seen) -> str:
    return "" if seen.host.get("Memory") else "no limit of memory"


def _cpu(seen: Seen) -> str:
    return "" if seen.host.get("CpuShares") or seen.host.get("NanoCpus") else "no limit of processor time"


def _read_only(seen: Seen) -> str:
    return "" if seen.host.get("ReadonlyRootfs") else "its root can be written to"


def _specific_address(seen: Seen) -> str:
    found = sorted(f"{address or '*'}:{port}" for address, port in seen.published() if address in {"", "0.0.0.0", "::"})  # noqa: S104
    return f"publishes {', '.join(found)}" if found else ""


def _restarts(seen: Seen) -> str:
    count = int((seen.host.get("RestartPolicy") or {}).get("MaximumRetryCount") or 0)
    return f"may be restarted {count} times in a row" if count > RETRIES else ""


def _host_namespace(key: str) -> Callable[[Seen], str]:
    def judge(seen: Seen) -> str:
        return f"{key} is host" if str(seen.host.get(key) or "").lower() == "host" else ""

    return judge


def _propagation(seen: Seen) -> str:
    found = [each["Destination"] for each in seen.mounts if "shared" in str(each.get("Propagation"))]
    return f"shares its mounts: {', '.join(found)}" if found else ""


def _seccomp(seen: Seen) -> str:
    off = {"seccomp=unconfined", "seccomp:unconfined"} & set(seen.options)
    return "seccomp is off" if off else ""


def _privileged_exec(seen: Seen) -> str:
    found = [each for each in seen.execs if (each.get("ProcessConfig") or {}).get("privileged")]
    return f"{len(found)} privileged exec" if found else ""


def _cgroup(seen: Seen) -> str:
    parent = seen.host.get("CgroupParent")
    return f"its control group is below {parent}" if parent else ""


def _no_new_privileges(seen: Seen) -> str:
    on = any(each.startswith("no-new-privileges") and not each.endswith("false") for each in seen.options)
    return "" if on else "may gain privileges"


def _healthcheck(seen: Seen) -> str:
    return "" if (seen.container.get("State") or {}).get("Health") else "its health is not checked"


def _pids(seen: Seen) -> str:
    return "" if int(seen.host.get("PidsLimit") or 0) > 0 else "no limit of processes"


def _engine_socket(seen: Seen) -> str:
    found = [each["Source"] for each in seen.mounts if "docker.sock" in str(each.get("Source"))]
    return f"mounts {', '.join(found)}" if found else ""


@dataclass(frozen=True)
class Row:
    """`judge` answers with what is wrong, "" when nothing is."""

    number: str
    title: str
    judge: Callable[[Seen], str]


ROWS = (
    Row("4.1", "a user for the container has been created", _user),
    Row("4.5", "content trust for Docker is enabled", _content_trust),
    Row("4.6", "HEALTHCHECK instructions have been added to container images", _image_healthcheck),
    Row("5.1", "swarm mode is not enabled, if not needed", _swarm),
    Row("5.2", "if applicable, an AppArmor profile is enabled", _apparmor),
    Row("5.3", "if applicable, SELinux security options are set", _security_options),
    Row("5.4", "Linux kernel capabilities are restricted within containers", _capabilities),
    Row("5.5", "privileged containers are not used", _privileged),
    Row("5.6", "sensitive host system directories are not mounted on containers", _sensitive_folders),
    Row("5.7", "sshd is not run within containers", _sshd),
    Row("5.8", "privileged ports are not mapped within containers", _privileged_ports),
    Row("5.10", "the host's network namespace is not shared", _host_network),
    Row("5.11", "the memory usage for containers is limited", _memory),
    Row("5.12", "CPU priority is set appropriately on containers", _cpu),
    Row("5.13", "the container's root filesystem is mounted as read only", _read_only),
    Row("5.14", "incoming container traffic is bound to a specific host interface", _specific_address),
    Row("5.15", "the 'on-failure' container restart policy is set to '5'", _restarts),
    Row("5.16", "the host's process namespace is not shared", _host_namespace("PidMode")),
    Row("5.17", "the host's IPC namespace is not shared", _host_namespace("IpcMode")),
    Row("5.20", "mount propagation mode is not set to shared", _propagation),
    Row("5.21", "the host's UTS namespace is not shared", _host_namespace("UTSMode")),
    Row("5.22", "the default seccomp profile is not disabled", _seccomp),
    Row("5.23", "docker exec commands are not used with the privileged option", _privileged_exec),
    Row("5.25", "cgroup usage is confirmed", _cgroup),
    Row("5.26", "the container is restricted from acquiring additional privileges", _no_new_privileges),
    Row("5.27", "container health is checked at runtime", _healthcheck),
    Row("5.29", "the PIDs cgroup limit is used", _pids),
    Row("5.31", "the host's user namespaces are not shared", _host_namespace("UsernsMode")),
    Row("5.32", "the Docker socket is not mounted inside any containers", _engine_socket),
)


def expected(row: Row, seen: Seen, *, edge: bool) -> str:
    """Why this row may fail for this container, "" where it may not."""
    if row.number == "4.5":
        return "images are built here and named by their ids; nothing is pulled by a tag"
    if row.number == "5.2" and not any("apparmor" in str(each) for each in seen.info.get("SecurityOptions") or ()):
        return "the host's kernel has no AppArmor"
    if row.number in {"5.8", "5.14"} and edge:
        return "the edge is there to be reached, where `edge.address` and `edge.port` say"
    return ""
