"""The stack on a server: what it publishes, what it survives, what a change of code does to its visitors."""

from __future__ import annotations

import functools
import json
import re
import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from docker.models.containers import Container
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.support.wait import WebDriverWait

from tests.e2e.pictures import Uploads, drawn, load
from tests.e2e.site import Site, running, status
from tests.support.browser import browser, shown
from tests.support.engine import free_port, published
from tests.support.waiting import wait_until

BACK_SECONDS = 15
MINUTE = 75
"""Until a command that is due each minute has run once."""
APPLICATIONS = ("ui", "images")
LEDGER: dict[str, Any] = {
    "host": "ledger.example.org",
    "app": "ihatemoney.wsgi:application",
    "database": {"connections": 5},
    "migrate": "python -c 'import ihatemoney.wsgi'",  # brings its tables up to date whenever it is imported
    "health": "/",
    "env": {"DATABASE_URL": "{database.url}", "IHATEMONEY_SETTINGS_FILE_PATH": "/home/app/web/ledger.cfg"},
    "secrets": ["SECRET_KEY"],
    "schedule": {"tick": {"cron": "* * * * *", "command": "sh -c 'test -n \"$SECRET_KEY\" && flask routes'"}},
}
LEDGER_FILES = {
    "requirements.txt": "ihatemoney[database]==7.2.1\n",
    "ledger.cfg": """\
import os

SQLALCHEMY_DATABASE_URI = os.environ["DATABASE_URL"]
SECRET_KEY = os.environ["SECRET_KEY"]
""",
}
"""An application that is published on PyPI, with its own settings file."""
IDLE = 12
"""Seconds: two health checks of each container."""
CONTAINERS = {*APPLICATIONS, "edge", "postgres"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, virtualenv: Path) -> Iterator[Site]:
    settings = {"edge": {"port": free_port()}}
    with running(Site(tmp_path_factory.mktemp("prod"), "prod", settings, virtualenv=virtualenv)) as up:
        yield up


@pytest.fixture(scope="module")
def url(site: Site) -> str:
    return str(site.outputs()["url"])


@pytest.fixture(scope="module")
def uploads(url: str) -> Uploads:
    """Every picture that any test here sent, with what the site acknowledged."""
    return Uploads(f"{url}images/")


@pytest.fixture(scope="module")
def visitor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebDriver]:
    with browser(tmp_path_factory.mktemp("browser")) as driver:
        yield driver


def test_only_the_edge_publishes_a_port_and_only_the_declared_one(site: Site, url: str) -> None:
    ports = {name: each.attrs["NetworkSettings"]["Ports"] for name, each in site.containers().items()}
    open_ports = {name for name, each in ports.items() if any(each.values())}
    assert (set(ports), open_ports) == (CONTAINERS, {"edge"})
    address, port = published(site.container("edge"), 80)
    assert url == f"http://{address}:{port}/"


def test_each_route_leads_to_its_service(url: str) -> None:
    assert "<h1>All pictures</h1>" in httpx.get(url).text
    assert httpx.get(f"{url}images/").json()["links"] == {"pictures": "/images/pictures"}
    assert httpx.get(f"{url}images?page=2").headers["Location"] == "/images/?page=2"


def test_static_files_come_from_nginx_itself_under_names_that_may_be_kept(site: Site, url: str) -> None:
    path = stylesheet(url)
    assert re.fullmatch(r"/static/app\.[0-9a-f]{12}\.css", path)
    answer = httpx.get(f"{url}{path[1:]}")
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    lines = [json.loads(line) for line in site.container("edge").logs().decode().splitlines() if line.startswith("{")]
    assert [line["upstream"] for line in lines if line["path"] == path] == [""]


def test_a_process_in_a_container_has_no_privileges_and_no_place_to_write(site: Site) -> None:
    for name in site.containers():
        lines = site.inside(name, "cat", "/proc/1/status").splitlines()
        process = {key: value.split() for key, _, value in (line.partition(":") for line in lines)}
        assert {int(process[kind][0], 16) for kind in ("CapEff", "CapPrm", "CapBnd", "CapAmb")} == {0}, name
        assert (process["NoNewPrivs"], process["Seccomp"]) == (["1"], ["2"]), name
        assert "0" not in process["Uid"], name
        root = next(line.split() for line in site.inside(name, "cat", "/proc/mounts").splitlines() if " / " in line)
        assert "ro" in root[3].split(","), name
        limits = site.container(name).attrs["HostConfig"]
        assert limits["Memory"] == limits["MemorySwap"] > 0, name
        assert limits["NanoCpus"] > 0, name
        assert limits["LogConfig"]["Config"].keys() == {"max-size", "max-file"}, name


