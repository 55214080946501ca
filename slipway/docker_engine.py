"""The one Docker engine of a run: its address, resolved once, and what the program must know of it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

import docker
from docker.errors import DockerException, ImageNotFound

DEFAULT = "unix:///var/run/docker.sock"
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
MIB = 2**20


class EngineError(Exception):
    """No engine answers; the message says where it was looked for and what to type."""


@dataclass(frozen=True, kw_only=True)
class DockerEngine:
    """`address` as DOCKER_HOST has it, `platform` such as linux/amd64, `memory` of the whole host in MiB."""

    address: str
    platform: str
    memory: int

    def has_image(self, image: str) -> bool:
        """Whether the engine has the image of this id."""
        client = docker.DockerClient(base_url=self.address, use_ssh_client=self.address.startswith("ssh://"))
        try:
            client.images.get(image)
        except ImageNotFound:
            return False
        finally:
            client.close()
        return True


def address(setting: str | None, environment: Mapping[str, str] = os.environ) -> str:
    """The setting, else DOCKER_HOST, else the current Docker context, which docker-py by itself does not look at."""
    if chosen := setting or environment.get("DOCKER_HOST"):
        return chosen
    context = docker.ContextAPI.get_current_context()
    return str(context.Host) if context and context.Host else DEFAULT


def resolve(setting: str | None = None) -> DockerEngine:
    """Asks the engine what it is. Raises EngineError when none answers."""
    where = address(setting)
    try:
        client = docker.DockerClient(base_url=where, use_ssh_client=where.startswith("ssh://"), timeout=20)
        info = client.info()
    except DockerException as error:
        raise EngineError(f"no Docker engine answers at {where}: {error}\n  make setup\n  docker context ls") from error
    architecture = ARCHITECTURES.get(info["Architecture"], info["Architecture"])
    return DockerEngine(address=where, platform=f"linux/{architecture}", memory=info["MemTotal"] // MIB)
