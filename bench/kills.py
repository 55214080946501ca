"""What can be killed while a release is brought in, how, and which requests may fail then."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from docker.errors import APIError, ContainerError
from docker.models.containers import Container

from bench import dockerd
from slipway.core.topology import EDGE
from slipway.engine.edge import Edge
from slipway.nginx.main import INTERNAL_PORT, LIVE, MAIN
from slipway.nginx.serving import serving
from tests.e2e.shop import PATHS, Failed, Poller, Shop
from tests.support import engine

ALLOWED = 5.0
"""Seconds in which requests may fail after what they go through was killed."""
KINDS = ("command", "new", "nginx", "old", "migration")
ENGINE = "engine"
WEB = "web"
"""The service whose containers are killed; it answers at the path "" of the shop."""
AGAIN = 0.02
"""Seconds between two attempts."""


@dataclass(frozen=True)
class Way:
    """One kind of kill. `find` tells what there is to kill now, `kill` does it to one of them, `paths`, asked just
    after that, whose requests went through it, and `after` starts what nothing else does."""

    find: Callable[[], Sequence[Any]]
    kill: Callable[[Any], object]
    paths: Callable[[], frozenset[str]] = frozenset
    after: Callable[[], object] = lambda: None

    def there(self) -> Sequence[Any]:
        with contextlib.suppress(APIError):  # it has just gone
            return self.find()
        return ()


@dataclass(frozen=True)
class Kill:
    """What was done to a run, in seconds of time.monotonic: the kill fell between `began` and `done`. `hit`: there was
    something to kill; `paths`: see Way."""

    began: float
    done: float
    hit: bool = True
    paths: frozenset[str] = frozenset()

    def excuses(self, failed: Failed) -> bool:
        """Whether a request may have failed: one that was under way at the kill, or was sent soon after it."""
        return failed.path in self.paths and failed.known >= self.began and failed.sent <= self.done + ALLOWED


def running(shop: Shop, name: str) -> list[Container]:
    """The running containers of this name, the newest first."""
    return [each for each in engine.containers(f"{shop.prefix}-{name}") if each.status == "running"]


def ways(shop: Shop, number: int, poller: Poller) -> dict[str, Way]:
    """{kind: the way}, from before release `number` on: the containers that run now are the old ones."""
    old = {str(each.id) for each in running(shop, WEB)}

    def webs(mine: bool) -> list[Container]:
        return [each for each in running(shop, WEB) if (str(each.id) in old) == mine]

    def of_new() -> frozenset[str]:
        """nginx sends requests to the new container or, since it has answered some, did so before."""
        if str(number) in poller.releases:
            return frozenset({""})
        with contextlib.suppress(APIError):
            files = [Edge(nginx, LIVE, MAIN, INTERNAL_PORT).files() for nginx in running(shop, EDGE)]
            named = {name for each in files for name in serving(each).get(WEB, [])}
            found = engine.containers(f"{shop.prefix}-{WEB}")
            return frozenset({""} if any(each.name in named and str(each.id) not in old for each in found) else ())
        return frozenset()

    return {
        "command": Way(shop.pulumi_at_work, lambda pid: os.kill(pid, signal.SIGKILL)),
        "new": Way(lambda: webs(False), shop.kill_process, of_new),
        # An nginx worker that only finishes goes on using the old one, for as long as keepalive_min_timeout says.
        "old": Way(lambda: webs(True), shop.kill_process, lambda: frozenset({""})),
        "nginx": Way(lambda: running(shop, EDGE), shop.kill_process, lambda: frozenset(PATHS)),
        "migration": Way(lambda: running(shop, f"{WEB}-migrate"), lambda job: job.kill()),
        ENGINE: Way(
            lambda: [ENGINE], lambda _: dockerd.end(signal.SIGKILL), lambda: frozenset(PATHS), after=dockerd.start
        ),
    }


def strike(way: Way, run: subprocess.Popen[bytes]) -> Kill:
    """Kills one of what is there, as soon as there is something and as long as the run goes on."""
    while True:
        for target in way.there()[:1]:
            began = time.monotonic()
            with contextlib.suppress(APIError, ContainerError, ProcessLookupError):  # it has just ended by itself
                way.kill(target)
                killed = Kill(began, time.monotonic(), paths=way.paths())
                way.after()
                return killed
        if ended(run, AGAIN):
            return Kill(time.monotonic(), time.monotonic(), hit=False)


def ended(run: subprocess.Popen[bytes], seconds: float) -> bool:
    """Whether the run has ended, or ends within so many seconds; returns as soon as it does."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        run.wait(seconds)
    return run.returncode is not None


def drawn(rounds: int, seed: int, kinds: Sequence[str]) -> list[tuple[str, float]]:
    """For each round the kind, and the share (0 to 1) of the time in which it is there. Each kind is drawn equally
    often, with shares that are spread evenly, in an order that `seed` settles."""
    chance = random.Random(seed)  # noqa: S311 - repeatable, not secret
    result = []
    for place, kind in enumerate(kinds):
        times = len(range(place, rounds, len(kinds)))
        result += [(kind, (number + chance.random()) / times) for number in range(times)]
    chance.shuffle(result)
    return result
