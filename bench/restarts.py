"""What is restarted instead of released: `python -m bench.restarts [--nginx 10] [--postgres 3] [--recreate 3]`.

The site of bench.release, under the same load, gets another image of nginx, another of Postgres, and new code with
`strategy: recreate`, so many times each. Prints, and writes to bench/results/restarts.json, for each of them: how long
nobody was answered who came anew, how long it took from the end of the old container until the new one answered, and
how many requests of the load failed. slipway.core.impact has its estimates from here.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType

import httpx

from bench.release.cases import SERVICE
from bench.release.load import load
from bench.release.schedule import SHORT
from bench.release.site import Ledger, Run
from slipway.core.topology import EDGE, POSTGRES
from slipway.setup import paths
from slipway.setup.choices import Choices

RESULTS = paths.PROJECT / "bench" / "results"
BEAT, PATIENCE = 0.1, 2.0
"""Seconds between two questions, and until one counts as not answered."""
PAUSE = 8.0
"""Seconds between two restarts."""
ANYTHING, ROW = "/ready", "/entries/asked-for-by-the-prober"
"""Paths whose answer needs the service, and the database as well."""
IMAGES = {EDGE: "services/nginx/Dockerfile", POSTGRES: "services/postgres/Dockerfile"}


@dataclass(frozen=True, kw_only=True)
class Restart:
    """Of one container. Seconds: `refused` from the first new request without a good answer to the next good one,
    `restart` from the end of the old container to that answer. `failed` of `requests` of the load between the two."""

    what: str
    refused: float
    restart: float
    requests: int = 0
    failed: int = 0


class Prober:
    """Asks a path again and again over new connections, and writes down (moment, whether the answer was good)."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.seen: list[tuple[float, bool]] = []
        self.stopped = threading.Event()

    @contextmanager
    def asking(self) -> Iterator[None]:
        threads = [threading.Thread(target=self._ask, args=(number * BEAT / 4,), daemon=True) for number in range(4)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.stopped.set()
            for thread in threads:
                thread.join(2 * PATIENCE)

    def _ask(self, later: float) -> None:
        """One of several, so that a question without an answer does not hide the next ones."""
        time.sleep(later)
        while not self.stopped.wait(BEAT):
            asked = time.time()
            try:
                good = httpx.get(self.url, timeout=PATIENCE).status_code == httpx.codes.OK
            except httpx.TransportError:
                good = False
            self.seen.append((time.time() if good else asked, good))

    def gap(self, since: float, ended: float) -> tuple[float, float]:
        """(refused, restart) of a container that ended at this moment; since: the start of the run."""
        seen = sorted(each for each in self.seen if each[0] >= since)
        bad = [moment for moment, good in seen if not good]
        back = next((moment for moment, good in seen if good and moment > max([ended, *bad[-1:]])), time.time())
        return (back - bad[0] if bad else 0.0), back - ended


def change(site: Ledger, what: str, number: int) -> None:
    """Edits the project so that the next `up` restarts this and nothing else."""
    if what == SERVICE:
        site.change(f"r{number}", overrides={SERVICE: {"strategy": "recreate", "replicas": 1}})
        return
    file = site.directory / IMAGES[what]
    file.write_text(f"{file.read_text().rstrip()}\nLABEL bench.restart={number}\n")


def restart(site: Ledger, what: str, number: int) -> tuple[Run, float, float, float]:
    """One: the run, when the old container ended, and the gap."""
    change(site, what, number)
    prober = Prober(f"http://127.0.0.1:{site.port}{ANYTHING}")
    with prober.asking(), site.watched(what, "die") as events:
        run = site.slipway("up", "--yes", "--allow-data-loss")
        time.sleep(PATIENCE)
    ended = next((moment for moment, action, helper in events if action == "die" and not helper), None)
    if run.code or ended is None:
        raise RuntimeError(f"{what} was not restarted:\n{run.output}")
    return run, ended, *prober.gap(run.start, ended)


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
                if what == SERVICE and times:  # the way to one container that goes first is no restart yet
                    change(site, what, 0)
                    site.release()
                log, seen = results / f"restarts-{what}.jsonl", []
                with load(site.port, log, SHORT) as running:
                    running.goes_on(PAUSE)
                    for number in range(1, times + 1):
                        seen.append((restart(site, what, number), time.time()))
                        running.goes_on(PAUSE)
                for (run, ended, refused, took), until in seen:
                    mine = [each for each in running.records if run.start <= each.end and each.planned <= until]
                    failed = sum(each.failed for each in mine)
                    found.append(Restart(what=what, refused=refused, restart=took, requests=len(mine), failed=failed))
                    print(f"{what:<10} {ended - run.start:5.1f} s after the start: {found[-1]}", flush=True)
        finally:
            site.remove()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.restarts", description="What is restarted instead of released.")
    parser.add_argument("--nginx", type=int, default=10)
    parser.add_argument("--postgres", type=int, default=3)
    parser.add_argument("--recreate", type=int, default=3)
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder to write to")
    given = parser.parse_args()
    os.environ.update(Choices.load().exported())
    signal.signal(signal.SIGTERM, interrupt)  # so that the site is taken away
    given.results.mkdir(parents=True, exist_ok=True)
    found = measure({EDGE: given.nginx, POSTGRES: given.postgres, SERVICE: given.recreate}, given.results)
    (given.results / "restarts.json").write_text(json.dumps([asdict(each) for each in found], indent=2) + "\n")
    for what in dict.fromkeys(each.what for each in found):
        mine = [each for each in found if each.what == what]
        for name in ("refused", "restart"):
            values = sorted(getattr(each, name) for each in mine)
            print(f"{what:<10} {name:<8} median {statistics.median(values):5.1f} s, longest {values[-1]:5.1f} s")
    sys.exit(not found)


def interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
