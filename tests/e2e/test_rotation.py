"""Every generated secret of the shipped site drawn anew while it is in use, and none of them where it must not be."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from slipway.audit import leaks
from slipway.audit.canary import Canaries
from slipway.cli.target import Target
from slipway.setup import paths
from tests.e2e.pictures import Uploads, drawn, load
from tests.e2e.site import Site, running
from tests.support import engine
from tests.support.base_images import base_image

APPLICATIONS = {"ui", "images"}
KEPT = {"edge", "postgres"}
SCRIPT = re.compile("exec_create: .*--file=-")
"""A script that is run in the server."""
PAGES = ("", "upload", "images/pictures", "images/ready")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, virtualenv: Path) -> Iterator[Site]:
    settings = {"edge": {"port": engine.free_port()}}
    with running(Site(tmp_path_factory.mktemp("prod"), "prod", settings, virtualenv=virtualenv)) as up:
        yield up


@pytest.fixture(scope="module")
def url(site: Site) -> str:
    return str(site.outputs()["url"])


@dataclass(frozen=True)
class Secrets:
    """What the containers have."""

    user: str
    password: str
    key: str
    fallbacks: str
    superuser: str

    @classmethod
    def of(cls, site: Site) -> Secrets:
        def variables(name: str) -> dict[str, str]:
            lines = site.inside(name, "sh", "/run/slipway/exec", "env").splitlines()
            return dict(line.partition("=")[::2] for line in lines)

        images, ui = variables("images"), variables("ui")
        superuser = site.inside("postgres", "cat", "/etc/slipway/superuser-password", user="postgres")
        keys = ui["SECRET_KEY"], ui.get("SECRET_KEY_FALLBACKS", "[]")
        return cls(images["DB_USER"], images["DB_PASSWORD"], *keys, superuser)


def enters(site: Site, user: str, password: str) -> bool:
    """Over the network, as the service does."""
    server = site.container("postgres")
    command = ["psql", "-XqtAc", "SELECT 1", "-h", engine.address(server), "-U", user, "-d", "images"]
    return server.exec_run(command, environment={"PGPASSWORD": password}).exit_code == 0


def slipway(site: Site, *arguments: str) -> str:
    """What the operator's command writes."""
    done = subprocess.run(
        [str(paths.PROJECT / "bin" / "slipway"), *arguments, "--stack", site.stack],
        cwd=site.directory,
        env=site.environment,
        text=True,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"{arguments}: exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


class Visitor:
    """Opens the upload form, and sends it some time later."""

    def __init__(self, url: str) -> None:
        self.client = httpx.Client(base_url=url, timeout=30)
        page = self.client.get("upload").text
        hidden = [dict(re.findall(r'(\w+)="([^"]*)"', each)) for each in re.findall("<input[^>]*>", page)]
        self.fields = {each["name"]: each["value"] for each in hidden if each.get("type") == "hidden"}
        assert {"csrf_token", "upload_key"} <= self.fields.keys(), page

    def sends(self) -> httpx.Response:
        return self.client.post("upload", data=self.fields, files={"file": ("a.png", drawn(5))})


@dataclass(frozen=True)
class Rotated:
    """A rotation of everything under load: before, after, and what was seen on the way."""

    before: Secrets
    after: Secrets
    said: str
    failures: list[str]
    requests: int
    seconds: float
    starts: dict[str, tuple[str, str]]
    gone: set[str]
    events: list[dict[str, Any]]
    form: Visitor
    uploads: Uploads


@pytest.fixture(scope="module")
def rotated(site: Site, url: str) -> Rotated:
    before, starts, ids = Secrets.of(site), site.starts(KEPT), site.ids()
    form, uploads = Visitor(url), Uploads(f"{url}images/")
    begun = time.monotonic()
    with happening() as events, load([f"{url}{page}" for page in PAGES], uploads) as seen:
        said = slipway(site, "rotate", "--all")
    return Rotated(
        before=before,
        after=Secrets.of(site),
        said=said,
        failures=seen.failures,
        requests=seen.requests,
        seconds=time.monotonic() - begun,
        starts=starts,
        gone={ids[name] for name in APPLICATIONS},
        events=events,
        form=form,
        uploads=uploads,
    )


@contextmanager
def happening() -> Iterator[list[dict[str, Any]]]:
    """What happens to containers within the block. It is listened to: the engine remembers only the last events."""
    seen: list[dict[str, Any]] = []
    stream: Any = engine.client().events(decode=True, filters={"type": "container"})

    def listen() -> None:
        seen.extend(stream)

    listener = threading.Thread(target=listen)
    listener.start()
    try:
        yield seen
    finally:
        stream.close()
        listener.join()


def test_no_request_fails_and_nothing_is_lost(rotated: Rotated) -> None:
    print(f"{rotated.requests} requests, {rotated.requests / rotated.seconds:.0f} each second")
    assert rotated.failures == []
    assert rotated.requests > 100
    assert len(rotated.uploads.acknowledged) > 5
    assert rotated.uploads.lost() == []


def test_every_value_is_another_one(site: Site, rotated: Rotated) -> None:
    before, after = rotated.before, rotated.after
    assert (before.user, after.user) == ("images_runtime_a", "images_runtime_b")
    assert len({before.password, after.password, before.key, after.key, before.superuser, after.superuser}) == 6
    assert (before.fallbacks, json.loads(after.fallbacks)) == ("[]", [before.key])
    written = yaml.safe_load((site.directory / "Pulumi.prod.yaml").read_text())["config"]["rotations"]
    assert written == {"ui": {"SECRET_KEY": 1}, "images": {"database": 1}, "postgres": {"superuser": 1}}


def test_a_form_that_was_opened_before_is_accepted_after_it(rotated: Rotated) -> None:
    sent = rotated.form.sends()
    assert sent.status_code == 303, sent.text
    assert "is uploaded" in rotated.form.client.get(sent.headers["Location"]).text


def test_the_old_password_and_the_old_login_are_refused(site: Site, rotated: Rotated) -> None:
    before, after = rotated.before, rotated.after
    assert enters(site, after.user, after.password)
    assert not enters(site, before.user, before.password)
    assert not enters(site, after.user, before.password)
    assert not enters(site, before.user, after.password)
    asked = (
        "SELECT string_agg(rolname, ' ' ORDER BY rolname) FROM pg_authid "
        "WHERE rolcanlogin AND rolpassword IS NOT NULL AND rolname LIKE 'images%'"
    )
    opened = site.inside("postgres", "psql", "-XqtAc", asked, user="postgres")
    assert opened.split() == ["images_owner_b", "images_runtime_b"]


def test_only_the_containers_that_have_the_secrets_were_replaced_and_the_server_went_on(
    site: Site, rotated: Rotated
) -> None:
    assert site.starts(KEPT) == rotated.starts
    assert not set(site.ids().values()) & rotated.gone


def test_the_old_logins_were_locked_after_the_containers_that_used_them_had_gone(site: Site, rotated: Rotated) -> None:
    server, events = site.container("postgres").id, rotated.events
    scripts = [each["timeNano"] for each in events if each["id"] == server and SCRIPT.match(each["Action"])]
    removed = [each["timeNano"] for each in events if each["id"] in rotated.gone and each["Action"] == "destroy"]
    opened, *locked = scripts
    assert (len(locked), len(removed)) == (2, 2)
    assert opened < min(removed) < max(removed) < min(locked)


def test_what_was_said_holds_no_secret_and_a_second_up_changes_nothing(site: Site, rotated: Rotated) -> None:
    again = site.up("--diff", "--expect-no-changes").text + site.up("--refresh", "--expect-no-changes").text
    known = {
        f"{moment}.{name}": value
        for moment in ("before", "after")
        for name, value in vars(getattr(rotated, moment)).items()
    }
    values = {name: value for name, value in known.items() if not name.endswith((".user", ".fallbacks"))}
    assert Canaries(values).in_bytes((rotated.said + again).encode()) == set()
    assert "the login images_runtime_a is locked" in rotated.said


def target(site: Site, monkeypatch: pytest.MonkeyPatch) -> Target:
    for name in ("PULUMI_HOME", "PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE"):
        monkeypatch.setenv(name, site.environment[name])
    return Target(site.stack, site.directory, json=False)


def test_plain_pulumi_rotates_by_the_same_count(site: Site, url: str, rotated: Rotated) -> None:
    for name in ("images.database", "postgres.superuser"):
        site.pulumi("config", "set", "--path", f"rotations.{name}", "2")
    server = site.container("postgres").id
    planned = {urn.rpartition("::")[2].removeprefix(f"{site.prefix}-"): step for urn, step in site.steps().items()}
    assert "postgres" not in planned, "a preview frightens nobody"
    assert planned["postgres-config"] == "update"
    with load([f"{url}images/ready"], rotated.uploads) as seen:
        site.up()
    assert seen.failures == []
    now = Secrets.of(site)
    assert now.superuser not in {rotated.before.superuser, rotated.after.superuser}
    assert site.container("postgres").id == server
    assert now.user == rotated.before.user == "images_runtime_a"
    assert now.password not in {rotated.before.password, rotated.after.password}
    assert enters(site, now.user, now.password)
    assert not enters(site, now.user, rotated.before.password)
    assert not enters(site, rotated.after.user, rotated.after.password)
    assert rotated.uploads.lost() == []
    site.up("--expect-no-changes")


def test_a_count_that_skips_one_is_refused_and_the_site_goes_on(site: Site, url: str, rotated: Rotated) -> None:
    site.pulumi("config", "set", "--path", "rotations.images.database", "4")
    refused = site.up(succeeds=False)
    assert "the login images_owner_a is still in use: an earlier rotation has not ended" in refused.text
    site.pulumi("config", "set", "--path", "rotations.images.database", "2")
    site.up()
    assert httpx.get(f"{url}images/ready").status_code == 200
    site.up("--expect-no-changes")


def test_no_secret_is_where_it_must_not_be_and_a_planted_one_is_found(
    site: Site, rotated: Rotated, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = target(site, monkeypatch)
    looked_at = dict(leaks.looked_at(stack))
    assert {place: hits for place, hits in looked_at.items() if hits} == {}
    kinds = ("inspect ", "history of", "layers of", "processes of", "log of", "pulumi preview", "state: ")
    assert [kind for kind in kinds if not any(place.startswith(kind) for place in looked_at)] == []
    assert rotated.after.key, "the ui still has it"
    planted = engine.client().containers.run(
        base_image("python"),
        ["sh", "-c", f"echo {base64.b64encode(f'a {rotated.after.key}'.encode()).decode()}; sleep 600"],
        entrypoint=[],
        name=f"{site.prefix}-planted",
        environment={"KEY": Secrets.of(site).password},
        labels=dict(label.split("=") for label in site.labels()),
        network_mode="none",
        detach=True,
    )
    try:
        found = dict(leaks.looked_at(stack, lambda place: "planted" in place))
    finally:
        planted.remove(force=True)
    forms = {(place, hit.form) for place, hits in found.items() for hit in hits}
    assert forms == {
        (f"inspect {site.prefix}-planted", "plain"),
        (f"inspect {site.prefix}-planted", "base64"),
        (f"processes of {site.prefix}-planted", "base64"),
        (f"log of {site.prefix}-planted", "base64"),
    }
