"""logs: what the containers of a stack write, in one stream."""

from __future__ import annotations

import queue
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import click
from docker.errors import DockerException
from docker.models.containers import Container
from rich.text import Text

from slipway.cli import screen
from slipway.cli.docker_objects import DockerObjects, service_of
from slipway.cli.errors import CliError, Code
from slipway.cli.target import Target, command
from slipway.core import log_lines
from slipway.core.topology import EDGE

COLOURS = ("cyan", "magenta", "green", "yellow", "blue", "bright_cyan", "bright_magenta")
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
Line = tuple[str, str, str, str]
"""Time, container's short name, text, and the service that the container is of."""
RAW = 50
"""How many lines are looked at for each one that is to be shown: most may be routine."""


def seconds(text: str) -> int:
    """ "10m" as 600. Raises click.BadParameter."""
    found = re.fullmatch(r"(\d+)([smhd])", text)
    if not found:
        raise click.BadParameter(f"{text!r} is no time: write 30s, 10m, 2h or 1d")
    return int(found[1]) * UNITS[found[2]]


def split(chunk: bytes, short: str, service: str) -> Line:
    """One line of the engine's, which begins with its time."""
    moment, _, text = chunk.decode(errors="replace").rstrip("\r\n").partition(" ")
    return moment, short, text, service


@dataclass(frozen=True)
class Choice:
    """Which lines are shown: those of `service`, with what nginx says that it was asked (None: of all containers);
    `whole`: with what servers say of themselves."""

    objects: DockerObjects
    service: str | None
    whole: bool

    def container(self, container: Container) -> bool:
        return self.service in {None, service_of(container)} or service_of(container) == EDGE

    def line(self, line: Line) -> bool:
        return log_lines.wanted(line[3], line[2], service=self.service, addresses=self.addresses, whole=self.whole)

    @cached_property
    def addresses(self) -> set[str]:
        """Of the service's containers, on all their networks."""
        found = self.objects.of_service(self.service) if self.service else []
        networks = (each.attrs["NetworkSettings"].get("Networks") or {} for each in found)
        return {network["IPAddress"] for each in networks for network in each.values() if network.get("IPAddress")}


def written(choice: Choice, containers: list[Container], *, tail: int, since: int | None) -> list[Line]:
    """What they have written so far, at most `tail` lines of each, in the order of time."""
    options: dict[str, Any] = {"timestamps": True, "tail": tail * RAW} | ({"since": since} if since else {})
    shown: list[Line] = []
    for each in containers:
        short, service = choice.objects.short(each), service_of(each)
        lines = (split(line, short, service) for line in each.logs(**options).splitlines())
        shown += [line for line in lines if choice.line(line)][-tail:]
    return sorted(shown)


class Follower:
    """Every new line of the containers there are, and of those that start later, until interrupted."""

    def __init__(self, choice: Choice, *, since: float) -> None:
        self.choice, self.objects, self.since = choice, choice.objects, since
        self.lines: queue.Queue[Line] = queue.Queue()
        self.followed: set[str] = set()

    def __iter__(self) -> Iterator[Line]:
        threading.Thread(target=self._watch, daemon=True).start()
        for container in self.objects.containers():
            self._follow(container)
        while True:
            yield self.lines.get()

    def _follow(self, container: Container) -> None:
        if (
            self.choice.container(container)
            and container.status == "running"
            and str(container.id) not in self.followed
        ):
            self.followed.add(str(container.id))
            threading.Thread(target=self._read, args=(container,), daemon=True).start()

    def _read(self, container: Container) -> None:
        short, service = self.objects.short(container), service_of(container)
        rest, since = b"", int(self.since)
        try:
            for chunk in container.logs(stream=True, follow=True, timestamps=True, since=since):
                *whole, rest = (rest + chunk).split(b"\n")
                for line in whole:
                    self.lines.put(split(line, short, service))
        except (DockerException, OSError):
            pass  # the container was removed
        finally:
            self.followed.discard(str(container.id))

    def _watch(self) -> None:
        wanted: Any = {**self.objects.labelled, "type": "container", "event": "start"}
        for event in self.objects.client.events(decode=True, filters=wanted, since=int(self.since)):
            try:
                self._follow(self.objects.client.containers.get(event["Actor"]["ID"]))
            except DockerException:
                continue  # it has gone already


@click.command()
@click.argument("service", required=False)
@click.option(
    "--follow",
    "-f",
    is_flag=True,
    help="Go on with what is written from now on; containers that start later are included.",
)
@click.option("--tail", "-n", default=100, show_default=True, help="Lines of each container.")
@click.option("--since", help="Only what is not older than this, such as 30s, 10m, 2h or 1d.")
@click.option("--all", "whole", is_flag=True, help="Also what nginx, gunicorn and Postgres say of themselves.")
@command
def logs(target: Target, service: str | None, *, follow: bool, tail: int, since: str | None, whole: bool) -> int:
    """Show requests, errors and what apps print; of SERVICE, or of the whole stack."""
    objects, now = target.objects, time.time()
    found = [each for each in objects.containers() if service in {None, service_of(each)}]
    if not found:
        what = f"{target.project} has no container" + (f" of {service!r}" if service else "")
        raise CliError(what, f"{screen.command()} ps --stack {target.project.stack}", code=Code.MISSING)
    earliest = int(now) - seconds(since) if since else None
    choice, shown = Choice(objects, service, whole), Shown(json=target.json)
    past = written(choice, [each for each in objects.containers() if choice.container(each)], tail=tail, since=earliest)
    for line in past:
        shown.print(line)
    if not past and not whole and not target.json:
        screen.say("no requests, errors or output of apps so far; --all shows what the servers say of themselves")
    if follow:
        last = past[-1][0] if past else ""
        for line in Follower(choice, since=now):
            if line[0] > last and choice.line(line):  # the engine counts `since` in whole seconds: some come twice
                shown.print(line)
    return Code.OK


class Shown:
    """Prints lines, each container's name in a colour of its own."""

    def __init__(self, *, json: bool) -> None:
        self.json, self.colours = json, dict[str, str]()
        self.out = screen.output()

    def print(self, line: Line) -> None:
        moment, short, text, _ = line
        if self.json:
            screen.as_json_line({"time": moment, "container": short, "line": text})
            return
        colour = self.colours.setdefault(short, COLOURS[len(self.colours) % len(COLOURS)])
        self.out.print(Text.assemble((f"{short:<12} ", colour), Text(text)), soft_wrap=True)
