"""A server as people rent one: OpenSSH with its default limits before the engine, in a container of the engine's own.

A test's `ssh` has the configuration of its own folder: OpenSSH takes the user's from their home, whatever HOME says.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from docker.errors import BuildError
from docker.models.containers import Container

from tests.support import engine
from tests.support.base_images import base_image
from tests.support.waiting import wait_until

USER, HOST, SOCKET = "deploy", "server", "/var/run/docker.sock"
SERVES, CONNECTION = "sshd: /usr/sbin/sshd", "sshd-session"
"""How the processes call themselves: the one that listens, and those of a connection."""
DOCKERFILE = f"""
FROM {{base}}
RUN apt-get update -q && apt-get install -qy --no-install-recommends openssh-server && rm -rf /var/lib/apt/lists/*
RUN groupadd -f -o -g {{group}} engine && useradd -m -s /bin/sh -G engine {USER} \\
 && mkdir -p /run/sshd && install -d -o {USER} -m 700 /home/{USER}/.ssh
COPY key.pub /home/{USER}/.ssh/authorized_keys
CMD ["/usr/sbin/sshd", "-D", "-e"]
"""


class Server:
    """`ssh server` reaches it once its host key is known (`trust`); `tools` goes in front of PATH."""

    def __init__(self, folder: Path, container: Container, socket: str) -> None:
        self.folder, self.container, self.tools = folder, container, folder / "bin"
        self.port = engine.published(container, 22)[1]
        self.known, self.config = folder / "known_hosts", folder / "config"
        self.address = f"ssh://{HOST}{'' if socket == SOCKET else socket}"
        self.tools.mkdir()
        ssh = self.tools / "ssh"
        ssh.write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {self.config} "$@"\n')
        ssh.chmod(0o755)
        self.configure()

    def configure(self, *, user: str = USER) -> None:
        lines = {
            "HostName": "127.0.0.1",
            "Port": self.port,
            "User": user,
            "IdentityFile": self.folder / "key",
            "IdentitiesOnly": "yes",
            "UserKnownHostsFile": self.known,
            "GlobalKnownHostsFile": "/dev/null",
        }
        self.config.write_text(f"Host {HOST}\n" + "".join(f"  {name} {value}\n" for name, value in lines.items()))

    def scanned(self) -> str:
        """Its host keys, for a file of those that are known."""

        def keys() -> str:
            command = ["ssh-keyscan", "-T", "2", "-p", str(self.port), "127.0.0.1"]
            return subprocess.run(command, capture_output=True, text=True, check=False).stdout

        return wait_until("sshd shows its host keys", keys, 20)

    def trust(self) -> None:
        self.known.write_text(self.scanned())

    def cut(self) -> None:
        """Ends the connections that are there, as a provider's firewall or a lost line does."""
        engine.run_in(self.container, "sh", "-c", KILL.format(name=CONNECTION))

    def connections(self) -> int:
        return int(engine.run_in(self.container, "sh", "-c", COUNT.format(name=CONNECTION))[1].strip())


COUNT = "grep -sal '^{name}: {user}' /proc/[0-9]*/cmdline | wc -l".replace("{user}", USER)
KILL = "for each in /proc/[0-9]*; do grep -sqa '^{name}: ' $each/cmdline && kill ${{each#/proc/}}; done; true"


@contextmanager
def serving(folder: Path) -> Iterator[Server]:
    """Until the block ends. Skips, visibly, where its image cannot be built: without a way to Debian's packages."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / "key")], check=True)
    socket = urlsplit(os.environ.get("DOCKER_HOST", "")).path or SOCKET
    group = Path(socket).stat().st_gid
    image = folder / "image"
    image.mkdir()
    shutil.copy(folder / "key.pub", image)
    (image / "Dockerfile").write_text(DOCKERFILE.format(base=base_image("python"), group=group))
    name = f"e2e-{secrets.token_hex(4)}-sshd"
    client = engine.client()
    try:
        client.images.build(path=str(image), tag=name, rm=True, forcerm=True)
    except BuildError as error:
        pytest.skip(f"NOT CHECKED: no openssh-server to be had for an image: {error}")
    try:
        container = client.containers.run(
            name,
            detach=True,
            name=name,
            ports={"22/tcp": ("127.0.0.1", engine.free_port())},
            volumes={socket: {"bind": socket, "mode": "rw"}},
        )
        container.reload()
        server = Server(folder, container, socket)
        server.trust()
        yield server
    finally:
        for each in client.containers.list(all=True, filters={"name": f"^/{name}$"}):
            each.remove(force=True, v=True)
        engine.remove_image(name)
