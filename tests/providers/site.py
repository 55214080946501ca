"""A site of one service behind nginx, made by hand: what a release meets in a stack."""

from __future__ import annotations

import http.client
import threading
import time
from collections import Counter
from types import TracebackType
from typing import Any, Self

from docker.models.containers import Container

from slipway.core import gunicorn, probes
from slipway.nginx import main as nginx_main
from slipway.nginx import pages
from slipway.nginx import routes as nginx
from slipway.nginx.main import INTERNAL_PORT, LIVE, TEMPORARY, USER
from slipway.providers.files import FilesVolumeProvider, OwnedVolumeProvider
from slipway.providers.release import ReleaseProvider
from slipway.site.protocol import Protocol
from slipway.site.site import Service
from tests.providers.place import Place
from tests.support import engine
from tests.support.base_images import base_image
from tests.support.waiting import wait_until

SERVE = [
    "gunicorn",
    "--bind=0.0.0.0:5000",
    f"--worker-class={gunicorn.WORKER}.Worker",
    "--threads=8",
    "--keep-alive=75",
    "--graceful-timeout=30",
    "--no-control-socket",
    "--worker-tmp-dir=/dev/shm",
    "app:app",
]
SERVE_BY_UWSGI = [*SERVE[:-1], *gunicorn.UWSGI, "--keep-alive=0", SERVE[-1]]
BY_UWSGI = {
    "test": ["CMD", "python3", "-c", probes.UWSGI, "http://127.0.0.1:5000/health"],
    "interval": 10**9,
    "timeout": 3 * 10**9,
    "retries": 3,
}
NOTHING_KNOWN: dict[str, Any] = {"images": {}, "services": {}, "databases": []}
MAIN = "/etc/nginx/main/nginx.conf"
FILES = 3
"""Of nginx's configuration, where one release serves: its upstream, and the routes with and without TLS."""


