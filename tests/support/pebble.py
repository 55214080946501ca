"""An ACME authority for tests: pebble, from Debian, on this machine's own network."""

from __future__ import annotations

import io
import json
import secrets
import ssl
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_network
from typing import Any

import httpx
from docker.models.containers import Container

from slipway.core import certificates
from tests.support import engine
from tests.support.base_images import base_image
from tests.support.tls import trusting
from tests.support.waiting import wait_until

FOLDER = "/etc/pebble"
DOCKERFILE = """\
ARG BASE
FROM ${BASE}
USER 0
RUN apt-get update && apt-get install --yes --no-install-recommends pebble && rm -rf /var/lib/apt/lists/*
ENTRYPOINT []
"""


@dataclass(frozen=True)
class Pebble:
    """`address` is one of this machine's that containers reach; `bundle` is what to trust its API by."""

    container: Container
    address: str
    port: int
    management: int
    bundle: str

    @property
    def directory(self) -> str:
        return f"https://{self.address}:{self.port}/dir"

    def authority(self) -> str:
        """The certificate by which what it issues is trusted; another one each time it starts."""
        url = f"https://{self.address}:{self.management}/roots/0"
        return httpx.get(url, verify=self.context, timeout=10).text

    @property
    def context(self) -> ssl.SSLContext:
        return trusting(self.bundle)

    def answers(self) -> bool:
        try:
            return httpx.get(self.directory, verify=self.context, timeout=2).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def log(self) -> str:
        return str(self.container.logs().decode())


def gateway() -> str:
    """The address of this machine on the engine's default network: the first one there. An engine that has not been
    started twice does not name it."""
    network = engine.client().networks.get("bridge")
    return str(next(ip_network(network.attrs["IPAM"]["Config"][0]["Subnet"]).hosts()))


@contextmanager
def pebble(hosts: list[str], *, http_port: int, validity: int, bad_nonces: int = 5) -> Iterator[Pebble]:
    """Runs it, in an image and a container of its own. It believes that `hosts` are on this machine and serve their
    challenges at `http_port`; certificates are valid for `validity` seconds; so many percent of all good nonces are
    refused."""
    name = f"pebble-{secrets.token_hex(4)}"
    image(f"{name}:test")
    address, port, management = gateway(), engine.free_port(), engine.free_port()
    now = datetime.now(UTC)
    signer = certificates.authority("pebble's own API", now)
    pair = certificates.issue(signer, [address], now)
    settings: dict[str, Any] = {
        "listenAddress": f"{address}:{port}",
        "managementListenAddress": f"{address}:{management}",
        "certificate": f"{FOLDER}/certificate.pem",
        "privateKey": f"{FOLDER}/key.pem",
        "httpPort": http_port,
        "tlsPort": http_port,
        "ocspResponderURL": "",
        "externalAccountBindingRequired": False,
        "retryAfter": {"authz": 1, "order": 1},
        "certificateValidityPeriod": validity,  # up to pebble 2.6
        "profiles": {"default": {"description": "for tests", "validityPeriod": validity}},
    }
    files = {"config.json": json.dumps({"pebble": settings}), "certificate.pem": pair.certificate, "key.pem": pair.key}
    container = engine.client().containers.create(
        f"{name}:test", ["pebble", "-config", f"{FOLDER}/config.json"], name=name, network_mode="host",
        environment={"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": str(bad_nonces), "PEBBLE_AUTHZREUSE": "0"},
        extra_hosts=dict.fromkeys(hosts, address),
    )  # fmt: skip
    try:
        container.put_archive("/", packed(files))
        container.start()
        made = Pebble(container, address, port, management, signer.certificate)
        wait_until("pebble answers", made.answers, 20)
        yield made
    finally:
        container.remove(force=True)
        engine.remove_image(f"{name}:test")


def image(name: str) -> None:
    file = io.BytesIO(DOCKERFILE.encode())
    engine.client().images.build(fileobj=file, tag=name, buildargs={"BASE": base_image("nginx")}, rm=True, forcerm=True)


def packed(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, text in files.items():
            entry = tarfile.TarInfo(f"{FOLDER.lstrip('/')}/{path}")
            entry.size, entry.mode = len(text.encode()), 0o644
            archive.addfile(entry, io.BytesIO(text.encode()))
    return buffer.getvalue()
