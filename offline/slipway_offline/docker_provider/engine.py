"""The Docker engine: where it is, how to speak to it, and what its errors mean."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import docker
import requests
from docker.errors import APIError, DockerException, NotFound
from docker.tls import TLSConfig

from slipway_offline.resource import Call, OperationError, Values

DEFAULT_ADDRESS = "unix:///var/run/docker.sock"
NEWEST_API = (1, 51)  # Docker 28.5: the newest that this plugin was tried with
REQUEST_SECONDS = 600  # of silence in one request; a start on a busy disk can take minutes
REMOVAL_SECONDS = 30


@dataclass(frozen=True)
class Address:
    """Where an engine listens, and the certificates (ca.pem, cert.pem, key.pem) to speak to it with, if any."""

    host: str
    certificates: Path | None = None


def resolve(settings: Mapping[str, str], environment: Mapping[str, str]) -> Address:
    """Settings of the provider first, then DOCKER_HOST, then the Docker context that is in use, as the docker command
    does. Raises OperationError for a context that does not exist."""
    verified = environment.get("DOCKER_TLS_VERIFY") and environment.get("DOCKER_CERT_PATH")
    path = settings.get("certPath") or verified
    certificates = Path(path) if path else None
    if host := settings.get("host"):
        return Address(host, certificates)
    home = Path(environment.get("DOCKER_CONFIG") or Path.home() / ".docker")
    if name := settings.get("context"):
        return context(home, name)
    if host := environment.get("DOCKER_HOST"):
        return Address(host, certificates)
    name = environment.get("DOCKER_CONTEXT") or current_context(home)
    return context(home, name) if name not in ("", "default") else Address(DEFAULT_ADDRESS, certificates)


def current_context(home: Path) -> str:
    try:
        name: str = json.loads((home / "config.json").read_text()).get("currentContext", "")
    except (OSError, ValueError):
        return ""
    return name


def context(home: Path, name: str) -> Address:
    """The address that the Docker context `name` stands for, from the docker command's own files."""
    if name == "default":
        return Address(DEFAULT_ADDRESS)
    key = hashlib.sha256(name.encode()).hexdigest()
    try:
        meta = json.loads((home / "contexts/meta" / key / "meta.json").read_text())
        host = meta["Endpoints"]["docker"]["Host"]
    except (OSError, ValueError, KeyError) as error:
        raise OperationError(f'there is no Docker context "{name}" (see: docker context ls)') from error
    certificates = home / "contexts/tls" / key / "docker"
    return Address(host, certificates if certificates.is_dir() else None)


class Engine(docker.APIClient):
    """docker-py's client, speaking the newest API version that both sides know.

    `ask` sends the engine's own JSON where docker-py's helpers know only a part of it. It and `build_events` lean on
    private parts of docker-py, hence the pinned version.
    """

    # What the stubs do not know of it.
    _url: Callable[..., str]
    _post: Callable[..., requests.Response]
    _post_json: Callable[..., requests.Response]
    _raise_for_status: Callable[[requests.Response], None]
    _stream_helper: Callable[..., Iterator[dict[str, Any]]]

    def __init__(self, address: Address) -> None:
        self.address, files = address, address.certificates
        tls = files and TLSConfig(client_cert=(str(files / "cert.pem"), str(files / "key.pem")),
                                  ca_cert=str(files / "ca.pem"), verify=True)
        try:
            super().__init__(address.host, version="auto", tls=tls or False, timeout=REQUEST_SECONDS,
                             use_ssh_client=True, max_pool_size=64)
        except (DockerException, requests.RequestException, OSError) as error:
            raise OperationError(f"cannot reach the Docker engine at {address.host}: {reason(error)}") from error
        if self.api > NEWEST_API:
            self._version = ".".join(map(str, NEWEST_API))

    @property
    def api(self) -> tuple[int, int]:
        """The API version in use, such as (1, 41)."""
        major, minor = self.api_version.split(".")
        return int(major), int(minor)

    def ask(self, path: str, body: Mapping[str, Any]) -> Any:
        """The engine's answer, None for an empty one. Raises APIError."""
        response = self._post_json(self._url(path), data=body)
        self._raise_for_status(response)
        return response.json() if response.content else None

    def image(self, name: str) -> Values:
        """What the engine knows of an image, by name or id. Raises ImageNotFound."""
        found: Values = self.inspect_image(name)  # type: ignore[no-untyped-call]
        return found

    def make_container(self, config: Values, name: str) -> str:
        """The id of a new container, not started. Raises APIError."""
        made: Values = self.create_container_from_config(config, name)  # type: ignore[no-untyped-call]
        return str(made["Id"])

    def build_events(self, archive: IO[bytes], params: Mapping[str, str], seconds: float) -> Iterator[dict[str, Any]]:
        """What the engine says while it builds. Raises APIError when it refuses to."""
        response = self._post(self._url("/build"), params=params, data=archive, stream=True, timeout=seconds,
                              headers={"Content-Type": "application/x-tar"})
        self._raise_for_status(response)
        yield from self._stream_helper(response, decode=True)

    def cancel_build(self, build_id: str) -> None:
        self._post(self._url("/build/cancel"), params={"id": build_id})

    def explain(self, error: Exception) -> str:
        if isinstance(error, requests.ConnectionError):
            return f"the Docker engine at {self.address.host} does not answer: {reason(error)}"
        return reason(error)


def remove(call: Call, action: Callable[[], object], busy: str, what: str) -> None:
    """Removes what a container that is itself being removed may hold for a moment more: tries again while the engine
    says `busy`, for as long as the genuine plugin would."""
    deadline = time.monotonic() + REMOVAL_SECONDS
    while True:
        try:
            action()
        except NotFound:
            return
        except APIError as error:
            if busy not in reason(error) or time.monotonic() > deadline or call.cancelled.wait(0.2):
                raise OperationError(f"{what} cannot be removed: {reason(error)}") from error
        else:
            return


def reason(error: BaseException) -> str:
    """What happened, without the layers that reported it."""
    if isinstance(error, OperationError):
        return str(error)
    if isinstance(error, APIError):
        return error.explanation or str(error)
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__ or error
    return getattr(error, "strerror", None) or str(error)
