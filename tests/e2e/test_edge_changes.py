"""What happens at the edge between releases: maintenance, an application that is away, changed settings, and what a
preview says about them beforehand. The site is a small server and a database."""

from __future__ import annotations

import json
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from slipway.setup import paths
from tests.e2e.site import Site, merged, running, status
from tests.support.base_images import base_image
from tests.support.engine import client, free_port, wait_for_log
from tests.support.waiting import wait_until

SERVER = """\
import http.server
import os
import time


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path.startswith("/slow"):
            print("slow", flush=True)
            time.sleep(4)
        found = not self.path.startswith("/.well-known")
        self.send_response(200 if found else 404)
        self.end_headers()
        self.wfile.write(f"{os.environ['TITLE']} {self.path}".encode())

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()


http.server.ThreadingHTTPServer(("", 5000), Handler).serve_forever()
"""
DOCKERFILE = "ARG BASE\nFROM ${BASE} AS prod\nCOPY . /home/app/web\nWORKDIR /home/app/web\n"
WEB: dict[str, Any] = {
    "command": "python server.py",
    "route": "/",
    "health": "/health",
    "env": {"TITLE": "first"},
    "secrets": ["KEY"],
    "static": {"/static/": "static"},
    "volumes": {"uploads": "/data"},
    "database": True,
    "migrate": "sh -c 'echo the tables are made'",
}
GAP = 10
"""Seconds that a restart may take on a busy machine; the announced ones are asked of none."""


class Edge(Site):
    """The site, and the operator's command on it."""

    def __init__(self, directory: Path, virtualenv: Path) -> None:
        super().__init__(directory, "prod", {}, virtualenv=virtualenv)
        self.settings: dict[str, Any] = {"services": {"web": WEB}, "edge": {"port": free_port()}, "drain": 10}
        self.write("services/web/server.py", SERVER)
        self.write("services/web/Dockerfile", DOCKERFILE)
        self.write("services/web/static/app.1a1b1c1d.css", "first")
        self.declare()
        self.url = f"http://127.0.0.1:{self.settings['edge']['port']}"

    def declare(self, **changes: Any) -> None:
        """The settings from now on, with changes merged in; `None` takes a key of a table away."""
        self.settings = merged(self.settings, changes)
        web = {key: value for key, value in self.settings["services"]["web"].items() if value is not None}
        file = yaml.safe_load((self.directory / "Pulumi.prod.yaml").read_text())  # holds the salt of the secrets
        self.write("Pulumi.prod.yaml", yaml.safe_dump({**file, "config": {**self.settings, "services": {"web": web}}}))

    def slipway(self, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        with self.started(*arguments) as run:
            said, errors = run.communicate(timeout=300)
        assert run.returncode == code, f"{arguments}: exit code {run.returncode}\n{said}\n{errors}"
        return subprocess.CompletedProcess(arguments, code, said, errors)

    def started(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(paths.PROJECT / "bin" / "slipway"), arguments[0], "--stack", "prod", *arguments[1:]],
            cwd=self.directory, env=self.environment, text=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def impacts(self) -> dict[str, list[str]]:
        """{impact: the resources that have it}, as a preview says."""
        plan = json.loads(self.slipway("preview", "--json").stdout)
        found: dict[str, list[str]] = {}
        for step in plan["steps"]:
            found.setdefault(step["impact"], []).append(step["urn"].rpartition("::")[2].removeprefix(f"{self.prefix}-"))
        return found

    def get(self, path: str = "/", **options: Any) -> httpx.Response:
        return httpx.get(f"{self.url}{path}", timeout=30, **options)

    def nginx(self) -> tuple[str, str]:
        """nginx's container and when it was started."""
        return self.starts({"edge"})["edge"]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, virtualenv: Path) -> Iterator[Edge]:
    with running(Edge(tmp_path_factory.mktemp("edge"), virtualenv)) as up:
        assert isinstance(up, Edge)
        wait_until("the site answers", lambda: status(up.url) == 200, 20)
        yield up


@contextmanager
def watched(url: str) -> Iterator[list[float]]:
    """Asks without a pause while this is entered; yields the times at which nothing answered well."""
    failed: list[float] = []
    stopped = threading.Event()

    def ask() -> None:
        while not stopped.wait(0.05):
            if status(url) != 200:
                failed.append(time.monotonic())

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        yield failed
    finally:
        stopped.set()
        asking.join()


