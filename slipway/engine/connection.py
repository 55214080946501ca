"""The one Docker engine of a run: its address, resolved once, and what the program must know of it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Any
from urllib.parse import urlsplit

import docker
from docker.errors import DockerException, ImageNotFound, NotFound
from docker.utils import kwargs_from_env, version_lt
from urllib3 import Retry

from slipway.core.naming import HELPER_LABEL, PROJECT_LABEL, SERVICE_LABEL, STACK_LABEL, prefix
from slipway.core.pools import DEFAULTS, Pool, Room
from slipway.engine import link

DEFAULT = "unix:///var/run/docker.sock"
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
LOOPBACK = {"localhost", "127.0.0.1", "::1"}
MIB = 2**20
CONTAINERD_STORE, MENDED = "io.containerd.snapshotter.v1", 28
ISOLATES = 28
"""The first engine with the gateway mode `isolated` (moby#49262)."""
NEWEST_API = "1.51"
"""The newest version of the engine's API that is spoken, Docker 28's; Docker 29 takes 1.44 and later. docker-py speaks
whatever the engine reports, and later ones have other answers: events without `id` from 1.52 on, disk usage without
`BuildCache` from 1.53 on (moby's api/docs/CHANGELOG.md)."""
AGAIN = 6
"""How often, with pauses of 25 s in all: a connection over SSH is made again within a second or two."""
REQUEST_TIMEOUT = 120
"""Seconds for one request to the engine; a busy disk makes creating and removing slow."""


class EngineError(Exception):
    """No engine answers, or it cannot be used; the message says where it was looked for and what to do."""


@dataclass(frozen=True, kw_only=True)
class DockerEngine:
    """`address` as DOCKER_HOST has it, `platform` such as linux/amd64, `memory` of the whole host in MiB; `isolates`:
    a network without a way out can do without an address of the host."""

    address: str
    platform: str
    memory: int
    isolates: bool = False

    @property
    def host(self) -> str:
        """What the docker plugin is given: for a server over SSH the socket that the command has brought here, which is
        the same wherever it is typed."""
        return link.local(self.address)

    @property
    def elsewhere(self) -> bool:
        """Whether it is on another machine, which has none of this one's folders to mount."""
        place = urlsplit(self.address)
        return place.scheme == "ssh" or (place.scheme == "tcp" and place.hostname not in LOOPBACK)

    def has_image(self, image: str) -> bool:
        """Whether the engine has the image of this id."""
        with closing(client(self.address)) as asked:
            return has_image(asked, image)

    def volume_labels(self, name: str) -> dict[str, str]:
        """The labels of the volume; empty where the engine has no such volume, or one without any."""
        with closing(client(self.address)) as asked:
            try:
                return dict(asked.volumes.get(name).attrs["Labels"] or {})
            except NotFound:
                return {}

    def strangers(self, project: str, stack: str) -> dict[str, tuple[str, str]]:
        """{full name of a service of another stack: that project and stack}"""
        with closing(client(self.address)) as asked:
            return strangers(asked, project, stack)

    def writers(self, volume: str) -> dict[str, str]:
        """{container that runs and may write to the volume: the user it runs as}"""
        with closing(client(self.address)) as asked:
            running = asked.containers.list(filters={"volume": volume}, ignore_removed=True)
            return {
                str(each.name): str(each.attrs["Config"].get("User") or "0")
                for each in running
                if HELPER_LABEL not in each.labels
                and any(mount.get("Name") == volume and mount.get("RW") for mount in each.attrs["Mounts"])
            }

    def room(self) -> Room:
        """Where it takes the addresses of new networks from."""
        with closing(client(self.address)) as asked:
            declared = asked.info().get("DefaultAddressPools") or ()
            networks = asked.networks.list()
        pools = [Pool.of(each["Base"], int(each["Size"])) for each in declared]
        configured = [part for each in networks for part in (each.attrs.get("IPAM") or {}).get("Config") or ()]
        ranges = [str(each["Subnet"]) for each in configured if each.get("Subnet")]
        return Room(
            tuple(pool for pool in pools if pool) if pools else DEFAULTS,
            frozenset(str(each.name) for each in networks),
            tuple(IPv4Network(each, strict=False) for each in ranges if ":" not in each),
        )


def strangers(asked: docker.DockerClient, project: str, stack: str) -> dict[str, tuple[str, str]]:
    """{full name of a service of another stack: that project and stack}, by the labels of containers and volumes."""
    labelled: Any = {"label": [PROJECT_LABEL, STACK_LABEL, SERVICE_LABEL]}
    containers = [each.labels for each in asked.containers.list(all=True, filters=labelled, ignore_removed=True)]
    volumes = [each.attrs.get("Labels") or {} for each in asked.volumes.list(filters=labelled)]
    found = {}
    for labels in (*containers, *volumes):
        other, service = (labels.get(PROJECT_LABEL, ""), labels.get(STACK_LABEL, "")), labels.get(SERVICE_LABEL)
        if all(other) and service and other != (project, stack):
            found[prefix(*other) + service] = other
    return found


def address(setting: str | None, environment: Mapping[str, str] = os.environ) -> str:
    """The setting, else DOCKER_HOST, else the current Docker context, which docker-py by itself does not look at."""
    if chosen := setting or environment.get("DOCKER_HOST"):
        return chosen
    context = docker.ContextAPI.get_context(environment.get("DOCKER_CONTEXT"))
    return str(context.Host) if context and context.Host else DEFAULT


def client(where: str, *, timeout: int = REQUEST_TIMEOUT) -> docker.DockerClient:
    """A client of the engine at `where`: unix://, ssh:// by the connection that a command has made
    (slipway.engine.link), or tcp:// with DOCKER_TLS_VERIFY and DOCKER_CERT_PATH of the environment, as the docker
    command has them. Raises DockerException when none answers there."""
    settings: dict[str, Any] = {**kwargs_from_env(environment={**os.environ, "DOCKER_HOST": link.local(where)})}
    settings["timeout"] = timeout
    found = docker.DockerClient(version="auto", **settings)
    if version_lt(NEWEST_API, found.api.api_version):
        found.close()
        found = docker.DockerClient(version=NEWEST_API, **settings)
    if link.by_ssh(where):
        # While a connection that broke is made again, what changes nothing is asked once more.
        adapter: Any = found.api.get_adapter(f"{found.api.base_url}/")
        adapter.max_retries = Retry(total=AGAIN, status=0, backoff_factor=0.4)
    return found


def has_image(asked: docker.DockerClient, image: str) -> bool:
    """Whether the engine has an image of this name or id."""
    try:
        asked.images.get(image)
    except ImageNotFound:
        return False
    return True


def entrypoint(where: str, image: str, *, pull: bool = False) -> tuple[str, ...]:
    """The ENTRYPOINT of an image; empty where it has none, and where the engine at `where` has no such image."""
    with closing(client(where)) as asked:
        if pull and not has_image(asked, image):
            asked.images.pull(image)
        try:
            return tuple(asked.images.get(image).attrs["Config"].get("Entrypoint") or ())
        except ImageNotFound:
            return ()


def resolve(setting: str | None = None) -> DockerEngine:
    """Asks the engine what it is. Raises EngineError when none answers, and for one that cannot build images."""
    where = address(setting)
    try:
        asked = client(where, timeout=20)
        info = asked.info()
        asked.close()
    except DockerException as error:
        steps = "slipway up, which connects to it" if link.by_ssh(where) else "make setup\n  docker context ls"
        raise EngineError(f"no Docker engine answers at {where}: {error}\n  {steps}") from error
    if broken := cannot_build(info):
        raise EngineError(broken)
    architecture = ARCHITECTURES.get(info["Architecture"], info["Architecture"])
    major = str(info.get("ServerVersion", "")).partition(".")[0]
    return DockerEngine(
        address=where,
        platform=f"linux/{architecture}",
        memory=info["MemTotal"] // MIB,
        isolates=major.isdecimal() and int(major) >= ISOLATES,
    )


def cannot_build(info: Mapping[str, Any]) -> str:
    """What is wrong with an engine whose containerd image store refuses the build context that the docker plugin sends
    (pulumi-docker#967, mended by moby#49178 in Docker 28), and what to do; "" for any other."""
    version = str(info.get("ServerVersion", ""))
    major = version.partition(".")[0]
    if CONTAINERD_STORE not in str(info.get("DriverStatus")) or not major.isdecimal() or int(major) >= MENDED:
        return ""
    return (
        f"Docker {version} cannot build images with the containerd image store: update Docker to {MENDED} or later, or "
        "turn the store off (Docker Desktop: Settings, General; else `containerd-snapshotter` in daemon.json)"
    )
