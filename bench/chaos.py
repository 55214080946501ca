"""Random kills during releases: `python -m bench.chaos --rounds 50`.

A small site in production is released again and again, while clients ask it without a pause. In each round one thing
is killed hard at a random moment: the command, nginx, an old or a new container, the migration and, with --engine,
dockerd itself, which everything on the machine notices. Then one `slipway up` must bring the release in. A row for each
round is printed; the exit status is 1 when one did not converge, or when requests failed that should not have: within
ALLOWED seconds of the kill where what served was killed, else never.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from docker.errors import APIError, ContainerError, NotFound
from docker.models.containers import Container

from slipway.setup import paths
from slipway.setup.choices import Choices
from slipway.setup.engine import PIDFILES, start_in_background, version
from tests.e2e.shop import Poller, Shop, shop_running
from tests.support import engine
from tests.support.waiting import wait_until

ALLOWED = 5.0
LONGEST = 14.0
"""Seconds from the start of a run within which something is killed: a release takes about so long."""
KINDS = ("command", "new", "nginx", "old", "migration")
ENGINE = "engine"
ENGINE_BACK = 60
"""Seconds in which a dockerd that was killed must answer again."""
MIGRATE = "services/shop/migrate.py"
ROW = "{:>5}  {:<10} {:>6}  {:>5}  {:>6}  {:>9}  {:>7}  {}"


@dataclass(frozen=True)
class Kill:
    """What was done to a run, in seconds of time.monotonic: the kill fell between `began` and `done`. `hit`: there was
    something to kill. `served`: visitors' requests went through it."""

    began: float
    done: float
    hit: bool
    served: bool

    def excuses(self, moment: float) -> bool:
        """Whether a request that failed at this moment may have."""
        return self.served and self.began <= moment <= self.done + ALLOWED


@dataclass(frozen=True)
class Outcome:
    """One round: what was killed and when (seconds after the start), the exit codes of the run that was hit and of the
    one after it. Nothing excuses `wrong` of the failed requests; `gap`: seconds from the kill to the last one."""

    kind: str
    moment: float
    hit: bool
    first: int
    second: int
    serves: bool
    requests: int
    failed: int
    wrong: int
    gap: float

    @property
    def good(self) -> bool:
        return self.second == 0 and self.serves and not self.wrong


def containers(shop: Shop, name: str) -> list[Container]:
    """The running ones of this name, the newest first."""
    return [each for each in engine.containers(f"{shop.prefix}-{name}") if each.status == "running"]


def kill_first(
    find: Callable[[], list[Container]], how: Callable[[Container], object], going: Callable[[], bool]
) -> bool:
    """Kills one of what is found, as soon as there is something; False when there was nothing as long as `going`."""
    while going():
        for container in find():
            with contextlib.suppress(NotFound, APIError, ContainerError):  # it has just ended by itself
                how(container)
                return True
        time.sleep(0.02)
    return False


def kill(kind: str, shop: Shop, run: subprocess.Popen[bytes], old: set[str], poller: Poller, number: int) -> Kill:
    """Kills one thing of this kind."""
    began = time.monotonic()

    def going() -> bool:
        nonlocal began
        began = time.monotonic()
        return run.poll() is None

    def webs(mine: bool) -> list[Container]:
        return [each for each in containers(shop, "web") if (str(each.id) in old) == mine]

    served = kind in {"nginx", "old", ENGINE}
    if kind == "command":
        hit = False
        with contextlib.suppress(ValueError, ProcessLookupError):  # it had not begun, or had ended
            shop.kill_pulumi()
            hit = True
    elif kind == ENGINE:
        hit = kill_engine()
    elif kind == "migration":
        hit = kill_first(lambda: containers(shop, "web-migrate"), Container.kill, going)
    elif kind == "nginx":
        hit = kill_first(lambda: containers(shop, "edge"), shop.kill_process, going)
    else:
        hit = kill_first(lambda: webs(kind == "old"), shop.kill_process, going)
        served = served or str(number) in poller.releases
    return Kill(began, time.monotonic(), hit, served)


