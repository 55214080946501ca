"""Whether a site answers, asked without a pause by visitors who come anew."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

BEAT, PATIENCE = 0.1, 2.0
"""Seconds between two questions, and until one counts as not answered."""
STEADY = 3.0
"""Seconds of good answers only, after which the site is back; more than PATIENCE, so that each is known by then."""
ENOUGH = 120
"""Seconds for which it is waited for."""
CONTEXT = ssl.create_default_context()
"""Made once: httpx would read all authorities' certificates again for each question, at 25 ms of a processor."""


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
        self.stopped.wait(later)
        while not self.stopped.wait(BEAT):
            asked = time.time()
            try:
                good = httpx.get(self.url, timeout=PATIENCE, verify=CONTEXT).status_code == httpx.codes.OK
            except httpx.TransportError:
                good = False
            self.seen.append((time.time() if good else asked, good))

    def is_back(self, after: float, now: float) -> bool:
        """Whether all answers of the last STEADY seconds were good; such seconds begin `after` that moment."""
        last = [good for moment, good in list(self.seen) if moment >= now - STEADY]
        return now - STEADY >= after and bool(last) and all(last)

    def wait_until_back(self, after: float) -> None:
        """Returns when it is, or after ENOUGH seconds."""
        deadline = time.time() + ENOUGH
        while not self.is_back(after, time.time()) and time.time() < deadline:
            self.stopped.wait(BEAT)

    def gap(self, since: float, ended: float) -> tuple[float, float]:
        """(refused, restart) of a container that ended at this moment; since: the start of the run."""
        seen = sorted(each for each in self.seen if each[0] >= since)
        bad = [moment for moment, good in seen if not good]
        back = next((moment for moment, good in seen if good and moment > max([ended, *bad[-1:]])), time.time())
        return (back - bad[0] if bad else 0.0), back - ended
