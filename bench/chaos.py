"""Random kills during releases: `python -m bench.chaos [--rounds 50] [--engine] [--only nginx]`.

A small site in production is released again and again, while clients ask it without a pause. In each round one thing is
killed hard: the command, nginx, an old or a new container, the migration and, with --engine, dockerd itself. That needs
root, and an engine that nobody else uses: everything on it is restarted. The moments are spread over the time in which
each of them is there, which a first release tells, in which nothing is killed. After each kill one `slipway up` must
bring the release in. A row for each round is printed; the exit status is 1 when one did not converge, or when a request
failed that should not have: more than ALLOWED seconds after what it goes through was killed, or one that goes through
something else. dockerd keeps to that with `live-restore` alone, which set-up gives to an engine that it starts.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from bench import dockerd, interrupt
from bench.kills import ALLOWED, ENGINE, KINDS, drawn, ended, strike, ways
from slipway.cli.pulumi import environment
from slipway.setup import paths
from slipway.setup.choices import Choices
from tests.e2e.shop import Poller, Shop, shop_running
from tests.support import engine
from tests.support.waiting import wait_until

LOOK = 0.2
"""Seconds between two looks for what can be killed."""
LATEST = 0.9
"""Of the time in which something was there: in the next release that may be shorter."""
ENDS = 300
"""Seconds in which a run must have ended."""
FIRST = 100
"""The number of the release in which nothing is killed."""
CONTAINERS = ("edge", "other", "postgres", "web", "worker")
MIGRATE = "services/shop/migrate.py"
LONGER = "\nimport time; time.sleep(1)  # "
"""Makes a migration long enough to be hit."""
ROW = "{:>5}  {:<10} {:>6}  {:>5}  {:>6}  {:>9}  {:>7}  {}"


@dataclass(frozen=True)
class Outcome:
    """One round: what was killed and when (seconds after the start), the exit codes of the run that was hit and of the
    one after it, and what is not right after both. Nothing excuses `wrong` of the failed requests; `gap`: seconds from
    the kill to the last one."""

    kind: str
    moment: float
    hit: bool
    first: int
    second: int
    problem: str
    requests: int
    failed: int
    wrong: int
    gap: float

    @property
    def good(self) -> bool:
        return not self.problem and not self.wrong


def declare(shop: Shop, number: int, *, code: bool) -> None:
    """Declares a release; `code`: of a new image as well."""
    if code:
        shop.write(MIGRATE, f"{(shop.directory / MIGRATE).read_text().partition(LONGER)[0]}{LONGER}{number}\n")
    declared = {"env": {"RELEASE": str(number)}}
    shop.declare(web=declared, other=declared, worker=declared)


def missing(shop: Shop, number: int) -> str:
    """What of the release is not there, or still is of another one; "" when all is right."""
    try:
        answers = set(shop.serving().values())
    except httpx.TransportError as error:
        return f"nothing answers: {error!r}"
    if answers != {str(number)}:
        return f"what answers: {sorted(answers)}"
    states = {name: [each.status for each in engine.containers(f"{shop.prefix}-{name}")] for name in CONTAINERS}
    return ", ".join(f"{name} {several}" for name, several in states.items() if several != ["running"])


def spans(shop: Shop) -> dict[str, float]:
    """{kind: for how many seconds it is there to be killed}, in a release that is left alone. Raises RuntimeError when
    that fails, or a request does: the rounds would say nothing."""
    begins, ends = dict[str, float](), dict[str, float]()
    declare(shop, FIRST, code=True)
    with Poller(shop) as poller:
        possible = ways(shop, FIRST, poller)
        with shop.up_at_work() as run:
            while not ended(run, LOOK):
                for kind in [kind for kind, way in possible.items() if way.there()]:
                    ends[kind] = time.monotonic()
                    begins.setdefault(kind, ends[kind])
    shop.note_images()
    if run.returncode or poller.failed:
        raise RuntimeError(f"nothing was killed, but: exit code {run.returncode}, failed: {poller.failed[:3]}")
    return {kind: ends[kind] - begins[kind] for kind in begins}


def play(shop: Shop, number: int, kind: str, later: float) -> Outcome:
    """One round: declares release `number`, hits its run `later` seconds after there is something of this kind, and
    runs it again."""
    declare(shop, number, code=kind == "migration")
    with Poller(shop) as poller:
        way = ways(shop, number, poller)[kind]
        with shop.up_at_work() as run:
            start = time.monotonic()
            while not way.there() and not ended(run, LOOK):
                pass
            ended(run, later)
            killed = strike(way, run)
            first = run.wait(ENDS)
        second = subprocess.run(
            shop.command("up"),
            cwd=shop.directory,
            env=shop.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=ENDS,
            check=False,
        )
        shop.note_images()
        if second.returncode:
            print(second.stdout, second.stderr, file=sys.stderr)
        with contextlib.suppress(AssertionError):  # killed late, it still starts; for how long, the poller tells
            wait_until("the release is in", lambda: not missing(shop, number), ALLOWED)
        problem = missing(shop, number)
    wrong = [each for each in poller.failed if not killed.excuses(each)]
    for each in wrong[:3]:
        print(f"       {each.sent - killed.done:+.1f} s from the kill: /{each.path} {each.problem}", file=sys.stderr)
    return Outcome(
        kind=kind,
        moment=killed.done - start,
        hit=killed.hit,
        first=first,
        second=second.returncode,
        problem=f"`up` failed; {problem}" if second.returncode else problem,
        requests=len(poller.answers),
        failed=len(poller.failed),
        wrong=len(wrong),
        gap=max((each.known - killed.began for each in poller.failed), default=0.0),
    )


def play_all(shop: Shop, rounds: int, seed: int, kinds: Sequence[str] = KINDS) -> list[Outcome]:
    """So many rounds, each kind about as often, at moments that `seed` settles. Prints a row for each."""
    seconds = spans(shop)
    print("there to be killed:", ", ".join(f"{kind} {seconds.get(kind, 0):.1f} s" for kind in kinds))
    print(ROW.format("round", "killed", "at s", "first", "second", "requests", "failed", "the last, s after the kill"))
    outcomes = []
    for number, (kind, share) in enumerate(drawn(rounds, seed, kinds), 1):
        each = play(shop, FIRST + number, kind, LATEST * share * seconds.get(kind, 0))
        outcomes.append(each)
        verdict = [f"{each.gap:.1f}" if each.failed else "-"]
        verdict += [] if each.hit else ["nothing was there to kill"]
        verdict += [] if each.good else [f"NOT GOOD: {each.wrong} requests should not have failed. {each.problem}"]
        row = (number, kind, f"{each.moment:.1f}", each.first, each.second, each.requests, each.failed)
        print(ROW.format(*row, "  ".join(verdict)), flush=True)
    return outcomes


def summary(outcomes: list[Outcome]) -> str:
    """One line for each kind, and one for all."""
    lines = []
    for kind, count in sorted(Counter(each.kind for each in outcomes).items()):
        mine = [each for each in outcomes if each.kind == kind]
        failed, gap = sum(each.failed for each in mine), max(each.gap for each in mine)
        lines.append(
            f"{kind:<10} {count:>3} rounds, {sum(each.hit for each in mine)} hit; {failed} of "
            f"{sum(each.requests for each in mine)} requests failed, the last {gap:.1f} s after its kill"
        )
    good = sum(each.good for each in outcomes)
    lines.append(f"{good} of {len(outcomes)} kills: one `up` brought the release in, no request failed that should not")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.chaos", description="Random kills during releases.")
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--engine",
        action="store_true",
        help="kill dockerd as well: for root, on an engine that nobody else uses, because all on it is restarted",
    )
    parser.add_argument("--only", choices=[*KINDS, ENGINE], help="kill nothing else; `engine` needs what --engine does")
    parser.add_argument("--virtualenv", type=Path, default=paths.VIRTUALENV, help="the one that the program runs in")
    given = parser.parse_args()
    os.environ.update(environment(Choices.load(), os.environ))
    kinds = (given.only,) if given.only else (*KINDS, *([ENGINE] if given.engine else []))
    if ENGINE in kinds and (problem := dockerd.refusal()):
        parser.error(problem)
    interrupt.on_sigterm()  # so that the site is taken away
    with (
        tempfile.TemporaryDirectory(prefix="chaos-") as directory,
        shop_running(Path(directory), given.virtualenv) as shop,
    ):
        outcomes = play_all(shop, given.rounds, given.seed, kinds)
    print(summary(outcomes))
    sys.exit(not all(each.good for each in outcomes))


if __name__ == "__main__":
    main()
