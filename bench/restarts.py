"""What is restarted instead of released: `python -m bench.restarts [--nginx 10] [--postgres 3] [--recreate 3]
[--engine 20]`.

The site of bench.release, under the same load, gets another image of nginx, another of Postgres, and new code with
`strategy: recreate`, so many times each. With --engine dockerd is restarted under it, in turns as
`systemctl restart docker` does it, after a crash, and after a power cut, which ends all containers as well; and after
every other of those the engine starts nginx alone, and Postgres comes last. That needs root, and an engine that nobody
else uses.

Prints, and writes to bench/results/restarts.json, for each of them: how long nobody was answered who came anew, how
long the restart took, from the end of the old container or engine (from the start of Postgres, where that comes last)
until the site answered well again, and how many requests of the load failed. The exit status is 1 when a restart of the
engine took more than BACK seconds. slipway.core.kinds has its estimates from here.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import httpx
from docker.models.containers import Container

from bench import dockerd, interrupt
from bench.prober import ENOUGH, Prober
from bench.release.cases import SERVICE
from bench.release.load import load
from bench.release.schedule import SHORT
from bench.release.site import Ledger
from slipway.cli.pulumi import environment
from slipway.core.topology import EDGE, POSTGRES
from slipway.setup import paths
from slipway.setup.choices import Choices
from tests.e2e.site import status
from tests.support import engine
from tests.support.waiting import wait_until

RESULTS = paths.PROJECT / "bench" / "results"
PAUSE = 8.0
"""Seconds between two restarts."""
PAGE = "/ready"
"""A path whose answer needs nginx, the service and the database."""
ENGINE, BACK = "engine", 15.0
"""Seconds in which the site must be back after a restart of the engine."""
IMAGES = {EDGE: "slipway/images/nginx/Dockerfile", POSTGRES: "slipway/images/postgres/Dockerfile"}


class Turn(NamedTuple):
    """One way in which dockerd ends, and whether nginx is to be the first that runs again."""

    name: str
    end: Callable[[], float]
    nginx_first: bool = False


TURNS = (
    Turn("restart", lambda: dockerd.end(signal.SIGTERM)),
    Turn("crash", lambda: dockerd.end(signal.SIGKILL)),
    Turn("power cut", dockerd.cut_power),
    Turn("power cut, nginx first", dockerd.cut_power, nginx_first=True),
)


@dataclass(frozen=True, kw_only=True)
class Restart:
    """Of one container, or of the engine. Seconds: `refused` from the first new request without a good answer to the
    next good one, `restart` from the end of the old container to that answer, `engine` from the end of the old engine
    until the new one answered. `failed` of `requests` of the load meanwhile."""

    what: str
    refused: float
    restart: float
    engine: float = 0.0
    requests: int = 0
    failed: int = 0


def change(site: Ledger, what: str, number: int) -> None:
    """Edits the project so that the next `up` restarts this and nothing else."""
    if what == SERVICE:
        site.change(f"r{number}", overrides={SERVICE: {"strategy": "recreate", "replicas": 1}})
        return
    file = site.directory / IMAGES[what]
    file.write_text(f"{file.read_text().rstrip()}\nLABEL bench.restart={number}\n")


def restart(site: Ledger, what: str, number: int) -> tuple[Restart, float]:
    """The `number`-th of this kind, and when it began."""
    if what == ENGINE:
        return restart_engine(site, number)
    change(site, what, number)
    prober = Prober(f"http://127.0.0.1:{site.port}{PAGE}")
    with prober.asking(), site.watched(what, "die") as events:
        run = site.slipway("up", "--yes", "--allow-data-loss")
        prober.wait_until_back(run.end)
    ended = next((moment for moment, action, helper in events if action == "die" and not helper), None)
    if run.code or ended is None:
        raise RuntimeError(f"{what} was not restarted:\n{run.output}")
    refused, took = prober.gap(run.start, ended)
    return Restart(what=what, refused=refused, restart=took), run.start


def restart_engine(site: Ledger, number: int) -> tuple[Restart, float]:
    """Restarts dockerd while all containers of the site run."""
    turn = TURNS[(number - 1) % len(TURNS)]
    prober = Prober(f"http://127.0.0.1:{site.port}{PAGE}")
    with prober.asking():
        start = time.time()
        others = hold_back(site) if turn.nginx_first else {}
        gone = turn.end()
        answered = dockerd.start()
        ended = start_last(site, others) if turn.nginx_first else gone
        prober.wait_until_back(max(ended, answered))
    refused, took = prober.gap(start, ended)
    return Restart(what=f"{ENGINE}, {turn.name}", refused=refused, restart=took, engine=answered - gone), start


def hold_back(site: Ledger) -> dict[str, Container]:
    """Has the next engine start none of the site's containers but nginx; returns the others."""
    others = {name: each for name, each in site.containers().items() if name != EDGE and each.status == "running"}
    for each in others.values():
        engine.update(str(each.id), RestartPolicy={"Name": "no"})
    return others


