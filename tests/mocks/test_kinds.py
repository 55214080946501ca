"""The table of kinds says of each container what the program makes of it."""

from __future__ import annotations

import functools
import re
from unittest.mock import patch

import pytest

from slipway.core import kinds
from slipway.core.budget import generations
from slipway.core.naming import SERVICE_LABEL
from slipway.settings import configuration
from slipway.site.site import Site
from tests.mocks.program import ENGINE, run
from tests.mocks.recording import Program, Registered
from tests.mocks.sites import SITES

EVERY_SITE = pytest.mark.parametrize(
    ("stack", "declared"), [(stack, site) for site in SITES for stack in ("prod", "dev")]
)


@functools.cache
def made(stack: str, declared: str) -> tuple[Site, Program]:
    """One of SITES as the settings read it, and what the program made of it."""
    with patch.object(configuration, "load", functools.cache(configuration.load)) as load:
        program = run(stack, SITES[declared])
        return load(ENGINE), program


def component(made: Registered) -> str:
    """The class of the innermost component that a resource belongs to."""
    return str(re.findall(r"slipway:components:(\w+)\$", made.urn)[-1])


@EVERY_SITE
def test_whatever_runs_is_of_a_kind_that_the_site_has(stack: str, declared: str) -> None:
    site, program = made(stack, declared)
    running = {component(each) for each in (*program.containers.values(), *program.of_kind("Job").values())}
    assert running <= {kind.component for kind in kinds.of(site)}
    assert {kind.component for kind in kinds.of(site) if kind.name} <= running


@EVERY_SITE
def test_what_is_built_for_slipway_itself_is_pruned_and_tells_stacks_apart(stack: str, declared: str) -> None:
    """Both go by BUILT: what is not in it would stay on the engine for ever."""
    site, program = made(stack, declared)
    built = set(program.of_kind("Image")) - site.services.keys()
    assert built == {kind.name for kind in kinds.of(site) if kind.name in kinds.BUILT}


@EVERY_SITE
def test_the_limits_of_all_containers_are_what_the_site_is_said_to_need(stack: str, declared: str) -> None:
    site, program = made(stack, declared)
    needed = 0
    for each in program.containers.values():
        [owner] = [label["value"] for label in each.inputs["labels"] if label["label"] == SERVICE_LABEL]
        times = generations(site.services[owner]) if component(each) == kinds.SERVICE.component else 1
        needed += times * int(each.inputs["memory"])
    assert kinds.memory(site) == needed