def test_a_second_up_and_one_with_refresh_change_nothing(site: Site) -> None:
    before = site.ids()
    site.assert_unchanged()
    assert site.ids() == before


def test_a_picture_uploaded_in_a_browser_is_seen_and_seen_again_after_everything_was_restarted(
    site: Site, url: str, visitor: WebDriver, tmp_path: Path
) -> None:
    file = tmp_path / "picture.png"
    file.write_bytes(drawn(1_000))
    visitor.get(url)
    visitor.find_element(By.LINK_TEXT, "Upload a picture").click()
    visitor.find_element(By.ID, "file").send_keys(str(file))
    visitor.find_element(By.ID, "title").send_keys("From a browser")
    visitor.find_element(By.ID, "description").send_keys("One colour")
    visitor.find_element(By.CSS_SELECTOR, "form button").click()
    WebDriverWait(visitor, 20).until(lambda page: "is uploaded" in page.find_element(By.CSS_SELECTOR, ".notice").text)
    assert shown(visitor, ".picture img") == (32, 24)
    page = visitor.current_url
    for each in site.containers().values():
        each.restart(timeout=30)
    back(url)
    visitor.get(page)
    assert visitor.find_element(By.TAG_NAME, "h1").text == "From a browser"
    assert shown(visitor, ".picture img") == (32, 24)
    visitor.get(url)
    assert min(shown(visitor, '.gallery img[alt="One colour"]')) > 0


def test_a_change_of_code_loses_no_request_and_keeps_the_files_of_pages_that_are_still_open(
    site: Site, url: str, uploads: Uploads
) -> None:
    before, old = site.ids(), stylesheet(url)
    site.edit("services/ui/app/templates/index.html", "<h1>All pictures</h1>", "<h1>All our pictures</h1>")
    (site.directory / "services/ui/app/static/app.css").open("a").write("\n.added { color: red }\n")
    (site.directory / "services/images/app/__init__.py").open("a").write("\n# Another image.\n")
    paths = ["", "upload", old[1:], "images/pictures", "images/ready"]
    with load([f"{url}{path}" for path in paths], uploads) as seen:
        site.up()
    assert seen.failures == []
    assert seen.requests > 100
    assert "<h1>All our pictures</h1>" in httpx.get(url).text
    new = stylesheet(url)
    assert new != old
    assert [status(f"{url}{path[1:]}") for path in (old, new)] == [200, 200]
    assert ".added" in httpx.get(f"{url}{new[1:]}").text
    after = site.ids()
    assert {name for name in after if after[name] != before[name]} == set(APPLICATIONS)
    assert uploads.lost() == []


def test_after_a_release_no_log_has_an_error_and_an_idle_site_writes_next_to_nothing(site: Site) -> None:
    released = datetime.fromisoformat(site.container("ui").attrs["Created"])
    began = datetime.now(tz=UTC)
    time.sleep(IDLE)
    for name, each in site.containers().items():
        assert not re.search(r"\[(error|crit|alert|emerg)\]|ERROR|CRITICAL|FATAL|Traceback", text(each, released)), name
        assert text(each, began).count("\n") <= 1, name


def text(container: Container, since: datetime) -> str:
    written: bytes = container.logs(since=since.timestamp())
    return written.decode()


@pytest.mark.parametrize("name", ["ui", "images", "postgres", "edge"])
def test_the_site_comes_back_by_itself_when_a_main_process_dies_and_has_every_picture_it_acknowledged(
    site: Site, url: str, uploads: Uploads, name: str
) -> None:
    with load([], uploads):
        wait_until("a picture is acknowledged", lambda: uploads.acknowledged, 10)
        site.kill_main_process(name)
        wait_until(f"{name} was started again", lambda: site.container(name).attrs["RestartCount"] > 0, BACK_SECONDS)
        back(url)
        kept = len(uploads.acknowledged)
        wait_until("more pictures are acknowledged", lambda: len(uploads.acknowledged) > kept, BACK_SECONDS)
    assert uploads.lost() == []


def test_the_site_heals_by_itself_from_the_worst_order_of_starts(site: Site, url: str, uploads: Uploads) -> None:
    """As after a restart of the engine: all are down, nginx comes first and the database last."""
    containers = site.containers()
    for each in containers.values():
        each.stop(timeout=30)
    containers["edge"].start()
    wait_until("nginx answers without any service", lambda: status(url) == 503, BACK_SECONDS)
    for name in APPLICATIONS:
        containers[name].start()
    wait_until("the applications answer without a database", lambda: status(f"{url}images/health") == 200, BACK_SECONDS)
    assert status(f"{url}images/ready") == 503
    containers["postgres"].start()
    back(url)
    site.wait_until_healthy()
    assert uploads.lost() == []


