"""A release: new containers take over from old ones when all of them are well, in one reload of nginx.

It runs after the new containers were started and before the old ones are deleted, in the same run. If it fails, the run
fails, the old containers stay and nginx goes on sending everything to them, or does so again when a new one has ended
before the old ones had; the next run tries again. Every step can be repeated, and after every step nginx could be
restarted and would serve the site.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

import pulumi
from docker import DockerClient
from docker.models.containers import Container
from pulumi.dynamic import Resource

from slipway.core.serving import serving
from slipway.core.timeouts import CLIENT_KEEPALIVE_MIN
from slipway.providers.edge import Edge
from slipway.providers.engine import Failure, Interrupted, Properties, connect, find, pause, say, wait
from slipway.providers.finishing import Finishing
from slipway.providers.gate import Gate
from slipway.providers.records import BookKeeper, Candidate

RESTART = 5
"""Seconds that nginx may take to run again."""
WATCHED = CLIENT_KEEPALIVE_MIN
"""Seconds at least, from the switch on, in which the old containers are there to take over again. A drain takes as long
anyway where somebody keeps a connection."""
LOOK = 0.5
"""Seconds between two looks at what has been switched to; each of them is work for a machine that serves."""
UNTOUCHED = "Nothing was switched: the site goes on as it was."
BACK = "Switched back: the release before serves again."
GONE = "The release before is not there to go back to, so nginx goes on with what is left of this one."


class ReleaseProvider(BookKeeper):
    """Waits, shows, asks, switches, drains; in this order."""

    work: ClassVar = ("containers", "edge", "upstreams", "routes", "pages")

    def id(self, _props: Properties) -> str:
        return "release"

    def do(self, olds: Properties, news: Properties) -> None:
        settled = {container["name"] for container in olds.get("containers", [])}
        with connect(news["engine"]) as client:
            gate = Gate(client, news["containers"], settled, float(news["timeout"]))
            edge = edge_of(client, news) if news["edge"] else None
            outcome = UNTOUCHED
            try:
                gate.begin()
                gate.wait_until_well()
                if edge is None:
                    return
                upstreams = {f"upstreams-{name}.conf": text for name, text in news["upstreams"].items()}
                show(edge, {**upstreams, **news["pages"]})
                gate.wait_until_ready(edge)
                before = edge.files()
                old = switch(edge, news["routes"])
                try:
                    drain(edge, old, float(news["drain"]), gate)
                except Interrupted:
                    raise
                except Failure:
                    outcome = switch_back(client, edge, before, news["routes"], float(news["drain"]))
                    raise
            except Interrupted:
                raise
            except Failure as failure:
                raise Failure(str(failure) + aftermath(gate, edge, outcome, moved(olds, news))) from None
            edge.remove(sorted(edge.files().keys() - upstreams.keys() - news["pages"].keys() - news["routes"].keys()))

    def delete(self, _id: str, _props: Properties) -> None:
        """nginx and the containers have resources of their own."""


def edge_of(client: DockerClient, props: Properties) -> Edge:
    """Raises Failure when nginx does not run. It may just be started again, after it was killed."""

    def running() -> Container | None:
        found = find(client, props["edge"])
        return found if found and found.status == "running" else None

    container = wait(running, RESTART, lambda: f"nginx does not run: container {props['edge']}")
    assert container is not None
    return Edge(container, props["directory"], props["main"], int(props["gate_port"]))


def moved(olds: Properties, news: Properties) -> list[str]:
    """The services whose migration ran since the release that serves; none where there was no release yet."""
    before: Mapping[str, str] = olds.get("migrations") or {}
    now: Mapping[str, str] = news.get("migrations") or {}
    return sorted(service for service in now if olds and before.get(service) != now[service])


def aftermath(gate: Gate, edge: Edge | None, outcome: str, migrated: Sequence[str]) -> str:
    """Stops what must not go on working after a failed gate; what the report says besides the cause."""
    if edge is None:
        return ""  # development: nothing else could serve, and the source is about to be edited
    now = serving(edge.files())
    kept = gate.stop({name for names in now.values() for name in names})
    lines = ["", outcome]
    lines += [f"  {service} is served by {', '.join(names)}" for service, names in now.items()]
    if not now:
        lines[-1] = "Nothing was switched: there was no release before, so nothing serves yet."
    if migrated:
        lines.append(
            f"The migration of {' and '.join(migrated)} ran before: the schema has moved on, and stays; the old code "
            "must suit it."
        )
    if kept:
        lines.append("Stopped, and kept until the next release replaces them or tries them again:")
        lines += [f"  docker logs {name}" for name in kept]
    return "\n".join(lines)


def show(edge: Edge, files: Mapping[str, str]) -> None:
    """Adds new upstreams, and pages. nginx looks up addresses while it still sends everything to the old upstreams."""
    edge.write(files)
    edge.reload()


def switch(edge: Edge, routes: Mapping[str, str], done: str = "release: switched") -> set[int]:
    """Puts the new routes in force in one reload; the process ids of the nginx workers that still finish requests by
    the old ones. Raises Failure, with the old routes in force, when nginx does not take the new ones."""
    files = edge.files()
    before = {name: files[name] for name in routes if name in files}
    edge.write(routes)
    try:
        old = edge.reload()
    except Failure:
        edge.remove(routes.keys() - before.keys())
        edge.write(before)
        raise
    say(done)
    return old


def switch_back(
    client: DockerClient, edge: Edge, before: Mapping[str, str], routes: Iterable[str], seconds: float
) -> str:
    """Has nginx send everything to the release before again, and lets requests to the new one end; `before` are nginx's
    files of then, `routes` the names of those that say where requests go. Does nothing where that release is not there
    any more: at the first one, or where a service's predecessor had to end first (strategy recreate). Says in words how
    it came out."""
    names = [name for each in serving(before).values() for name in each]
    old = [find(client, name) for name in names]
    if not old or not all(each and each.status == "running" for each in old):
        return GONE
    try:
        then = {name: before[name] for name in routes if name in before}
        drain(edge, switch(edge, then, "release: switched back"), seconds)
    except Failure as failure:
        return f"The release before could not be gone back to: {failure}"
    return BACK


def drain(edge: Edge, old: set[int], seconds: float, gate: Gate | None = None) -> None:
    """Returns when the last request to what nginx no longer sends requests to has ended, or after `seconds`.

    Watches the new containers of `gate` meanwhile; raises Failure as soon as one of them did not stay well.
    """
    start, finishing = time.monotonic(), Finishing(edge, old)
    least = min(WATCHED, seconds) if gate else 0
    while not finishing.over() or time.monotonic() - start < least:
        if gate:
            gate.watch()
        if time.monotonic() - start > seconds:
            say(f"release: nginx still has requests to old containers after {seconds:g} s; going on")
            return
        pause(LOOK)
    say(f"release: the last request to the old containers ended after {time.monotonic() - start:.1f} s")


class Release(Resource, module="slipway", name="Release"):
    """Puts `upstreams` and `routes` in force at the edge once all `containers` are well.

    containers  {"service", "name", "port", "upstream", "ready", "beside"} each. upstream "": not behind nginx, port 0:
                no HTTP. `ready` is the path asked through nginx, as a client would write it. `beside`: started beside
                the one that it takes over from, so it may be stopped when the release fails
    migrations  {service: identity of what its migration ran from}, for the report of a release that fails
    edge        the id of nginx's container, so that a new one is given its files; "": there is none
    upstreams   {name: text of the upstream and of its server at `gate_port`}: possibilities, until `routes` use them
    routes      {file: text}: which upstream each route goes to
    pages       {file: HTML} that the routes show where no service answers
    directory, main, gate_port   of the edge: see slipway.providers.edge
    timeout     seconds for all containers together to get well and ready
    drain       seconds that the last requests to the old containers get before the run goes on to stop those
    release     the recorded release that these containers are of; "": they are a new one
    record      of a new one (slipway.providers.records); keep: how many releases stay recorded, and their images
    """

    def __init__(
        self,
        name: str,
        *,
        engine: pulumi.Input[str],
        containers: pulumi.Input[Sequence[Mapping[str, pulumi.Input[Any]]]],
        edge: pulumi.Input[str],
        upstreams: pulumi.Input[Mapping[str, pulumi.Input[str]]],
        routes: pulumi.Input[Mapping[str, pulumi.Input[str]]],
        pages: Mapping[str, str],
        directory: str,
        main: str,
        gate_port: int,
        timeout: float,
        drain: float,
        migrations: Mapping[str, pulumi.Input[str]] | None = None,
        release: str,
        record: Candidate,
        keep: int,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props = {
            "engine": engine,
            "containers": containers,
            "migrations": dict(migrations or {}),
            "edge": edge,
            "upstreams": upstreams,
            "routes": routes,
            "pages": pages,
            "directory": directory,
            "main": main,
            "gate_port": gate_port,
            "timeout": timeout,
            "drain": drain,
            "release": release,
            "record": vars(record),
            "keep": keep,
        }
        super().__init__(ReleaseProvider(), name, props, opts)
