"""Slipway with one safety step taken out, in the copy that the bench runs: the same load must then lose something."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bench.release.steps import What


@dataclass(frozen=True)
class Edit:
    """One replacement in a file of the copied project. `old` must occur exactly once."""

    file: str
    old: str
    new: str


@dataclass(frozen=True, kw_only=True)
class Without:
    """What is taken out, why requests are then lost, and the steps in which it shows."""

    edits: tuple[Edit, ...]
    because: str
    steps: tuple[What, ...] = (What.RELEASE,) * 3


RELEASE = "slipway/providers/release.py"
STEPS = {
    "drain": Without(
        edits=(Edit("components/release.py", "drain=site.drain,", "drain=0,"),),
        because="kept connections of clients still lead to the old containers when these are stopped",
    ),
    "upstream-first": Without(
        edits=(
            Edit(RELEASE, "            show(edge, upstreams)\n            containers.ask(edge, deadline)\n", ""),
            Edit(RELEASE, 'switch(edge, news["routes"],', 'switch(edge, upstreams, news["routes"],'),
            Edit(RELEASE, "def switch(edge: Edge, routes: str,", "def switch(edge: Edge, new: Any, routes: str,"),
            Edit(RELEASE, "edge.write({ROUTES: routes})\n    try:", "edge.write({**new, ROUTES: routes})\n    try:"),
        ),
        because="nginx knows no address of an upstream that the same reload brought",
    ),
    "keepalive": Without(
        edits=(Edit("slipway/core/nginx_main.py", "    keepalive_min_timeout {CLIENT_KEEPALIVE_MIN}s;\n", ""),),
        because="a reload closes idle connections on which a request is under way",
    ),
    "grace": Without(
        edits=(Edit("components/flask_service.py", "grace = ladder(context.site.drain).stop", "grace = 0"),),
        because="answers that take longer than the drain end with the old container",
    ),
    "gate": Without(
        edits=(
            Edit(RELEASE, "            containers.wait_until_well(deadline)\n", ""),
            Edit(RELEASE, "            containers.ask(edge, deadline)\n", ""),
        ),
        because="a version that cannot answer takes over",
        steps=(What.BROKEN,),
    ),
}


def take_out(name: str, project: Path) -> None:
    """Raises ValueError where the project no longer has the text that the step is made of."""
    for edit in STEPS[name].edits:
        file = project / edit.file
        text = file.read_text()
        if text.count(edit.old) != 1:
            raise ValueError(
                f"{edit.file} has {text.count(edit.old)} times {edit.old!r}: bench/release/without.py is old"
            )
        file.write_text(text.replace(edit.old, edit.new))
