"""A release: new containers take over from old ones when all of them are well, in one reload of nginx.

It runs after the new containers were started and before the old ones are deleted, in the same run. If it fails, the run
fails, the old containers stay and nginx goes on sending everything to them, or does so again when a new one has ended
before the old ones had; the next run tries again. Every step can be repeated, and after every step nginx could be
restarted and would serve the site.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import pulumi
from pulumi.dynamic import ReadResult, Resource

from slipway.engine.containers import Properties, connect, find
from slipway.engine.edge import Edge
from slipway.engine.errors import Failure, Interrupted
from slipway.engine.gate import Gate
from slipway.engine.switching import drain, edge_of, retire, show, switch, switch_back
from slipway.nginx.serving import serving
from slipway.providers.provider import recorded
from slipway.providers.records import RecordingProvider, RecordInputs

UNTOUCHED = "Nothing was switched: the site goes on as it was."


class ReleaseProvider(RecordingProvider):
    """Waits, shows, asks, switches, drains, retires; in this order."""

    work: ClassVar = ("containers", "edge", "upstreams", "routes", "pages")

    def id(self, _props: Properties) -> str:
        return "release"

    def do(self, olds: Properties, news: Properties) -> None:
        settled = {container["name"] for container in olds.get("containers", [])}
        with connect(news["engine"]) as client:
            gate = Gate(client, news["containers"], settled, float(news["timeout"]))
            shown = {} if not news["edge"] else shown_first(news)
            edge = edge_of(client, news, {**shown, **news["routes"]}) if news["edge"] else None
            outcome = UNTOUCHED
            try:
                gate.begin()
                gate.wait_until_well()
                if edge is None:
                    return
                show(edge, shown)
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
            retire(edge, edge.files().keys() - shown.keys() - news["routes"].keys())

    def read(self, id_: str, props: Properties) -> ReadResult:
        """The routes as nginx has them. A run that was cut off behind its switch leaves others than the state knows: if
        what it was to bring is taken back before the next run, only this tells that the old ones are to return."""
        with connect(props["engine"]) as client:
            nginx = find(client, props["edge"]) if props["edge"] else None
            if nginx is None or nginx.status != "running":
                return ReadResult(id_, recorded(props))
            found = Edge(nginx, props["directory"], props["main"], int(props["gate_port"])).files()
        return ReadResult(id_, {**recorded(props), "routes": {name: found.get(name, "") for name in props["routes"]}})

    def delete(self, _id: str, _props: Properties) -> None:
        """nginx and the containers have resources of their own."""


def shown_first(news: Properties) -> dict[str, str]:
    """nginx's files that the switch does not wait for: upstreams that no route leads to yet, and pages."""
    return {**{f"upstreams-{name}.conf": text for name, text in news["upstreams"].items()}, **news["pages"]}


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
    try:
        retire(edge)
    except Interrupted:
        raise
    except Failure:
        pass  # nginx goes on as it was, and the report of the cause matters more
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
    directory, main, gate_port   of the edge: see slipway.engine.edge
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
        record: RecordInputs,
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
