"""A small site with TLS at its edge: one service without a database."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import yaml

from slipway.setup import paths
from tests.e2e.site import Site, merged
from tests.support.engine import free_port

SERVER = """\
import http.server


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(404 if self.path == "/missing" else 200)
        if self.path == "/own":
            self.send_header("Content-Security-Policy", "default-src 'none'")
        self.end_headers()
        self.wfile.write(f"{self.path} over {self.headers['X-Forwarded-Proto']}".encode())


http.server.ThreadingHTTPServer(("", 5000), Handler).serve_forever()
"""
DOCKERFILE = "ARG BASE\nFROM ${BASE} AS prod\nCOPY . /home/app/web\nWORKDIR /home/app/web\n"
WEB: dict[str, Any] = {"command": "python server.py", "route": "/", "health": "/health", "secrets": ["KEY"]}


class TlsSite(Site):
    """`settings` are those of the edge; `services` stand beside WEB."""

    def __init__(self, directory: Path, virtualenv: Path, services: dict[str, Any] | None = None, **edge: Any) -> None:
        super().__init__(directory, "prod", {}, virtualenv=virtualenv)
        ports = {"port": free_port(), "tlsPort": free_port()}
        self.settings: dict[str, Any] = {
            "services": {"web": WEB, **(services or {})},
            "edge": {**ports, **edge},
            "drain": 10,
        }
        for name in self.settings["services"]:
            self.write(f"services/{name}/server.py", SERVER)
            self.write(f"services/{name}/Dockerfile", DOCKERFILE)
        self.declare()

    @property
    def port(self) -> int:
        return int(self.settings["edge"]["port"])

    @property
    def tls_port(self) -> int:
        return int(self.settings["edge"]["tlsPort"])

    def declare(self, **edge: Any) -> None:
        """The edge's settings from now on, with changes merged in."""
        self.settings = merged(self.settings, {"edge": edge})
        file = yaml.safe_load((self.directory / "Pulumi.prod.yaml").read_text())  # holds the salt of the secrets
        self.write("Pulumi.prod.yaml", yaml.safe_dump({**file, "config": self.settings}))

    def slipway(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(paths.PROJECT / "bin" / "slipway"), arguments[0], "--stack", "prod", *arguments[1:]],
            cwd=self.directory, env=self.environment, text=True, stdin=subprocess.DEVNULL, capture_output=True,
            timeout=300, check=False,
        )  # fmt: skip