class Site:
    """nginx with an empty folder for its generated files, hardened as in a stack, and a network for its services."""

    def __init__(self, place: Place, app: str) -> None:
        self.place, self.app, self.releases = place, app, 0
        self.model = nginx.EdgeModel(
            services=(Service(name="web", app="app:app", route="/", ready="/ready"),), callers={}
        )
        self.network = str(engine.client().networks.create(f"{place.name}-edge", labels=place.labels).name)
        common = {"engine": place.engine, "uid": USER, "gid": USER, "image": place.image, "labels": place.labels}
        files = {nginx_main.MAIN_FILE: nginx_main.main_conf(drain=self.model.drain, cpus=self.model.cpus)}
        FilesVolumeProvider().create({**common, "volume": f"{place.name}-main", "files": files, "mode": 0o400})
        engine.client().volumes.create(f"{place.name}-temporary")
        OwnedVolumeProvider().create({**common, "volume": f"{place.name}-temporary", "mode": 0o700})
        self.edge = engine.client().containers.run(
            base_image("nginx"),
            ["nginx", "-c", MAIN, "-g", "daemon off;"],
            name=f"{place.name}-nginx",
            network=self.network,
            user=str(USER),
            read_only=True,
            cap_drop=["ALL"],
            security_opt=["no-new-privileges"],
            tmpfs={"/tmp": "rw,noexec,nosuid,nodev,size=16m"},
            volumes=[
                f"{place.name}-main:/etc/nginx/main:ro",
                f"{place.name}-live:{LIVE}",
                f"{place.name}-temporary:{TEMPORARY}",
            ],
            restart_policy={"Name": "always", "MaximumRetryCount": 0},
            detach=True,
        )
        self.address = engine.address(self.edge)
        wait_until("nginx answers, without a release", lambda: self.status() == 503, 20)

    def start(
        self,
        *,
        command: list[str] | None = None,
        restart: str = "no",
        health: bool = True,
        protocol: Protocol = Protocol.HTTP,
        **environment: str,
    ) -> Container:
        """A new container of the service, of a release of its own: r1, r2, …"""
        by_uwsgi = protocol is Protocol.UWSGI
        self.releases += 1
        policy: Any = {"Name": restart}
        started: Container = engine.client().containers.run(
            self.app,
            command or (SERVE_BY_UWSGI if by_uwsgi else SERVE),
            name=f"{self.place.name}-web-{self.releases}",
            network=self.network,
            environment={"RELEASE": f"r{self.releases}", **environment},
            restart_policy=policy,
            healthcheck={"test": ["NONE"]} if not health else BY_UWSGI if by_uwsgi else {},
            detach=True,
        )
        return started

    def wanted(self, *containers: Container, protocol: Protocol = Protocol.HTTP, **changes: Any) -> dict[str, Any]:
        """The inputs of a release that consists of these containers."""
        servers = tuple(str(container.name) for container in containers)
        release = nginx.Release(service="web", servers=servers, protocol=protocol)
        props = {
            "engine": self.place.engine,
            "containers": [
                {
                    "service": "web",
                    "name": server,
                    "port": 5000.0,
                    "upstream": release.upstream,
                    "ready": "/ready",
                    "beside": True,
                }
                for server in release.servers
            ],
            "migrations": {},
            "edge": self.edge.id,
            "upstreams": nginx.upstream_blocks(self.model, [release]),
            "routes": nginx.routes_files(self.model, [release]),
            "pages": pages.files(max_body=16),
            "directory": LIVE,
            "main": MAIN,
            "gate_port": float(INTERNAL_PORT),
            "timeout": 60.0,
            "drain": 30.0,
            "release": "",
            "record": {"project": self.place.name, "stack": "test", "revision": "", **NOTHING_KNOWN},
            "keep": 5.0,
        }
        return props | changes

    def release(self, *containers: Container, **changes: Any) -> dict[str, Any]:
        """Makes a first release of these containers; returns its inputs."""
        props = self.wanted(*containers, **changes)
        ReleaseProvider().create(props)
        return props

    def exec(self, *command: str) -> tuple[int, str]:
        """Exit code and output of a command in nginx's container."""
        result: Any = self.edge.exec_run(list(command))
        return result.exit_code, result.output.decode()

    def get(self, path: str = "/") -> tuple[int, str]:
        return engine.http_get(self.address, 80, path, timeout=40)

    def status(self) -> int:
        """Status of the front page; 0 while nothing answers."""
        try:
            return self.get()[0]
        except OSError:
            return 0

    def serves(self, release: str) -> bool:
        """Whether this release answers; also while nothing does."""
        return self.status() == 200 and self.get() == (200, release)

    def files(self) -> list[str]:
        """What nginx reads as its configuration, of what releases write."""
        return sorted(name for name in self.exec("ls", LIVE)[1].split() if name.endswith(".conf"))


class Load:
    """Eight clients that ask without a pause while this is entered: four over one connection each, four over a new one
    each time; every other request is a POST."""

    def __init__(self, address: str) -> None:
        self.address, self.stopped = address, threading.Event()
        self.answers: Counter[str] = Counter()
        self.failed: list[str] = []
        self.lock = threading.Lock()
        self.clients = [threading.Thread(target=self.ask, args=(number % 2 == 0,)) for number in range(8)]

    def __enter__(self) -> Self:
        for client in self.clients:
            client.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopped.set()
        for client in self.clients:
            client.join(timeout=60)

    def ask(self, keep: bool) -> None:
        connection = http.client.HTTPConnection(self.address, timeout=30)
        number = 0
        while not self.stopped.is_set():
            number += 1
            body = f"-{number}" if number % 2 else None
            try:
                connection.request("POST" if body else "GET", "/", body)
                answer = connection.getresponse()
                text = answer.read().decode()
            except (OSError, http.client.HTTPException) as problem:
                self.note(f"{type(problem).__name__} {problem} {'kept' if keep else 'new'} connection", "")
                connection.close()
                continue
            release, _, echo = text.partition("-")
            good = answer.status == 200 and echo == (body or "-")[1:]
            self.note("" if good else f"status {answer.status} {text[:80]}", release)
            if not keep:
                connection.close()

    def note(self, problem: str, release: str) -> None:
        with self.lock:
            self.answers[release] += 1
            if problem:
                self.failed.append(f"{time.monotonic():.3f} {problem}")
