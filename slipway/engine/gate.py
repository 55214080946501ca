"""The gate of a release: nothing is switched before every new container is well and has answered through nginx, and
it is switched back when one does not stay well while the old ones are still there.

A container is new when it was not part of the release before. The others may be unwell for a moment (their database
restarts, say), or for good: what serves already is waited for a little and then left as it is, because a release may
be what repairs it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

from docker import DockerClient
from docker.errors import APIError, DockerException
from docker.models.containers import Container

from slipway.engine.candidate import Candidate
from slipway.engine.containers import find
from slipway.engine.edge import ANSWER, Edge
from slipway.engine.errors import Failure
from slipway.engine.progress import pause, say

PATIENCE = 15
"""Seconds that what serves already gets to be well, once everything new is ready."""
TELL = 5
"""Seconds between two lines about what is waited for."""
STOP = 2
"""Seconds between SIGTERM and SIGKILL for a container that never got a request."""


class Gate:
    """The candidates of a release, `described` as in Release, and the time until which they must be ready.

    `settled` are the names of the containers of the release before. Raises Failure for a container that is not there.
    """

    def __init__(
        self, client: DockerClient, described: Sequence[Mapping[str, Any]], settled: set[str], seconds: float
    ) -> None:
        self.client, self.start, self.seconds = client, time.monotonic(), seconds
        self.told = self.start
        self.candidates = [Candidate(each, _found(client, each), each["name"] not in settled) for each in described]

    @property
    def new(self) -> list[Candidate]:
        return [each for each in self.candidates if each.new]

    def begin(self) -> None:
        """Starts again what a failed release had stopped and kept, and the health checks that the engine gave up."""
        now = datetime.fromisoformat(self.client.info()["SystemTime"])
        for each in self.candidates:
            if each.container.status in {"exited", "created"}:
                say(f"release: starting {each.name} again")
                try:
                    each.container.start()
                except APIError as error:
                    raise Failure(f"{each.mine['service']}: {each.name} does not start: {error.explanation}") from None
                each.container.reload()
            elif each.new:
                each.resume_health_checks(now)
            each.expected, each.since = int(each.container.attrs["RestartCount"]), time.monotonic()

    def wait_until_well(self) -> None:
        """Raises Failure as soon as one cannot get well any more, or when the time is up."""
        self._wait(self._all_well, lambda each: each.well_since is not None)
        say(f"release: {len(self.candidates)} containers are well after {self._passed():.1f} s")

    def wait_until_ready(self, edge: Edge) -> None:
        """Asks each container through nginx, which goes round those of an upstream, until each has given a good answer
        and has been well for long enough. Raises Failure as `wait_until_well`."""

        def all_ready() -> bool:
            well = self._all_well()
            self._ask(edge)
            return well and all(each.steady() for each in self.new) and all(each.ready() for each in self.candidates)

        self._wait(all_ready, lambda each: each.ready() and each.steady())
        say(f"release: every container answers through nginx after {self._passed():.1f} s")

    def watch(self) -> None:
        """Raises Failure when one that was let in has not stayed well."""
        self._all_well()
        if lost := [each for each in self.new if each.hopeless]:
            raise Failure(self._problems(lost))

    def _all_well(self) -> bool:
        looked = [each.look() for each in self.candidates]
        return all(looked)

    def _ask(self, edge: Edge) -> None:
        """One question for each container that has not answered yet."""
        behind = [each for each in self.candidates if each.behind_nginx]
        for upstream in sorted({each.mine["upstream"] for each in behind if not each.answered}):
            members = [each for each in behind if each.mine["upstream"] == upstream]
            waiting = [each for each in members if not each.answered]
            for _ in waiting:
                answer = edge.ask(upstream, members[0].mine["ready"], min(ANSWER, max(0.5, self._left())))
                heard = [each for each in members if answer.address in each.addresses()]
                # Without an address nginx knows none, or gave up waiting: that is said of all that may be meant.
                for each in [each for each in heard or waiting if not each.answered]:
                    each.heard(answer.status, good=bool(heard) and 200 <= answer.status < 400)

    def _wait(self, done: Callable[[], bool], good: Callable[[Candidate], bool]) -> None:
        """Until `done`; `good` tells which candidate is not waited for any more."""
        ready_since: float | None = None
        while not done():
            if lost := [each for each in self.new if each.hopeless]:
                raise Failure(self._problems(lost))
            missing = [each for each in self.candidates if not good(each)]
            if any(each.new for each in missing):
                ready_since = None
                if self._left() <= 0:
                    raise Failure(self._problems(each for each in missing if each.new))
            else:
                ready_since = ready_since or time.monotonic()
                if time.monotonic() - ready_since > PATIENCE or self._left() <= 0:
                    for each in missing:
                        say(f"release: {each.why_not_yet()}; it served already, and stays as it is")
                    return
            self._tell(missing)
            pause()

    def _tell(self, missing: Sequence[Candidate]) -> None:
        if time.monotonic() - self.told >= TELL:
            self.told = time.monotonic()
            waiting = "; ".join(each.why_not_yet() for each in missing)
            say(f"release: {self._passed():.0f} of at most {self.seconds:.0f} s: {waiting or 'asking once more'}")

    def _problems(self, lost: Iterable[Candidate]) -> str:
        return "\n".join(each.problem(self._passed()) for each in lost)

    def _passed(self) -> float:
        return time.monotonic() - self.start

    def _left(self) -> float:
        return self.seconds - self._passed()

    def stop(self, serving: set[str]) -> list[str]:
        """Stops what is new and gets no request, so that a worker of the failed release does not go on working, and
        keeps it to be looked at. What replaced its predecessor (strategy recreate) goes on. Returns the names."""
        idle = [each for each in self.new if each.mine["beside"] and each.name not in serving]

        def stop(each: Candidate) -> None:
            try:
                each.container.stop(timeout=STOP)
            except (DockerException, OSError):
                return  # it is gone, or the engine does not answer in time: the report of the cause matters more

        with ThreadPoolExecutor(max_workers=8) as workers:
            list(workers.map(stop, idle))
        return [each.name for each in idle]


def _found(client: DockerClient, described: Mapping[str, Any]) -> Container:
    container = find(client, described["name"])
    if container is None:
        hint = "`slipway up`, and `pulumi up --refresh`, make it again"
        raise Failure(f"{described['service']}: there is no container {described['name']}: {hint}")
    return container
