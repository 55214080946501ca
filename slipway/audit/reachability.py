"""`python -m slipway.audit.reachability [--stack prod]`: who reaches whom in a running stack, tried from everywhere.

From the network of each container every other one is called at each of its addresses and at every port that anything of
the stack listens on; a port that nobody listens on cannot answer. What answers is held against the networks of the
declaration (slipway.core.topology). Whether a container has a way out is the engine's word on its networks: nothing
outside is there for certain to answer. The host's own programs are called at its addresses on the containers' networks;
it has none on isolated ones. From the host every port is called that any container publishes: only the edge's
may answer, where the declaration says. Prints the table and ends with 1 when something answers that must not, or does
not that must.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docker.models.containers import Container

from slipway.cli import screen
from slipway.cli.docker_objects import is_helper, service_of
from slipway.cli.errors import CliError
from slipway.cli.project import Project
from slipway.cli.target import Target
from slipway.core import topology
from slipway.core.topology import EDGE
from slipway.engine.containers import UNPRIVILEGED
from slipway.settings.problems import SettingsError
from slipway.site.site import Site

WORLD, HOST = "the world", "the host"
GATEWAY_MODE = "com.docker.network.bridge.gateway_mode_ipv4"
ANY = 0
"""Stands for every port."""
LISTENING = """
import json
found = []
for version in ("tcp", "tcp6"):
    for line in open(f"/proc/net/{version}").readlines()[1:]:
        local, state = line.split()[1], line.split()[3]
        address, _, port = local.partition(":")
        if state == "0A" and not address.endswith("7F") and address != "0" * 24 + "01000000":
            found.append(int(port, 16))
print(json.dumps(sorted(set(found))))
"""
CALLING = """
import asyncio, json, sys

async def call(address, port):
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(address, port), 2)
    except OSError:
        return False
    writer.close()
    return True

async def main(places):
    return await asyncio.gather(*(call(*place) for place in places))

