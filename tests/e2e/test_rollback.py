"""Releases of a site with one service and its database: listed, gone back to, held, and cleared away."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from docker.errors import ImageNotFound

from slipway.setup import paths
from tests.e2e.pictures import Uploads, load
from tests.e2e.site import Site, running
from tests.support import engine

SERVICE = "images"
CODE = f"services/{SERVICE}/app/api.py"
NAMES = ["images", "second", "third"]
"""What each release says that it is."""
MIGRATION = '''\
"""One column more, that older code need not know."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("picture", sa.Column("place", sa.Text()))
'''


class Shop(Site):
    """The site, and the operator's command."""

    def slipway(self, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [str(paths.PROJECT / "bin" / "slipway"), *arguments, "--stack", self.stack],
            cwd=self.directory,
            env=self.environment,
            text=True,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=300,
            check=False,
        )
        assert done.returncode == code, f"{arguments}: exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def releases(self) -> dict[str, dict[str, Any]]:
        """{number: what is listed}, the newest first."""
        return {row["release"]: row for row in json.loads(self.slipway("releases", "--json").stdout)}

    def serving(self) -> list[str]:
        return [number for number, row in self.releases().items() if row["serving"]]

    def tags(self) -> dict[str, str]:
        """{tag: image id} of the service."""
        found = engine.client().api.images()
        named = {name: str(image["Id"]) for image in found for name in image["RepoTags"] or ()}
        own = f"{self.prefix}-{SERVICE}:"
        return {name.removeprefix(own): image for name, image in named.items() if name.startswith(own)}

    def release_as(self, name: str) -> None:
        """A new release that says so of itself."""
        code = self.directory / CODE
        lines = code.read_text().splitlines()
        self.write(CODE, "\n".join(f'        "service": "{name}",' if '"service":' in line else line for line in lines))
        self.up()

    def columns(self) -> str:
        query = "SELECT string_agg(column_name, ' ') FROM information_schema.columns WHERE table_name = 'picture'"
        return self.inside("postgres", "psql", "-XqtA", "-d", SERVICE, "-c", query, user="postgres")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, virtualenv: Path) -> Iterator[Shop]:
    """Three releases, and room for no more."""
    shop = Shop(tmp_path_factory.mktemp("rollback"), "prod", {}, virtualenv=virtualenv)
    declared = yaml.safe_load((shop.directory / "Pulumi.yaml").read_text())["config"]["services"]["default"][SERVICE]
    config = {
        "services": {SERVICE: {**declared, "route": "/"}},
        "edge": {"port": engine.free_port()},
        "keepReleases": 3,
    }
    shop.write("Pulumi.prod.yaml", f"# ours\n{yaml.safe_dump({'config': config})}")
    with running(shop):
        for name in NAMES[1:]:
            shop.release_as(name)
        yield shop


@pytest.fixture(scope="module")
def url(site: Shop) -> str:
    return str(site.outputs()["url"])


@pytest.fixture(scope="module")
def uploads(url: str) -> Uploads:
    return Uploads(url)


def served(url: str) -> str:
    return str(httpx.get(url).json()["service"])


def built(site: Shop) -> set[str]:
    """The logical names of what Pulumi builds."""
    images = [each for each in site.resources() if each["type"] == "docker:index/image:Image"]
    return {each["urn"].rpartition("::")[2].removeprefix(f"{site.prefix}-") for each in images}


def test_each_release_is_listed_with_its_image_which_carries_its_number(site: Shop, url: str) -> None:
    found = site.releases()
    assert [(number, row["serving"]) for number, row in found.items()] == [("3", True), ("2", False), ("1", False)]
    tags = site.tags()
    assert set(tags) == {"latest", "3", "2", "1"}
    assert {number: tags[number][7:19] for number in found} == {n: row["images"][SERVICE] for n, row in found.items()}
    assert tags["3"] == site.container(SERVICE).attrs["Image"]
    assert served(url) == "third"


def test_a_rollback_serves_the_old_code_loses_no_request_and_builds_nothing(
    site: Shop, url: str, uploads: Uploads
) -> None:
    uploads.send()
    tags, others = site.tags(), site.starts({"edge", "postgres"})
    with load([url, f"{url}pictures"], uploads) as seen:
        said = site.slipway("rollback")
    assert seen.failures == []
    assert served(url) == "second"
    assert "pinned to release 2" in said.stdout
    assert (site.serving(), [n for n, row in site.releases().items() if row["pinned"]]) == (["2"], ["2"])
    assert site.container(SERVICE).attrs["Image"] == tags["2"]
    assert site.tags() == tags
    assert built(site) == {"edge", "postgres"}
    assert site.starts({"edge", "postgres"}) == others
    assert uploads.lost() == []


def test_while_it_is_pinned_the_newest_source_changes_nothing_also_with_plain_pulumi(site: Shop, url: str) -> None:
    site.edit(CODE, '"third"', '"fourth"')
    before = site.ids()
    assert "pinned to release 2" in site.up("--expect-no-changes").text
    assert "slipway rollback --clear" in site.up("--refresh", "--expect-no-changes").text
    assert json.loads(site.slipway("preview", "--json", "--expect-no-changes").stdout)["pinned"] == "2"
    assert (site.ids(), served(url)) == (before, "second")


def test_ended_it_goes_on_with_the_newest_source_and_the_oldest_release_goes(
    site: Shop, url: str, uploads: Uploads
) -> None:
    tags, infrastructure = site.tags(), site.starts({"edge", "postgres"})
    site.slipway("rollback", "--clear")
    assert served(url) == "second", "by itself that deploys nothing"
    assert (site.directory / "Pulumi.prod.yaml").read_text().startswith("# ours\n")
    site.up()
    assert served(url) == "fourth"
    assert list(site.releases()) == ["4", "3", "2"]
    assert set(site.tags()) == {"latest", "4", "3", "2"}
    with contextlib.suppress(ImageNotFound):  # another site may have built the very same
        others = engine.client().images.get(tags["1"]).tags
        assert others
        assert [tag for tag in others if tag.startswith(site.prefix)] == []
    assert site.starts({"edge", "postgres"}) == infrastructure
    assert uploads.lost() == []
    site.assert_settled()


def test_a_release_whose_image_is_gone_is_refused_before_anything_is_touched(site: Shop, url: str) -> None:
    engine.client().images.remove(f"{site.prefix}-{SERVICE}:3")
    before = site.ids()
    assert f"no longer has the images of release 3: {SERVICE}" in site.slipway("rollback", "3", code=4).stderr
    [release] = [each for each in site.resources() if each["type"].endswith("slipway:Release")]
    [record] = [each for each in release["outputs"]["records"] if each["release"] == "3"]
    text = (site.directory / "Pulumi.prod.yaml").read_text()
    pin = {key: record[key] for key in ("release", "images", "services")}
    site.write("Pulumi.prod.yaml", yaml.safe_dump(merged(text, pin)))
    said = site.up(succeeds=False).text
    assert f"release.images.{SERVICE}: the engine has the image of release 3 no more" in said
    site.write("Pulumi.prod.yaml", text)
    assert (site.ids(), served(url)) == (before, "fourth")


def test_after_a_migration_it_needs_force_and_the_schema_stays(site: Shop, url: str, uploads: Uploads) -> None:
    site.write(f"services/{SERVICE}/migrations/versions/0002_place.py", MIGRATION)
    site.release_as("fifth")
    assert "place" in site.columns()
    said = site.slipway("rollback", code=5)
    assert f"{SERVICE}: migrations ran since release 4" in said.stderr
    assert served(url) == "fifth"
    site.slipway("rollback", "--force")
    assert served(url) == "fourth"
    assert "place" in site.columns()
    assert uploads.send() == ""
    assert uploads.lost() == []


def merged(text: str, release: dict[str, Any]) -> dict[str, Any]:
    described = yaml.safe_load(text)
    return {**described, "config": {**described["config"], "release": release}}