def test_maintenance_shows_a_page_and_leaves_health_checks_and_challenges_open(site: Edge) -> None:
    slow: list[httpx.Response] = []
    visitor = threading.Thread(target=lambda: slow.append(site.get("/slow")))
    visitor.start()
    wait_for_log(site.container("web"), "slow", 10)
    assert "maintenance is on" in site.slipway("maintenance", "on", "--retry-after", "90").stdout
    assert [answer.text for answer in slow] == ["first /slow"], "`on` did not wait for the request from before"

    for answer in (site.get("/any?x=1"), httpx.post(f"{site.url}/any", content="x")):
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "90")
        assert "<h1>Back soon</h1>" in answer.text
    assert site.get("/health").text == "first /health"
    assert site.get("/.well-known/acme-challenge/x").text == "first /.well-known/acme-challenge/x"
    assert "maintenance is on" in site.slipway("status").stdout


def test_maintenance_outlasts_a_restart_of_nginx_and_a_release_behind_it(site: Edge) -> None:
    site.container("edge").restart()
    wait_until("nginx is back", lambda: status(f"{site.url}/health") == 200, 20)
    assert "Back soon" in site.get().text

    site.declare(services={"web": {"env": {"TITLE": "second"}}})
    assert "maintenance off" in site.slipway("up").stderr
    assert "Back soon" in site.get().text
    assert site.get("/health").text == "second /health"

    assert "maintenance is off" in site.slipway("maintenance", "off").stdout
    assert site.get().text == "second /"
    assert "maintenance" not in site.slipway("status").stdout


def test_a_service_that_is_away_is_excused_by_our_own_page(site: Edge) -> None:
    site.container("web").stop(timeout=1)
    answer = site.get()
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "<h1>Back in a moment</h1>" in answer.text
    site.container("web").start()
    wait_until("the site is back", lambda: status(site.url) == 200, 20)


def test_a_changed_limit_or_page_is_a_reload_and_nothing_restarts(site: Edge) -> None:
    (site.directory / "pages").mkdir()
    site.write("pages/large.html", "<h1>Far too much, for 1 $</h1>")
    before = site.starts({"edge", "web", "postgres"})
    site.declare(edge={"maxBody": 1, "pages": {"tooLarge": "pages/large.html"}})

    assert site.impacts() == {"reload of nginx": ["release"]}
    with watched(site.url) as failed:
        site.slipway("up")

    answer = httpx.post(site.url, content=b"x" * 2**20 + b"x")
    assert (answer.status_code, answer.text) == (413, "<h1>Far too much, for 1 $</h1>")
    assert site.starts({"edge", "web", "postgres"}) == before
    assert failed == []


def test_new_hosts_and_assets_lose_no_request_and_a_page_that_is_still_open_keeps_its_assets(site: Edge) -> None:
    before = site.nginx()
    (site.directory / "services/web/static/app.1a1b1c1d.css").unlink()
    site.write("services/web/static/app.2a2b2c2d.css", "second")
    site.declare(edge={"hosts": ["shop.test", "127.0.0.1"]})

    found = site.impacts()
    assert (found["new release of web (no gap)"], found["reload of nginx"]) == (["web"], ["release"])
    with watched(site.url) as failed:
        site.slipway("up")

    assert failed == []
    assert site.get("/static/app.1a1b1c1d.css").text == "first"
    assert site.get("/static/app.2a2b2c2d.css").text == "second"
    assert [site.get(headers={"Host": host}).status_code for host in ("shop.test", "other.test")] == [200, 404]
    assert site.nginx() == before


def test_memory_of_nginx_is_changed_in_place_and_another_container_of_it_is_announced_with_its_gap(site: Edge) -> None:
    before = site.nginx()
    site.declare(edge={"memory": 160})
    assert site.impacts() == {"none": ["edge-trial", "edge"]}
    site.slipway("up")
    assert (site.nginx(), site.container("edge").attrs["HostConfig"]["Memory"]) == (before, 160 * 2**20)

    site.declare(edge={"cpus": 0.5})
    shown = site.slipway("preview").stdout
    assert "restart of nginx, about 2 s" in shown, shown
    with watched(site.url) as failed:
        site.slipway("up")
    assert site.nginx()[0] != before[0]
    gap = failed[-1] - failed[0] if failed else 0
    print(f"nginx was away for {gap:.1f} s")
    assert 0 < gap < GAP
    assert site.get().status_code == 200