print(json.dumps(asyncio.run(main(json.loads(sys.argv[1])))))
"""


@dataclass(frozen=True, order=True)
class Pair:
    """From where to where, what may answer (the ports), and what did."""

    source: str
    target: str
    expected: tuple[int, ...]
    open: tuple[int, ...]

    @property
    def right(self) -> bool:
        return self.expected == self.open


def site_of(project: Project) -> Site:
    """The declaration of a stack. Raises CliError where it has a mistake."""
    try:
        return project.checked()
    except SettingsError as error:
        raise CliError(str(error)) from None


class Prober:
    """Runs Python in the network of a container, which itself need not have any program."""

    def __init__(self, target: Target, image: str) -> None:
        self.target, self.image = target, image

    def run(self, container: Container, program: str, *arguments: str) -> Any:
        return self.run_in(f"container:{container.id}", program, *arguments)

    def run_in(self, network: str, program: str, *arguments: str) -> Any:
        output = self.target.objects.client.containers.run(
            self.image,
            ["python3", "-c", program, *arguments],
            entrypoint=[],
            network_mode=network,
            user="65534",
            read_only=True,
            remove=True,
            **UNPRIVILEGED,
        )
        return json.loads(output)


def addresses(container: Container) -> list[str]:
    """On all of its networks."""
    networks = container.attrs["NetworkSettings"]["Networks"].values()
    return sorted(str(each["IPAddress"]) for each in networks if each["IPAddress"])


def planned(site: Site, names: Mapping[str, str]) -> tuple[set[tuple[str, str]], set[str]]:
    """The pairs that have a network in common, and who has a way out; `names`: {container: service}."""
    plans = topology.networks(site)
    of = {name: set(topology.memberships(plans, service)) for name, service in names.items()}
    outward = {plan.name for plan in plans if not plan.internal}
    together = {(one, other) for one in of for other in of if one != other and of[one] & of[other]}
    return together, {name for name, networks in of.items() if networks & outward}


def matrix(target: Target) -> list[Pair]:
    """All pairs of a running stack. Raises CliError where it does not run."""
    site, objects = site_of(target.project), target.objects
    running = [each for each in objects.containers() if each.status == "running" and not is_helper(each)]
    if not running:
        raise CliError(f"{target.project} does not run", f"make up STACK={target.project.stack}")
    containers = {objects.short(each): each for each in sorted(running, key=lambda each: str(each.name))}
    together, leaving = planned(
        site, {name: service_of(each).removesuffix("-schedule") for name, each in containers.items()}
    )
    internal = {str(each.name): bool(each.attrs["Internal"]) for each in objects.client.networks.list()}
    prober = Prober(target, site.base_images.python)
    ports: dict[str, list[int]] = {name: prober.run(each, LISTENING) for name, each in containers.items()}
    every = sorted({port for found in ports.values() for port in found})
    pairs = []
    for source, container in containers.items():
        others = [(name, address) for name, each in containers.items() if name != source for address in addresses(each)]
        calls: list[tuple[str, str, int]] = [(name, address, port) for name, address in others for port in every]
        answers = prober.run(container, CALLING, json.dumps([[address, port] for _, address, port in calls]))
        opened: dict[str, set[int]] = {name: set() for name in containers if name != source}
        for (name, _, port), answer in zip(calls, answers, strict=True):
            if answer:
                opened[name].add(port)
        for name, found in opened.items():
            expected = ports[name] if (source, name) in together else []
            pairs.append(Pair(source, name, tuple(expected), tuple(sorted(found))))
        way_out = not all(internal[name] for name in container.attrs["NetworkSettings"]["Networks"])
        pairs.append(Pair(source, WORLD, (ANY,) if source in leaving else (), (ANY,) if way_out else ()))
    return [*pairs, *of_host(target, containers, prober), *published(site, containers, prober)]


def of_host(target: Target, containers: Mapping[str, Container], prober: Prober) -> list[Pair]:
    """What each container reaches of the programs of the host, at the addresses that the host has on its networks. None
    where all of them are isolated; elsewhere it is the host's firewall that decides, and this only shows it."""
    networks = {str(each.name): each.attrs for each in target.objects.networks()}
    ports: list[int] = prober.run_in("host", LISTENING)
    pairs = []
    for name, container in containers.items():
        joined = [networks[each] for each in container.attrs["NetworkSettings"]["Networks"] if each in networks]
        gateways = [part.get("Gateway") for each in joined for part in each["IPAM"]["Config"] or ()]
        places = [(address.partition("/")[0], port) for address in gateways if address for port in ports]
        answers = prober.run(container, CALLING, json.dumps(places)) if places else []
        found = tuple(sorted({port for (_, port), answer in zip(places, answers, strict=True) if answer}))
        isolated = all((each.get("Options") or {}).get(GATEWAY_MODE) == "isolated" for each in joined)
        pairs.append(Pair(name, HOST, () if isolated else found, found))
    return pairs


def published(site: Site, containers: Mapping[str, Container], prober: Prober) -> list[Pair]:
    """What each container has of the host's ports, and which of these answer there."""
    pairs = []
    for name, container in containers.items():
        bindings = container.attrs["NetworkSettings"]["Ports"] or {}
        found = sorted({(host["HostIp"], int(host["HostPort"])) for hosts in bindings.values() for host in hosts or ()})
        places = [[{"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(ip, ip), port] for ip, port in found]  # noqa: S104
        answers = prober.run_in("host", CALLING, json.dumps(places)) if places else []
        opened = {port for (_, port), answer in zip(found, answers, strict=True) if answer}
        expected: tuple[int, ...] = ()
        if site.profile.edge and service_of(container) == EDGE:
            expected = tuple(sorted({site.edge.port, *([site.edge.tls_port] if site.edge.tls.on else [])}))
        pairs.append(Pair(HOST, name, expected, tuple(sorted(opened))))
    return pairs


def shown(ports: tuple[int, ...]) -> str:
    return ", ".join("any" if port == ANY else str(port) for port in ports) or "-"


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="slipway.audit.reachability", description="Who reaches whom in a running stack."
    )
    parser.add_argument("--stack", default="prod")
    parser.add_argument("--project", type=Path, default=None, help="the folder of Pulumi.yaml")
    given = parser.parse_args()
    try:
        pairs = matrix(Target(given.stack, given.project, json=False))
    except CliError as error:
        screen.failed(error, json_wanted=False)
        sys.exit(int(error.code))
    screen.table(
        ("from", "to", "may answer", "answers", ""),
        [
            (each.source, each.target, shown(each.expected), shown(each.open), "" if each.right else "failed")
            for each in pairs
        ],
    )
    wrong = sum(not each.right for each in pairs)
    print(f"{len(pairs)} pairs, {wrong} not as declared")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