def kill_engine() -> bool:
    """Ends dockerd hard and starts it again, as systemd or an operator would. For root on the engine's host."""
    pid = next(int(file.read_text()) for file in PIDFILES if file.name == "docker.pid" and file.exists())
    os.kill(pid, signal.SIGKILL)
    wait_until("dockerd has ended", lambda: not Path(f"/proc/{pid}").exists(), 10)
    if not Path("/run/systemd/system").is_dir():
        start_in_background()
    return True


def engine_answers() -> bool:
    return bool(version(os.environ["DOCKER_HOST"], os.environ))


def play(shop: Shop, number: int, kind: str, moment: float) -> Outcome:
    """One round: declares release `number`, hits its run, and runs it again."""
    old = {str(each.id) for each in containers(shop, "web")}
    declared = {"env": {"RELEASE": str(number)}}
    if kind == "migration":  # runs when there is a new image, and here long enough to be hit
        shop.write(MIGRATE, f"{(shop.directory / MIGRATE).read_text()}\nimport time; time.sleep(1)  # {number}\n")
    shop.declare(web=declared, other=declared, worker=declared)
    with Poller(shop) as poller:
        with shop.up_at_work() as run:
            start = time.monotonic()
            time.sleep(moment)
            killed = kill(kind, shop, run, old, poller, number)
            if kind == ENGINE:
                wait_until("the engine answers again", engine_answers, ENGINE_BACK)
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
    wrong = [(when, problem) for when, problem in poller.failed if not killed.excuses(when)]
    for when, problem in wrong[:3]:
        print(f"       {when - killed.done:+.1f} s from the kill: {problem}", file=sys.stderr)
    return Outcome(
        kind=kind,
        moment=killed.done - start,
        hit=killed.hit,
        first=first,
        second=second.returncode,
        serves=serves,
        requests=len(poller.answers),
        failed=len(poller.failed),
        wrong=len(wrong),
        gap=max((when - killed.began for when, _ in poller.failed), default=0.0),
    )


def play_all(shop: Shop, rounds: int, seed: int, kinds: tuple[str, ...] = KINDS) -> list[Outcome]:
    """So many rounds, each kind about as often, at moments that `seed` settles. Prints a row for each."""
    chance = random.Random(seed)  # noqa: S311 - repeatable, not secret
    order = [kinds[number % len(kinds)] for number in range(rounds)]
    chance.shuffle(order)
    print(ROW.format("round", "killed", "at s", "first", "second", "requests", "failed", "the last, s after the kill"))
    outcomes = []
    for number, kind in enumerate(order, 1):
        each = play(shop, 100 + number, kind, 0 if kind == "migration" else chance.uniform(0, LONGEST))
        outcomes.append(each)
        verdict = [f"{each.gap:.1f}" if each.failed else "-"]
        verdict += [] if each.hit else ["nothing was there to kill"]
        verdict += [] if each.good else ["NOT GOOD"]
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
    parser.add_argument("--engine", action="store_true", help="kill dockerd, and nothing else: all on it is restarted")
    parser.add_argument("--virtualenv", type=Path, default=paths.VIRTUALENV, help="the one that the program runs in")
    given = parser.parse_args()
    os.environ.update(Choices.load().exported())
    signal.signal(signal.SIGTERM, interrupt)  # so that the site is taken away
    with (
        tempfile.TemporaryDirectory(prefix="chaos-") as directory,
        shop_running(Path(directory), given.virtualenv) as shop,
    ):
        wait_until("the shop is well", lambda: shop.serving()[""] == "1", 20)
        outcomes = play_all(shop, given.rounds, given.seed, (ENGINE,) if given.engine else KINDS)
    print(summary(outcomes))
    sys.exit(not all(each.good for each in outcomes))


def interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