def test_an_address_that_nginx_cannot_get_is_found_before_the_old_one_is_deleted(site: Edge) -> None:
    before, port = site.nginx(), site.settings["edge"]["port"]
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        taken = listener.getsockname()[1]
        site.declare(edge={"port": taken})
        with watched(site.url) as failed:
            said = site.slipway("up", code=1)
    assert f"edge.port: 127.0.0.1:{taken} is taken by another program" in said.stdout + said.stderr
    assert "pulumi config set --path edge.port" in said.stdout + said.stderr
    assert "web is served by" in said.stderr
    assert (site.nginx(), failed) == (before, [])
    site.declare(edge={"port": port, "address": "192.0.2.7"})
    said = site.slipway("up", code=1)
    assert "edge.address: 192.0.2.7 is no address of the engine's host" in said.stdout + said.stderr
    assert (site.nginx(), site.get().status_code) == (before, 200)
    site.declare(edge={"address": "127.0.0.1"})


def test_a_change_of_user_leaves_the_files_to_who_writes_them_and_then_takes_all_along(site: Edge) -> None:
    site.inside("web", "sh", "-c", "mkdir -p /data/a && echo precious > /data/a/note")
    site.declare(services={"web": {"user": 1001}})
    before = site.container("web")
    said = site.slipway("up", code=1)
    assert f"docker stop {before.name}" in said.stdout + said.stderr
    assert site.inside("web", "sh", "-c", "echo still >> /data/a/note; stat -c %u /data/a/note") == "1000\n"

    before.stop(timeout=1)
    site.slipway("up")
    assert site.inside("web", "sh", "-c", "echo mine >> /data/a/note; stat -c %u /data/a/note /data") == "1001\n1001\n"
    assert site.get().status_code == 200


def test_a_database_that_is_gone_or_unreadable_is_data_at_risk_and_a_new_one_is_migrated(site: Edge) -> None:
    volume, server = f"{site.prefix}-postgres-data", site.container("postgres")
    site.declare(baseImages={"postgres": "registry.invalid/postgres:16-bookworm"})
    assert f"{volume} holds data of Postgres 17, which Postgres 16 cannot read" in site.slipway("up", code=9).stderr
    site.declare(baseImages={"postgres": base_image("postgres")})
    assert site.container("postgres").id == server.id

    server.remove(force=True)
    client().volumes.get(volume).remove()
    assert f"the volume {volume} is gone from the engine" in site.slipway("preview").stderr
    assert f"the volume {volume} is gone from the engine" in site.slipway("up", code=9).stderr
    allowed = site.slipway("up", "--allow-data-loss")
    assert "the tables are made" in allowed.stdout + allowed.stderr
    again = site.slipway("up")
    assert "the tables are made" not in again.stdout + again.stderr


def test_a_plan_with_data_at_risk_is_refused_unless_it_is_allowed(site: Edge) -> None:
    before, volume = site.starts({"edge", "web", "postgres"}), f"{site.prefix}-web-uploads"
    site.inside("web", "sh", "-c", "echo precious > /data/note")
    site.declare(services={"web": {"volumes": None, "database": None, "migrate": None}})

    at_risk = [impact for impact in site.impacts() if "data at risk" in impact]
    refused = site.slipway("up", code=9)
    assert len(at_risk) >= 4
    for thing in (volume, f"{site.prefix}-postgres-data", "web-db-owner", "--allow-data-loss"):
        assert thing in refused.stderr
    assert site.starts({"edge", "web", "postgres"}) == before

    site.slipway("up", "--allow-data-loss")
    assert site.get().status_code == 200
    assert client().volumes.get(volume), "what Slipway loses sight of stays on the engine in prod"
    site.declare(services={"web": {"volumes": {"uploads": "/data"}}})
    site.slipway("up")
    assert site.inside("web", "cat", "/data/note") == "precious\n"
