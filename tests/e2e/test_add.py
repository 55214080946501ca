"""`slipway add` on applications that are published on PyPI: they run as they come, and nothing of them is edited."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from slipway.setup import paths
from tests.e2e.site import Site, status
from tests.support.engine import free_port
from tests.support.waiting import wait_until


@dataclass(frozen=True)
class Published:
    """An application with its exact version: `page` is a path below its route, `shows` what the answer holds. `by_hand`
    are the settings that reading cannot tell; each counts as a line."""

    package: str
    version: str
    page: str
    shows: str
    by_hand: dict[str, Any] = field(default_factory=dict)


APPLICATIONS = {
    "httpbin": Published("httpbin", "0.10.4", "get?word=slipway", '"word": "slipway"'),
    "ihatemoney": Published("ihatemoney", "7.2.1", "", "I hate money"),
    "bepasty": Published("bepasty", "1.2.2", "", "bepasty"),
}


NOTES = {
    "requirements.txt": "flask\nflask-migrate\nflask-sqlalchemy\npsycopg2-binary\n",
    "migrations/alembic.ini": "[alembic]\n",
    "migrations/script.py.mako": "",
    "migrations/env.py": """\
from alembic import context
from flask import current_app

with current_app.extensions["migrate"].db.engine.begin() as connection:
    context.configure(connection=connection)
    context.run_migrations()
""",
    "migrations/versions/0001.py": """\
import sqlalchemy as sa
from alembic import op

revision, down_revision = "0001", None


def upgrade():
    op.create_table("note", sa.Column("id", sa.Integer(), primary_key=True), sa.Column("text", sa.Text()))
""",
    "notes/__init__.py": """\
import os

from flask import Flask, request
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy

db = SQLAlchemy()


