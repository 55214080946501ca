"""Random kills during releases: `python -m bench.chaos --rounds 50`.

A small site in production is released again and again, while clients ask it without a pause. In each round one thing
is killed hard at a random moment: the command, nginx, an old or a new container, the migration. Then one `slipway up`
must bring the release in. A row for each round is printed; the exit status is 1 when one did not converge, or when
requests failed that should not have: for at most ALLOWED seconds after what served was killed, else never.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from docker.errors import NotFound
from docker.models.containers import Container

from slipway.setup import paths
from slipway.setup.choices import Choices
from tests.e2e.shop import Poller, Shop, shop_running
from tests.support import engine
from tests.support.waiting import wait_until

ALLOWED = 5.0
LONGEST = 8.0
"""Seconds from the start of a run within which something is killed: a release takes about ten."""
ROW = "{:>5}  {:<10} {:>6}  {:>5}  {:>6}  {:>9}  {:>7}  {}"


@dataclass(frozen=True)
class Outcome:
    """One round: what was killed, when (seconds after the start) and whether it served, the exit codes of the run that
    was hit and of the one after it, what the clients saw (requests, failed ones, seconds from the kill to the last)."""

    kind: str
    moment: float
    served: bool
    first: int
    second: int
    serves: bool
    requests: int
    failed: int
    gap: float

    @property
    def good(self) -> bool:
        return self.second == 0 and self.serves and (self.gap <= ALLOWED if self.served else not self.failed)


def containers(shop: Shop, name: str) -> list[Container]:
    """The running ones of this name, the newest first."""
    return [each for each in engine.containers(f"{shop.prefix}-{name}") if each.status == "running"]


def kill_one(shop: Shop, find: Callable[[], list[Container]], run: subprocess.Popen[bytes]) -> bool:
    """Kills the main process of what is found, as soon as there is something; False when the run was over before."""
    while run.poll() is None:
        for container in find():
            try:
                shop.kill_process(container)
            except NotFound:
                continue  # it has just ended by itself
            return True
        time.sleep(0.05)
    return False


def kill(kind: str, shop: Shop, run: subprocess.Popen[bytes], old: set[str]) -> None:
    """Kills one thing of this kind; nothing when it never was there."""
    if kind == "command":
        try:
            shop.kill_pulumi()
        except (ValueError, ProcessLookupError):
            return  # it had not begun, or had ended
        return
    name = {"nginx": "edge", "migration": "web-migrate"}.get(kind, "web")

    def found() -> list[Container]:
        return [each for each in containers(shop, name) if name != "web" or (str(each.id) in old) == (kind == "old")]

    kill_one(shop, found, run)


KINDS = ("command", "new", "nginx", "old", "migration")


def play(shop: Shop, number: int, kind: str, moment: float) -> Outcome:
    """One round: declares release `number`, hits its run, and runs it again."""
    old = {str(each.id) for each in containers(shop, "web")}
    declared = {"env": {"RELEASE": str(number)}}
    shop.declare(web=declared, other=declared, worker=declared)
    with Poller(shop) as poller:
        with shop.up_at_work() as run:
            start = time.monotonic()
            time.sleep(moment)
            kill(kind, shop, run, old)
            killed = time.monotonic()
            served = kind in {"nginx", "old"} or (kind == "new" and str(number) in poller.releases)
            first = run.wait(300)
        second = subprocess.run(
            shop.command("up"),
            cwd=shop.directory,
            env=shop.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        shop.note_images()
        if second.returncode:
            print(second.stdout, second.stderr, file=sys.stderr)
        expected = {"": str(number), "other/": str(number)}
        serves = second.returncode == 0 and shop.serving() == expected
        serves = serves and all(len(containers(shop, name)) == 1 for name in ("web", "other", "worker", "edge"))
    for _, problem in poller.failed[:3]:
        print(f"       {problem}", file=sys.stderr)
    gap = max((when - killed for when, _ in poller.failed), default=0.0)
    requests = len(poller.answers) + len(poller.failed)
    return Outcome(kind, killed - start, served, first, second.returncode, serves, requests, len(poller.failed), gap)


def play_all(shop: Shop, rounds: int, seed: int) -> list[Outcome]:
    """So many rounds, each kind about as often, at moments that `seed` settles. Prints a row for each."""
    chance = random.Random(seed)  # noqa: S311 - repeatable, not secret
    kinds = [KINDS[number % len(KINDS)] for number in range(rounds)]
    chance.shuffle(kinds)
    print(ROW.format("round", "killed", "at s", "first", "second", "requests", "failed", "the last, s after the kill"))
    outcomes = []
    for number, kind in enumerate(kinds, 1):
        each = play(shop, 100 + number, kind, 0 if kind == "migration" else chance.uniform(0, LONGEST))
        outcomes.append(each)
        verdict = f"{each.gap:.1f}" if each.failed else "-"
        row = (number, kind, f"{each.moment:.1f}", each.first, each.second, each.requests, each.failed)
        print(ROW.format(*row, verdict if each.good else f"{verdict}  NOT GOOD"), flush=True)
    return outcomes


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.chaos", description="Random kills during releases.")
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--virtualenv", type=Path, default=paths.VIRTUALENV, help="the one that the program runs in")
    given = parser.parse_args()
    os.environ.update(Choices.load().exported())
    with (
        tempfile.TemporaryDirectory(prefix="chaos-") as directory,
        shop_running(Path(directory), given.virtualenv) as shop,
    ):
        wait_until("the shop is well", lambda: shop.serving()[""] == "1", 20)
        outcomes = play_all(shop, given.rounds, given.seed)
    good = sum(each.good for each in outcomes)
    print(f"{good} of {len(outcomes)} kills: one `up` brought the release in, no request failed that should not")
    sys.exit(good < len(outcomes))


if __name__ == "__main__":
    main()
