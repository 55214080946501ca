"""The gallery in both of its stacks: the services are the repository's own, the site is another."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.pictures import Uploads
from tests.e2e.site import status
from tests.support import engine
from tests.support.example import Example, example_running
from tests.support.waiting import wait_until

RELOAD_SECONDS = 5
UI = "../../services/ui"
BY_HAND = ("exec", "images", "--", "python", "manage.py")


@pytest.fixture(scope="module")
def site(site: Example) -> Example:
    """With tables and first pictures, made by hand."""
    assert status(f"{site.url}images/pictures") == 500, "without its table"
    assert "up to date" in site.slipway(*BY_HAND, "create_db")
    assert re.search(r"added [1-9]\d* pictures", site.slipway(*BY_HAND, "seed_db"))
    return site


def test_a_new_database_is_empty_until_it_is_filled_by_hand(site: Example) -> None:
    pictures = httpx.get(f"{site.url}images/pictures").json()
    assert pictures["total"] >= 3
    assert "added 0 pictures" in site.slipway(*BY_HAND, "seed_db")


def test_only_nginx_is_published_and_stands_in_front_and_behind_while_the_services_are_behind_alone(
    site: Example,
) -> None:
    client = engine.client()
    internal = {network.name: network.attrs["Internal"] for network in client.networks.list()}
    front = {}
    for name, container in site.containers().items():
        networks = container.attrs["NetworkSettings"]["Networks"]
        front[name] = [network for network in networks if not internal[network]]
        assert any(internal[network] for network in networks), name
        assert any(container.attrs["NetworkSettings"]["Ports"].values()) == (name == "edge"), name
    assert {name for name, networks in front.items() if networks} == {"edge"}
    assert set(front) == {"edge", "ui", "images", "postgres"}, "no database console"


def test_gunicorn_serves_the_entry_point_as_the_user_app_with_debugging_off(site: Example) -> None:
    for service in ("ui", "images"):
        titles: Any = site.container(service).top()
        command = " ".join(titles["Processes"][0])
        assert "--bind=0.0.0.0:5000" in command
        assert command.endswith("manage:app")
        said = site.slipway("exec", service, "--", "sh", "-c", "id -un; pwd; env").splitlines()
        assert said[:2] == ["app", "/home/app/web"]
        assert {"FLASK_DEBUG=0", "DB_INIT=0", "APP_FOLDER=/home/app/web"} <= set(said)


def test_an_image_has_neither_the_tests_nor_what_builds_wheels(site: Example) -> None:
    there = site.inside("ui", "sh", "-c", "ls; ls /opt/venv/bin")
    assert "manage.py" in there
    assert "tests" not in there
    assert "pip" not in there


def test_static_files_are_those_of_the_image_and_come_from_nginx_itself(site: Example) -> None:
    found = re.search(r'<link rel="stylesheet" href="(/static/[^"]+)"', httpx.get(site.url).text)
    assert found
    inside = site.inside("ui", "cat", f"/home/app/web/app{found[1]}")
    assert httpx.get(f"{site.url}{found[1][1:]}").text == inside
    assert [each["upstream"] for each in site.asked(found[1])] == [""]


def test_a_second_up_changes_nothing(site: Example) -> None:
    site.assert_settled()


def test_a_change_of_code_loses_no_request_and_no_picture(site: Example) -> None:
    uploads = Uploads(f"{site.url}images/")
    with site.under_load("", "images/pictures", also=uploads.send):
        site.edit(f"{UI}/app/templates/index.html", "<h1>All pictures</h1>", "<h1>Every picture</h1>")
        site.slipway("up")
    assert "<h1>Every picture</h1>" in httpx.get(site.url).text
    assert uploads.acknowledged
    assert uploads.lost() == []


def test_down_with_its_volumes_leaves_nothing(site: Example) -> None:
    assert [name for name in site.remains() if name.endswith(("-data", "-uploads"))]
    site.assert_destroyed_whole()


def test_dev_has_a_database_console_direct_ports_live_reload_and_first_pictures(
    tmp_path: Path, virtualenv: Path
) -> None:
    with example_running(Example(tmp_path, "gallery", "dev", virtualenv=virtualenv)) as dev:
        outputs = dev.outputs()
        assert 'name="auth[username]"' in httpx.get(outputs["adminer"]).text.replace("'", '"')
        assert engine.published(dev.container("ui"), 5000)[0] == "127.0.0.1"
        assert re.findall(r'<img src="/pictures/[^"]+/thumbnail"', httpx.get(outputs["ui_url"]).text)
        before = dev.ids()
        for change in ("<h1>My pictures</h1>", "<h1>All pictures</h1>"):
            page = dev.directory / UI / "app/templates/index.html"
            page.write_text(re.sub("<h1>.*</h1>", change, page.read_text()))
            start = time.monotonic()
            wait_until(f"{change} is served", lambda: change in httpx.get(outputs["ui_url"]).text, 10)  # noqa: B023
            assert time.monotonic() - start < RELOAD_SECONDS
        assert dev.ids() == before
        dev.assert_destroyed_whole()
