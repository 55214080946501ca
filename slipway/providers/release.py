"""A release: new containers take over from old ones when all of them are well, in one reload of nginx.

It runs after the new containers were started and before the old ones are deleted, in the same run. If it fails, the run
fails, the old containers stay and nginx goes on sending everything to them; the next run tries again. Every step can be
repeated, and after every step nginx could be restarted and would serve the site.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import pulumi
from docker import DockerClient
from docker.models.containers import Container
from pulumi.dynamic import Resource

from slipway.providers.edge import Edge
from slipway.providers.engine import Failure, Properties, connect, find, log_tail, pause, say, wait
from slipway.providers.records import BookKeeper, Candidate

ROUTES = "routes.conf"
"""Says which upstream each route goes to. The files of upstreams only add possibilities."""
UNTOUCHED = "\nNothing was switched: the site goes on as it was."
GONE = {"exited", "dead", "removing"}
SETTLING = 3
"""Seconds that a new container without a health check must have run."""
LEAST = 5
"""Seconds to answer through nginx that are left even when getting well took all the time: it looks up names first."""


class ReleaseProvider(BookKeeper):
    """Waits, shows, asks, switches, drains; in this order."""

    work: ClassVar = ("containers", "edge", "upstreams", "routes")

    def id(self, _props: Properties) -> str:
        return "release"

    def do(self, olds: Properties, news: Properties) -> None:
        deadline = time.monotonic() + float(news["timeout"])
        settled = {container["name"] for container in olds.get("containers", [])}
        with connect(news["engine"]) as client:
            containers = Newcomers(client, news["containers"], settled)
            containers.wait_until_well(deadline)
            if not news["edge"]:
                return
            container = find(client, news["edge"])
            if container is None or container.status != "running":
                raise Failure(f"nginx does not run: container {news['edge']}")
            edge = Edge(container, news["directory"], news["main"], int(news["gate_port"]))
            upstreams = {f"upstreams-{name}.conf": text for name, text in news["upstreams"].items()}
            show(edge, upstreams)
            containers.ask(edge, deadline)
            switch(edge, news["routes"], float(news["drain"]))
            edge.remove(sorted(edge.files().keys() - upstreams.keys() - {ROUTES}))

    def delete(self, _id: str, _props: Properties) -> None:
        """nginx and the containers have resources of their own."""


class Newcomers:
    """The containers that a release is about, `described` as in Release. The `settled` ones were part of the release
    before: they may be unwell for a moment (their database restarts), the others must not."""

    def __init__(self, client: DockerClient, described: Sequence[Mapping[str, Any]], settled: set[str]) -> None:
        self.described, self.settled = described, settled
        self.found: dict[str, Container] = {}
        for each in described:
            container = find(client, each["name"])
            if container is None:
                raise Failure(f"{each['service']}: there is no container {each['name']}")
            self.found[each["name"]] = container
        self.start = time.monotonic()
        self.restarts = {name: container.attrs["RestartCount"] for name, container in self.found.items()}

    def wait_until_well(self, deadline: float) -> None:
        """Raises Failure, with what the container wrote, as soon as one cannot get well any more."""
        waiting = dict(self.found)

        def all_well() -> bool:
            for name in [name for name, container in waiting.items() if self.well(container)]:
                del waiting[name]
            return not waiting

        def too_late() -> str:
            return (
                "\n".join(
                    f"{name} did not get healthy in time. {wrote(container)}" for name, container in waiting.items()
                )
                + UNTOUCHED
            )

        wait(all_well, deadline - self.start, too_late)
        say(f"release: {len(self.found)} containers are well after {time.monotonic() - self.start:.1f} s")

    def well(self, container: Container) -> bool:
        container.reload()
        name, state = str(container.name), container.attrs["State"]
        health = state.get("Health", {}).get("Status") or self.by_age(name)
        problem = ""
        if state["Status"] in GONE:
            problem = f"ended with exit code {state['ExitCode']}"
        elif state["Status"] == "restarting" or container.attrs["RestartCount"] > self.restarts[name]:
            problem = f"keeps ending (last exit code {state['ExitCode']})"
        elif health == "unhealthy":
            problem = "is unhealthy"
        if problem and name not in self.settled:
            raise Failure(f"{name} {problem}. {probed(state)}{wrote(container)}{UNTOUCHED}")
        return not problem and bool(state["Running"]) and health == "healthy"

    def by_age(self, name: str) -> str:
        """The health of a container that has no health check."""
        settled = name in self.settled or time.monotonic() - self.start > SETTLING
        return "healthy" if settled else "starting"

    def ask(self, edge: Edge, deadline: float) -> None:
        """Asks through nginx, which goes round an upstream's containers, until each upstream gave as many good answers
        in a row as it has containers."""
        start, last = time.monotonic(), dict[str, str]()
        silent: dict[str, list[Mapping[str, Any]]] = {}
        for each in self.described:
            if each["upstream"]:
                silent.setdefault(each["upstream"], []).append(each)

        def good(upstream: str, path: str) -> bool:
            status = edge.ask(upstream, path)
            last[upstream] = f"{path}: {f'status {status}' if status else 'no answer'}"
            return 200 <= status < 400

        def all_answered() -> bool:
            for upstream, members in list(silent.items()):
                if all(good(upstream, each["ready"]) for each in members):
                    del silent[upstream]
                else:
                    for each in members:
                        self.well(self.found[each["name"]])
            return not silent

        def too_late() -> str:
            problems = [
                f"{each['name']} did not get ready behind nginx ({last[upstream]}). {wrote(self.found[each['name']])}"
                for upstream, members in silent.items()
                for each in members
            ]
            return "\n".join(problems) + UNTOUCHED

        wait(all_answered, max(deadline - time.monotonic(), LEAST), too_late)
        say(f"release: every service answers through nginx after {time.monotonic() - start:.1f} s")


def show(edge: Edge, upstreams: Mapping[str, str]) -> None:
    """Adds the new upstreams. nginx looks up their addresses while it still sends everything to the old ones."""
    edge.write(upstreams)
    edge.reload()


def switch(edge: Edge, routes: str, drain: float) -> None:
    """Puts the new routes in force in one reload, and returns when the last request by the old ones has ended, or
    after `drain` seconds."""
    before = edge.files().get(ROUTES)
    edge.write({ROUTES: routes})
    try:
        old = edge.reload()
    except Failure:
        if before is None:
            edge.remove([ROUTES])
        else:
            edge.write({ROUTES: before})
        raise
    start = time.monotonic()
    say("release: switched")
    while left := old & edge.workers().keys():
        if time.monotonic() - start > drain:
            say(f"release: {len(left)} nginx workers still have requests to old containers after {drain:g} s; going on")
            return
        pause()
    say(f"release: the last request to the old containers ended after {time.monotonic() - start:.1f} s")


def wrote(container: Container) -> str:
    return f"Its last lines:\n{log_tail(container)}"


def probed(state: Mapping[str, Any]) -> str:
    """What the last failed health check said."""
    checks = state.get("Health", {}).get("Log") or []
    return (
        f"Its health check says: {checks[-1]['Output'].strip()[-500:]}\n" if checks and checks[-1]["ExitCode"] else ""
    )


class Release(Resource, module="slipway", name="Release"):
    """Puts `upstreams` and `routes` in force at the edge once all `containers` are well.

    containers  {"service", "name", "upstream", "ready"} each. upstream "": not behind nginx. `ready` is the path asked
                through nginx, as a client would write it
    edge        the id of nginx's container, so that a new one is given its files; "": there is none
    upstreams   {name: text of the upstream and of its server at `gate_port`}; routes: the text that uses them
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
        containers: pulumi.Input[Sequence[Mapping[str, pulumi.Input[str]]]],
        edge: pulumi.Input[str],
        upstreams: pulumi.Input[Mapping[str, pulumi.Input[str]]],
        routes: pulumi.Input[str],
        directory: str,
        main: str,
        gate_port: int,
        timeout: float,
        drain: float,
        release: str,
        record: Candidate,
        keep: int,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props = {
            "engine": engine,
            "containers": containers,
            "edge": edge,
            "upstreams": upstreams,
            "routes": routes,
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
