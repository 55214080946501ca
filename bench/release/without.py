"""Slipway with one safety step taken out, in the copy that the bench runs: the same load must then lose something."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bench.release.schedule import SHORT
from bench.release.steps import What


@dataclass(frozen=True)
class Edit:
    """One replacement in a file of the copied project. `old` must occur exactly once."""

    file: str
    old: str
    new: str


@dataclass(frozen=True, kw_only=True)
class Without:
    """What is taken out, why requests are then lost, the steps in which it shows, and the short requests in a second:
    some losses last a few milliseconds of a switch, and show the surer the more requests there are."""

    edits: tuple[Edit, ...]
    because: str
    steps: tuple[What, ...] = (What.RELEASE,) * 6
    rate: int = SHORT


RELEASE = "slipway/providers/release.py"
STEPS = {
    "drain": Without(
        edits=(Edit("components/release.py", "drain=ladder(site.drain).last_request,", "drain=0,"),),
        because="answers that take longer than the old containers' own grace end with them",
    ),
    "upstream-first": Without(
        edits=(
            Edit(RELEASE, "                show(edge, shown)\n", ""),
            Edit(RELEASE, "                gate.wait_until_ready(edge)\n", ""),
            Edit(
                RELEASE,
                'switch(edge, news["routes"])',
                'switch(edge, {**shown, **news["routes"]})',
            ),
        ),
        because="nginx knows no address of an upstream that the same reload brought",
        rate=2 * SHORT,
    ),
    "keepalive": Without(
        edits=(Edit("slipway/nginx/main.py", "    keepalive_min_timeout {CLIENT_KEEPALIVE_MIN}s;\n", ""),),
        because="a reload closes idle connections on which a request is under way",
        rate=2 * SHORT,
    ),
    "grace": Without(
        edits=(Edit("components/flask_service.py", "grace=ladder(context.site.drain).stop", "grace=0"),),
        because="the job that a worker has under way ends with it; of requests nothing is left behind the drain",
        steps=(What.RELEASE,),
    ),
    "gate": Without(
        edits=(
            Edit(RELEASE, "                gate.wait_until_well()\n", ""),
            Edit(RELEASE, "                gate.wait_until_ready(edge)\n", ""),
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