@pytest.mark.parametrize(("removed", "stopped"), [("ui", "edge"), ("edge", "images")])
def test_a_refresh_heals_a_removed_and_a_stopped_container_and_touches_no_other(
    site: Site, url: str, removed: str, stopped: str
) -> None:
    others = CONTAINERS - {removed, stopped}
    before = site.starts(others)
    site.container(removed).remove(force=True)
    site.container(stopped).stop(timeout=10)
    plan = site.preview("--refresh").stdout
    assert all(f"{site.prefix}-{name} " in plan for name in (removed, stopped)), plan
    site.up("--refresh")
    back(url)
    assert site.starts(others) == before
    site.up("--expect-no-changes")


@pytest.mark.parametrize("state", ["kept", "lost"])
def test_destroy_and_up_find_the_data_again(site: Site, url: str, uploads: Uploads, state: str) -> None:
    uploads.send()
    site.note_images()
    site.pulumi("destroy", "--yes", "--skip-preview")
    assert site.remains() == [f"{site.prefix}-images-uploads", f"{site.prefix}-postgres-data"]
    if state == "lost":
        shutil.rmtree(site.root / "state")
        (site.root / "state").mkdir()
        site.init()
    site.up()
    back(url)
    assert uploads.lost() == []
    assert uploads.send() == ""


def test_a_run_whose_state_was_lost_cannot_start_a_second_server_on_the_data(
    site: Site, url: str, uploads: Uploads
) -> None:
    server = site.container("postgres").id
    state, aside = site.root / "state", site.root / "state.aside"
    settings = site.directory / f"Pulumi.{site.stack}.yaml"
    kept = settings.read_text()
    state.rename(aside)
    state.mkdir()
    try:
        site.init()
        site.pulumi("config", "set", "--path", "edge.port", str(free_port()))  # nothing else shall stand in its way
        refused = site.up(succeeds=False)
        assert f"/{site.prefix}-postgres" in refused.text
        assert "already in use" in refused.text
        assert site.container("postgres").id == server
        site.pulumi("destroy", "--yes", "--skip-preview")
    finally:
        settings.write_text(kept)
        shutil.rmtree(state)
        aside.rename(state)
    site.up("--refresh", "--expect-no-changes")
    back(url)
    assert uploads.lost() == []


def test_an_application_from_pypi_joins_the_site_by_settings_alone(site: Site, url: str) -> None:
    before = site.ids()
    for file, text in LEDGER_FILES.items():
        site.write(f"services/ledger/{file}", text)
    settings = yaml.safe_load((site.directory / "Pulumi.yaml").read_text())
    settings["config"]["services"]["default"]["ledger"] = LEDGER
    site.write("Pulumi.yaml", yaml.safe_dump(settings))
    site.up()
    there = {"id": "trip", "name": "A trip", "password": "secret", "contact_email": "a@example.org"}
    with httpx.Client(base_url=url, headers={"Host": LEDGER["host"]}, timeout=30) as visitor:
        assert "I hate money" in visitor.get("/").text
        made = visitor.post("/api/projects", data={**there, "default_currency": "XXX"})
        assert made.status_code == 201, made.text
        site.container("ledger").restart()
        kept = functools.partial(visitor.get, "/api/projects/trip", auth=("trip", "secret"))
        wait_until("the project is there", lambda: kept().status_code == 200, BACK_SECONDS)
        assert kept().json()["name"] == "A trip"
    ours = {"ledger", "ledger-schedule"}
    assert {name: identity for name, identity in site.ids().items() if name not in ours} == before
    log = site.container("ledger-schedule").logs
    wait_until("a scheduled command has run", lambda: b"tick: ended with exit code 0" in log(), MINUTE)
    assert b"/api/projects" in log()


def stylesheet(url: str) -> str:
    """The path of the stylesheet that the page names."""
    found = re.search(r'<link rel="stylesheet" href="([^"]+)"', httpx.get(url).text)
    assert found
    return found[1]


def back(url: str) -> None:
    """Waits until the pages, and through them the images API and its database, answer."""
    wait_until("the site answers", lambda: status(url) == status(f"{url}images/ready") == 200, BACK_SECONDS, pause=0.3)
