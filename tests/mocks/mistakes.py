"""Mistakes that a program could make, each with the one rule of the policy pack that refuses it."""

from __future__ import annotations

from typing import Any, NamedTuple

from tests.mocks.recording import IS_SECRET, SIGNATURE

PASSWORD = "correct-horse-battery-staple"
PORT = {"internal": 5000, "external": 5000, "ip": "127.0.0.1", "protocol": "tcp"}
PROD, DEV, BOTH = ("prod",), ("dev",), ("prod", "dev")


def secret(text: str) -> dict[str, str]:
    """A secret text as it is on the wire."""
    return {SIGNATURE: IS_SECRET, "value": text}


class Mistake(NamedTuple):
    """`property` of the resource `kind` `name` is `value` instead (None: it is not set)."""

    rule: str
    stacks: tuple[str, ...]
    kind: str
    name: str
    property: str
    value: Any = None


def container(rule: str, stacks: tuple[str, ...], property: str, value: Any = None, of: str = "ui") -> Mistake:  # noqa: A002
    return Mistake(rule, stacks, "Container", of, property, value)


def job(rule: str, stacks: tuple[str, ...], property: str, value: Any = None) -> Mistake:  # noqa: A002
    return Mistake(rule, stacks, "Job", "images-migrate", property, value)


def mounted(source: str) -> list[dict[str, str]]:
    return [{"hostPath": source, "containerPath": "/srv"}]


# fmt: off
MISTAKES = [
    container("non-root-user", PROD, "user"),
    container("non-root-user", PROD, "user", "0"),
    container("non-root-user", PROD, "user", "root:1000", of="edge"),
    job("non-root-user", PROD, "user", "root"),
    container("read-only-root", PROD, "readOnly"),
    container("read-only-root", PROD, "readOnly", False, of="postgres"),
    container("no-capabilities", PROD, "capabilities"),
    container("no-capabilities", PROD, "capabilities", {"drops": ["CHOWN"]}),
    container("no-capabilities", PROD, "capabilities", {"drops": ["ALL"], "adds": ["NET_BIND_SERVICE"]}, of="edge"),
    container("no-new-privileges", PROD, "securityOpts"),
    container("no-new-privileges", PROD, "securityOpts", ["no-new-privileges:false"]),
    container("no-new-privileges", BOTH, "securityOpts", ["no-new-privileges:true", "seccomp=unconfined"]),
    container("no-privilege", BOTH, "privileged", True),
    container("no-privilege", BOTH, "devices", [{"hostPath": "/dev/kmsg"}]),
    container("no-host-namespace", BOTH, "networkMode", "host"),
    container("no-host-namespace", BOTH, "pidMode", "host"),
    container("no-host-namespace", BOTH, "ipcMode", "host", of="postgres"),
    container("no-host-namespace", BOTH, "usernsMode", "host"),
    container("bounded-memory", BOTH, "memory"),
    container("bounded-memory", BOTH, "memorySwap"),
    container("bounded-memory", BOTH, "memorySwap", 1024),
    job("bounded-memory", BOTH, "memory", 0),
    container("bounded-processor", BOTH, "cpus"),
    container("bounded-log", BOTH, "logOpts", {"max-size": "10m"}),
    container("bounded-log", BOTH, "logOpts"),
    container("bounded-files", PROD, "ulimits", []),
    container("health-check", PROD, "healthcheck"),
    container("health-check", PROD, "healthcheck", of="edge"),
    container("health-check", BOTH, "healthcheck", {"tests": ["NONE"]}),
    job("hardened-job", PROD, "hardened", False),
    container("published-ports", PROD, "ports", [PORT]),
    container("published-ports", PROD, "ports", [PORT], of="postgres"),
    container("published-ports", PROD, "ports", [{**PORT, "ip": ""}], of="edge"),
    container("published-ports", DEV, "ports", [{**PORT, "ip": "0.0.0.0"}]),
    container("published-ports", DEV, "ports", [{**PORT, "ip": None}], of="postgres"),
    container("published-ports", BOTH, "publishAllPorts", True),
    container("own-networks", BOTH, "networksAdvanced", []),
    Mistake("internal-networks", PROD, "Network", "ui", "internal"),
    Mistake("internal-networks", PROD, "Network", "ui-images", "internal", False),
    Mistake("internal-networks", BOTH, "Network", "images-db", "internal", False),
    Mistake("internal-networks", BOTH, "Network", "postgres", "internal", False),
    container("no-engine-socket", DEV, "volumes", mounted("/var/run/docker.sock")),
    container("no-engine-socket", DEV, "mounts", [{"type": "bind", "source": "/", "target": "/host"}]),
    job("no-engine-socket", DEV, "mounts", [{"source": "/run/containerd/containerd.sock", "target": "/x"}]),
    container("no-host-folder", PROD, "volumes", mounted("/srv/site")),
    container("no-host-folder", PROD, "mounts", [{"type": "bind", "source": "/home/ann", "target": "/srv"}]),
    job("no-host-folder", PROD, "mounts", [{"source": "/srv", "target": "/srv"}]),
    container("named-volumes", BOTH, "volumes", [{"containerPath": "/data"}]),
    Mistake("kept-data", BOTH, "Volume", "postgres-data", "name"),
    Mistake("kept-data", BOTH, "Volume", "images-uploads", "name", "uploads"),
    Mistake("kept-data", PROD, "Volume", "images-uploads", "driverOpts", {"type": "none", "device": "/srv"}),
    container("pinned-image", BOTH, "image", "registry.example.org:5000/site/ui"),
    container("pinned-image", BOTH, "image", "redis:latest"),
    job("pinned-image", BOTH, "image", "site"),
    container("hidden-secrets", BOTH, "envs", [secret(f"PASSWORD={PASSWORD}")]),
    container("hidden-secrets", BOTH, "command", ["serve", "--password", secret(PASSWORD)]),
    container("hidden-secrets", BOTH, "labels", [{"label": "login", "value": secret(PASSWORD)}]),
    container("hidden-secrets", BOTH, "hostname", secret(PASSWORD)),
    job("hidden-secrets", BOTH, "env", {"DB_PASSWORD": secret(PASSWORD)}),
    Mistake("hidden-secrets", BOTH, "Image", "ui", "build", {"context": ".", "args": {"TOKEN": secret(PASSWORD)}}),
    Mistake("hidden-secrets", BOTH, "Release", "release", "routes", {"routes.conf": secret("server {}")}),
    container("passwords-in-plain", BOTH, "envs", ["SECRET_KEY=dev"]),
    container("passwords-in-plain", BOTH, "envs", ["DATABASE_URL=postgresql://a:b@db/photos"]),
    job("passwords-in-plain", BOTH, "env", {"DB_PASSWORD": "hunter2"}),
]
# fmt: on