class Note(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    text = db.Column(db.Text)


def create_app():
    app = Flask(__name__)
    app.config["SECRET_KEY"] = os.environ["SECRET_KEY"]
    app.config["SQLALCHEMY_DATABASE_URI"] = os.environ["DATABASE_URL"]
    db.init_app(app)
    Migrate(app, db)

    @app.route("/healthz")
    def healthz():
        return "well"

    @app.route("/notes", methods=["GET", "POST"])
    def notes():
        if request.method == "POST":
            db.session.add(Note(text=request.form["text"]))
            db.session.commit()
        return [note.text for note in Note.query.all()]

    return app
""",
}
"""An ordinary app on PostgreSQL: factory, migrations, secret key, address of its database in a variable."""


@dataclass(frozen=True)
class Added:
    """A site with the applications in it, how many lines of settings each has, and their files as they came."""

    site: Site
    url: str
    lines: dict[str, int]
    files: dict[str, str]

    def declared(self, name: str) -> dict[str, Any]:
        """What was written into Pulumi.yaml."""
        described = yaml.safe_load((self.site.directory / "Pulumi.yaml").read_text())
        found: dict[str, Any] = described["config"]["services"]["default"][name]
        return found

    def folder(self, name: str) -> Path:
        return self.site.directory / "services" / name


@pytest.fixture(scope="module")
def added(tmp_path_factory: pytest.TempPathFactory, virtualenv: Path) -> Iterator[Added]:
    site = Site(tmp_path_factory.mktemp("add"), "prod", {"edge": {"port": free_port()}}, virtualenv=virtualenv)
    described = yaml.safe_load((site.directory / "Pulumi.yaml").read_text())
    described["config"]["services"]["default"] = {}
    site.write("Pulumi.yaml", yaml.safe_dump(described))
    stack = yaml.safe_load((site.directory / "Pulumi.prod.yaml").read_text())
    site.write("Pulumi.prod.yaml", yaml.safe_dump({"config": {"edge": stack["config"]["edge"]}}))
    unpacked = {name: unpack(each, site, name) for name, each in APPLICATIONS.items()}
    files = {name: digest(folder) for name, folder in unpacked.items()}
    lines = {}
    for name, folder in unpacked.items():
        told = slipway(site, "add", str(folder), "--json")
        assert (told["service"], told["written"], told["mistakes"], told["missing"]) == (name, True, [], [])
        lines[name] = told["lines"] + len(APPLICATIONS[name].by_hand)
    for file, text in NOTES.items():
        site.write(f"services/notes/{file}", text)
    told = slipway(site, "add", "services/notes", "--json")
    assert (told["mistakes"], told["missing"]) == ([], [])
    by_hand = {name: each.by_hand for name, each in APPLICATIONS.items() if each.by_hand}
    if by_hand:
        stack = yaml.safe_load((site.directory / "Pulumi.prod.yaml").read_text())
        site.write("Pulumi.prod.yaml", yaml.safe_dump({"config": {**stack["config"], "overrides": by_hand}}))
    try:
        site.init()
        site.up()
        yield Added(site, str(site.outputs()["url"]), lines, files)
    finally:
        site.remove()


@pytest.mark.parametrize("name", APPLICATIONS)
def test_a_published_application_answers_through_nginx_and_none_of_its_files_was_edited(
    added: Added, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    declared = added.declared(name)
    answer = httpx.get(f"{added.url.rstrip('/')}{declared['route']}{APPLICATIONS[name].page}", follow_redirects=True)
    assert answer.status_code == 200
    assert APPLICATIONS[name].shows in answer.text
    assert digest(added.folder(name)) == added.files[name]
    with capsys.disabled():
        print(f"\n{name} {APPLICATIONS[name].version}: {added.lines[name]} lines of settings")


@pytest.mark.parametrize("name", APPLICATIONS)
def test_its_static_files_come_from_nginx_itself(added: Added, name: str) -> None:
    declared = added.declared(name)
    [(url, static)] = declared["static"].items()
    static = added.folder(name) / static
    file = next(each for each in sorted(static.rglob("*.*")) if each.suffix in {".css", ".js", ".png", ".ico"})
    below = file.relative_to(static).as_posix()
    path = f"{declared['route'].rstrip('/')}{url}{below}"
    answer = httpx.get(f"{added.url.rstrip('/')}{path}")
    assert (answer.status_code, answer.content) == (200, file.read_bytes())
    log = [json.loads(line) for line in added.site.container("edge").logs().decode().splitlines() if line[:1] == "{"]
    assert [line["upstream"] for line in log if line["path"] == path] == [""]


def test_an_ordinary_app_on_postgres_has_its_tables_and_keeps_what_it_is_sent(added: Added) -> None:
    assert added.declared("notes")["migrate"] == "flask db upgrade"
    address = f"{added.url}notes/notes"
    assert httpx.get(address).json() == []
    assert httpx.post(address, data={"text": "kept"}).json() == ["kept"]
    added.site.container("notes").restart(timeout=30)
    wait_until("it answers again", lambda: status(address) == 200, 60)
    assert httpx.get(address).json() == ["kept"]


def test_a_second_up_has_nothing_to_do(added: Added) -> None:
    added.site.up("--expect-no-changes")


def unpack(application: Published, site: Site, name: str) -> Path:
    """Its source distribution, as it is published, in a folder of the site's services."""
    downloads = site.root / "downloads"
    wanted = f"{application.package}=={application.version}"
    subprocess.run(
        [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:", "-d", downloads, wanted],
        check=True,
        timeout=120,
    )
    [archive] = downloads.glob(f"{application.package}-*.tar.gz")
    shutil.unpack_archive(archive, site.root / "unpacked")
    folder = site.directory / "services" / name
    (site.root / "unpacked" / archive.name.removesuffix(".tar.gz")).rename(folder)
    return folder


def digest(folder: Path) -> str:
    """One value for the names and the contents of all files."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    content = [f"{path.relative_to(folder)} {hashlib.sha256(path.read_bytes()).hexdigest()}" for path in files]
    assert content
    return hashlib.sha256("\n".join(content).encode()).hexdigest()


def slipway(site: Site, *arguments: str) -> dict[str, Any]:
    """The command's result, of the program under test."""
    done = subprocess.run(
        [paths.PROJECT / "bin" / "slipway", *arguments, "--stack", site.stack],
        cwd=site.directory,
        env=site.environment,
        check=False,
        text=True,
        capture_output=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result
