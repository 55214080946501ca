"""The policy pack on the whole program, run by Pulumi itself: in a preview, so that nothing has to be deployed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.e2e.site import Site
from tests.support import engine

SECRET = "a-chosen-secret-0123456789"


class Mistake(NamedTuple):
    """A change of the program, and the rule that refuses it."""

    stack: str
    rule: str
    file: str
    old: str
    new: str


SERVICE, HARDENING, WORKLOAD = (f"components/{name}.py" for name in ("flask_service", "hardening", "workload"))
TOPOLOGY = "slipway/core/topology.py"
SOCKET = '\n                Mount(folder="/var/run/docker.sock", target="/x"),'
CHOSEN = 'tmpfs={"/x": self.args.secrets.of("ui", "SECRET_KEY")} if service.name == "ui" else scratch.tmp(64)'
MISTAKES = [
    Mistake("prod", "read-only-root", HARDENING, '"read_only": True', '"read_only": False'),
    Mistake("dev", "bounded-memory", HARDENING, '"memory_swap": limits.memory', '"memory_swap": 2 * limits.memory'),
    Mistake("prod", "published-ports", SERVICE, "self.args.context.site.profile.publish_services and", "True and"),
    Mistake("prod", "no-engine-socket", "components/edge.py", "            mounts=[", f"            mounts=[{SOCKET}"),
    Mistake("dev", "internal-networks", TOPOLOGY, "=POSTGRES, internal=True", "=POSTGRES, internal=False"),
    Mistake("dev", "limited-processes", WORKLOAD, ", containers, strict=True)", ", containers[:0])"),
    Mistake("prod", "hidden-secrets", SERVICE, "tmpfs=scratch.tmp(64)", CHOSEN),
]  # fmt: skip


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory, virtualenv: Path) -> Iterator[dict[str, Site]]:
    """Both stacks, never brought up, with one secret that somebody chose."""
    made = {stack: Site(tmp_path_factory.mktemp(stack), stack, {}, virtualenv=virtualenv) for stack in ("prod", "dev")}
    for site in made.values():
        site.init()
        site.pulumi("config", "set", "--secret", "--path", "secrets.ui.SECRET_KEY", SECRET)
    yield made
    for site in made.values():
        engine.remove_all(site.project)


def checked(site: Site, *, succeeds: bool) -> str:
    """What a preview with the policy pack says."""
    return site.preview("--policy-pack", str(site.directory / "policy"), succeeds=succeeds).text


@pytest.mark.parametrize("stack", ["prod", "dev"])
def test_the_shipped_site_keeps_to_the_policy(sites: dict[str, Site], stack: str) -> None:
    said = checked(sites[stack], succeeds=True)
    assert "slipway@v" in said
    assert "mandatory" not in said
    assert "advisory" not in said


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda each: f"{each.stack}-{each.rule}")
def test_a_mistake_in_a_component_stops_the_preview(sites: dict[str, Site], mistake: Mistake) -> None:
    site = sites[mistake.stack]
    path = site.directory / mistake.file
    text = path.read_text()
    site.edit(mistake.file, mistake.old, mistake.new)
    try:
        said = checked(site, succeeds=False)
    finally:
        path.write_text(text)
    assert f"[mandatory]  {mistake.rule}" in said
    assert SECRET not in said
