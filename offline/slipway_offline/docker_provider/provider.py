"""The plugin itself: which resources it has, and the engine that they share."""

from __future__ import annotations

import os
from typing import ClassVar

import requests
from docker.errors import DockerException

from slipway_offline.properties import Schema, text
from slipway_offline.resource_provider import ResourceProvider

from .container import Container
from .engine import Engine, resolve
from .image import Image
from .network import Network
from .remote_image import RemoteImage
from .volume import Volume


class DockerProvider(ResourceProvider):
    """Connects when it is configured, so that an engine out of reach is one clear error at the start."""

    name = "docker"
    version = "5.2.0"
    settings: ClassVar[Schema] = {"host": text(), "context": text(), "certPath": text()}
    failures = (DockerException, requests.RequestException, OSError)
    kinds = (Network, Volume, Container, Image, RemoteImage)
    docker: Engine

    def __init__(self, engine_address: str) -> None:
        super().__init__(engine_address, ())

    def configure(self, settings: dict[str, str]) -> None:
        self.docker = Engine(resolve(settings, os.environ))
        self.resources = {kind.token: kind(self.docker) for kind in self.kinds}

    def explain(self, error: Exception) -> str:
        return self.docker.explain(error) if hasattr(self, "docker") else super().explain(error)