def start_last(site: Ledger, others: Mapping[str, Container]) -> float:
    """Starts them when nginx answers without them, Postgres last; when that was."""
    url = f"http://127.0.0.1:{site.port}{PAGE}"
    wait_until("nginx answers without any service", lambda: status(url) >= httpx.codes.INTERNAL_SERVER_ERROR, ENOUGH)
    for name, each in others.items():
        wait_until(f"{name} has ended", partial(has_ended, str(each.id)), ENOUGH)
    moment = time.time()
    for _, each in sorted(others.items(), key=lambda item: item[0] == POSTGRES):
        engine.update(str(each.id), RestartPolicy=each.attrs["HostConfig"]["RestartPolicy"])  # what it was before
        moment = time.time()
        each.start()
    return moment


def has_ended(container: str) -> bool:
    return engine.client().containers.get(container).status == "exited"


def measure(wanted: dict[str, int], results: Path) -> list[Restart]:
    """All of them, one kind after the other, each under the load."""
    found: list[Restart] = []
    with tempfile.TemporaryDirectory(prefix="restarts-") as folder:
        site = Ledger(Path(folder), virtualenv=paths.VIRTUALENV)
        try:
            site.init()
            site.change("r0")
            if (first := site.release()).code:
                raise RuntimeError(f"the site does not come up:\n{first.output}")
            for what, times in wanted.items():
                if not times:
                    continue
                if what == SERVICE:  # the way to one container that goes first is no restart yet
                    change(site, what, 0)
                    site.release()
                seen = []
                with load(site.port, results / f"restarts-{what}.jsonl", SHORT) as running:
                    running.goes_on(PAUSE)
                    for number in range(1, times + 1):
                        one, began = restart(site, what, number)
                        seen.append((one, began, time.time()))
                        print(row(one), flush=True)
                        running.goes_on(PAUSE)
                for one, began, until in seen:
                    mine = [each for each in running.records if began <= each.end and each.planned <= until]
                    found.append(replace(one, requests=len(mine), failed=sum(each.failed for each in mine)))
        finally:
            site.remove()
    return found


def row(one: Restart) -> str:
    engine_away = f", engine {one.engine:5.1f} s" if one.engine else ""
    return f"{one.what:<28} refused {one.refused:5.1f} s, restart {one.restart:5.1f} s{engine_away}"


def summary(found: list[Restart]) -> str:
    """For each kind the median and the longest."""
    lines = []
    for what in dict.fromkeys(each.what for each in found):
        mine = [each for each in found if each.what == what]
        for name in ("refused", "restart"):
            values = sorted(getattr(each, name) for each in mine)
            lines.append(f"{what:<28} {name:<8} median {statistics.median(values):5.1f} s, longest {values[-1]:5.1f} s")
        lines.append(f"{what:<28} {sum(each.failed for each in mine)} of {sum(each.requests for each in mine)} failed")
    return "\n".join(lines)


def late(found: list[Restart]) -> list[Restart]:
    """The restarts of the engine after which the site was not back soon enough."""
    return [each for each in found if each.what.startswith(ENGINE) and each.restart > BACK]


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.restarts", description="What is restarted instead of released.")
    parser.add_argument("--nginx", type=int, default=10)
    parser.add_argument("--postgres", type=int, default=3)
    parser.add_argument("--recreate", type=int, default=3)
    parser.add_argument("--engine", type=int, default=0, help="for root, on an engine that nobody else uses")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder to write to")
    given = parser.parse_args()
    os.environ.update(environment(Choices.load(), os.environ))
    if given.engine and (problem := dockerd.refusal()):
        parser.error(problem)
    interrupt.on_sigterm()  # so that the site is taken away
    given.results.mkdir(parents=True, exist_ok=True)
    wanted = {EDGE: given.nginx, POSTGRES: given.postgres, ENGINE: given.engine, SERVICE: given.recreate}
    found = measure(wanted, given.results)
    (given.results / "restarts.json").write_text(json.dumps([asdict(each) for each in found], indent=2) + "\n")
    print(summary(found))
    for each in late(found):
        print(f"FAILED: later than {BACK:.0f} s: {row(each)}")
    sys.exit(not found or bool(late(found)))


if __name__ == "__main__":
    main()
