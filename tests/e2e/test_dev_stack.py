"""The stack on a developer's machine: from one `up`, then worked on as a developer does."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.site import Site, running, status
from tests.support.engine import free_port, published
from tests.support.waiting import wait_until

OWNER = 4321 if os.geteuid() == 0 else os.geteuid()
"""Who the project's folder belongs to: root would see nothing of a file that got a wrong owner."""
FIELDS = {"username": "username", "password": "password", "db": "database"}
"""What a person types into adminer's form, and where the outputs tell it."""
RELOAD_SECONDS = 3
BACK_SECONDS = 15


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, virtualenv: Path) -> Iterator[Site]:
    ports = {"ui": free_port(), "images": free_port(), "adminer": free_port()}
    settings = {
        "overrides": {name: {"devPort": ports[name]} for name in ("ui", "images")},
        "adminer": {"port": ports["adminer"]},
    }
    made = Site(tmp_path_factory.mktemp("dev"), "dev", settings, virtualenv=virtualenv, owner=OWNER)
    with running(made) as up:
        yield up


@pytest.fixture(scope="module")
def outputs(site: Site) -> dict[str, Any]:
    return site.outputs()


@pytest.fixture
def ui(outputs: dict[str, Any]) -> str:
    return str(outputs["ui_url"])


def test_each_service_and_adminer_answer_on_this_machine_only(site: Site, outputs: dict[str, Any]) -> None:
    for name, port in (("ui", 5000), ("images", 5000), ("adminer", 8080)):
        assert published(site.container(name), port)[0] == "127.0.0.1"
    assert not site.container("postgres").attrs["NetworkSettings"]["Ports"].get("5432/tcp")
    assert answers(outputs) == [200, 200, 200]


def test_the_new_site_shows_pictures(ui: str) -> None:
    page = httpx.get(ui).text
    thumbnails = re.findall(r'<img src="(/pictures/[^"]+/thumbnail)"', page)
    assert len(thumbnails) >= 3
    picture = httpx.get(f"{ui.rstrip('/')}{thumbnails[0]}")
    assert picture.status_code == 200
    assert picture.headers["Content-Type"].startswith("image/")


def test_adminer_logs_in_to_the_stacks_own_server_with_the_login_that_the_outputs_name(outputs: dict[str, Any]) -> None:
    login = outputs["adminer_logins"]["images"]
    with httpx.Client(follow_redirects=True, timeout=30) as visitor:
        form = visitor.get(outputs["adminer"]).text
        assert '<option value="pgsql" selected>' in form
        assert re.search(r"name='auth\[server\]' value=.postgres.", form), form
        token = re.search(r"name='token' value='([^']+)'", form)
        typed = {f"auth[{name}]": login[key] for name, key in FIELDS.items()}
        hidden = {"auth[driver]": "pgsql", "auth[server]": "postgres", "token": token[1] if token else ""}
        answer = visitor.post(outputs["adminer"], data=typed | hidden)
    assert {"picture", "alembic_version"} <= set(re.findall(r"&amp;table=(\w+)", answer.text)), answer.text


def test_no_login_is_shown_without_being_asked_for(site: Site) -> None:
    shown = site.pulumi("stack", "output", "--json").stdout
    assert json.loads(shown)["adminer_logins"] == "[secret]"


def test_a_changed_template_and_a_changed_module_are_served_within_three_seconds(site: Site, ui: str) -> None:
    """There and back: the quicker of the two counts, as other tests may keep the machine busy for a moment."""
    before = site.ids()
    template, module = "services/ui/app/templates/index.html", "services/ui/app/pages.py"
    for url, file, *texts in (
        (ui, template, "<h1>All pictures</h1>", "<h1>All my pictures</h1>"),
        (f"{ui}health", module, '{"status": "ok"}', '{"status": "changed"}'),
    ):
        shown = [text.removeprefix('{"status": ').removesuffix("}") for text in texts]
        took = []
        for old, new in ((0, 1), (1, 0)):
            site.edit(file, texts[old], texts[new])
            start = time.monotonic()
            wait_until(f"{file} is served", lambda url=url, text=shown[new]: text in seen(url), 15)  # type: ignore[misc]
            took.append(time.monotonic() - start)
        assert min(took) < RELOAD_SECONDS
    assert site.ids() == before


def test_what_a_service_writes_into_its_source_folder_belongs_to_the_folders_owner(site: Site) -> None:
    site.inside("images", "flask", "--app", "manage", "db", "revision", "-m", "a new table")
    written = list(site.directory.glob("services/images/migrations/versions/*a_new_table.py"))
    assert [(path.stat().st_uid, path.stat().st_gid) for path in written] == [(OWNER, OWNER)]
    written[0].unlink()
    assert not list((site.directory / "services").rglob("__pycache__"))


def test_a_second_up_and_one_with_refresh_change_nothing(site: Site) -> None:
    before = site.ids()
    site.assert_unchanged()
    assert site.ids() == before


@pytest.mark.parametrize("name", ["ui", "images", "postgres", "adminer"])
def test_the_stack_comes_back_by_itself_when_a_main_process_dies(
    site: Site, outputs: dict[str, Any], name: str
) -> None:
    site.kill_main_process(name)
    wait_until(f"{name} was started again", lambda: site.container(name).attrs["RestartCount"] > 0, BACK_SECONDS)
    wait_until("the site answers", lambda: answers(outputs) == [200, 200, 200], BACK_SECONDS)


def test_destroy_leaves_nothing_of_the_stack_on_the_engine(site: Site) -> None:
    site.pulumi("destroy", "--yes", "--skip-preview")
    assert site.remains() == []


def answers(outputs: dict[str, Any]) -> list[int]:
    """Status of the site, of the images API with its database, and of adminer."""
    return [status(outputs["ui_url"]), status(f"{outputs['images_url']}ready"), status(outputs["adminer"])]


def seen(url: str) -> str:
    """The text at this address; "" while the server restarts."""
    try:
        return httpx.get(url, timeout=5).text
    except httpx.TransportError:
        return ""
