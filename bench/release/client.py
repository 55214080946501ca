"""The visitors: `python -m bench.release.client HOST PORT LOG [--rate N]`, until SIGTERM; then the last answers are
awaited, and the log is complete.

A process of its own, because it must keep its times while a release has the machine busy; for the same reason it asks
for a better place in the scheduler's queue (visitors have processors of their own).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import hashlib
import os
import random
import signal
import time
from collections import deque
from pathlib import Path
from typing import TextIO

import h11

from bench.release.http import Answer, Connection, Pool
from bench.release.records import Record
from bench.release.schedule import SHORT, UPLOAD_BYTES, Kind, Planned, schedule

NICE = -10
LIMIT = 45.0
"""Seconds until an answer that has not come is given up: longer than the longest that is asked for."""
KNOWN = 256
"""How many of the newest acknowledged entries GETs ask for."""
FLUSH = 0.5


class Client:
    """Sends what is planned and writes down what became of it."""

    def __init__(self, host: str, port: int, log: TextIO) -> None:
        self.host, self.port, self.log = host, port, log
        self.pool = Pool(host, port)
        self.known: deque[str] = deque(maxlen=KNOWN)
        self.upload = random.Random(1).randbytes(UPLOAD_BYTES)  # noqa: S311
        self.upload_sha256 = hashlib.sha256(self.upload).hexdigest()

    async def run(self, rate: int, ended: asyncio.Event) -> None:
        """Until `ended` is set, and then until every answer is there or given up."""
        requests: set[asyncio.Task[None]] = set()
        clock, start = time.time, time.time()
        for planned in schedule(rate):
            if (early := start + planned.at - clock()) > 0:
                await asyncio.sleep(early)
            if ended.is_set():
                break
            task = asyncio.create_task(self.send(planned, start + planned.at))
            requests.add(task)
            task.add_done_callback(requests.discard)
        await asyncio.gather(*requests)

    async def send(self, planned: Planned, due: float) -> None:
        start, status, version, error, sha256 = time.time(), 0, "", "", ""
        method, path, body = self.request(planned)
        if planned.kind.stored:
            sha256 = self.upload_sha256 if planned.kind is Kind.UPLOAD else hashlib.sha256(body).hexdigest()
        try:
            async with asyncio.timeout(LIMIT):
                answer = await self.exchange(planned, method, path, body)
            status, version, error = answer.status, answer.version, wrong(planned, answer)
        except (OSError, h11.ProtocolError, TimeoutError) as problem:
            error = f"{type(problem).__name__}: {problem}"
        done = Record(
            id=planned.id,
            kind=planned.kind,
            kept=planned.kept,
            planned=due,
            start=start,
            end=time.time(),
            status=status,
            version=version,
            error=error,
            sha256=sha256,
        )
        if planned.kind is Kind.POST and not done.failed:
            self.known.append(planned.id)
        self.log.write(done.line())

    def request(self, planned: Planned) -> tuple[str, str, bytes]:
        """Method, path and body."""
        match planned.kind:
            case Kind.GET:
                # One that was acknowledged a while ago: it must be there.
                return "GET", f"/entries/{self.known[0]}" if self.known else "/health", b""
            case Kind.POST:
                return "POST", f"/entries/{planned.id}", planned.id.encode()
            case Kind.UPLOAD:
                return "POST", f"/uploads/{planned.id}", self.upload
        return "GET", f"/{planned.kind}/{planned.seconds:.2f}", b""

    async def exchange(self, planned: Planned, method: str, path: str, body: bytes) -> Answer:
        headers = [("Host", f"{self.host}:{self.port}"), ("User-Agent", "bench")]
        if method == "POST":
            headers.append(("Content-Length", str(len(body))))
        if planned.kept:
            connection = await self.pool.get()
        else:
            connection = await Connection.open(self.host, self.port)
            headers.append(("Connection", "close"))
        try:
            answer = await connection.exchange(method, path, headers, body)
        except BaseException:
            connection.close()
            raise
        self.pool.put(connection)
        return answer


def wrong(planned: Planned, answer: Answer) -> str:
    """What is wrong with an answer whose status is good."""
    if planned.kind is Kind.STREAM and not answer.body.endswith(b"end\n"):
        return f"the stream ended after {len(answer.body)} bytes"
    if planned.kind.stored and f'"{planned.id}"'.encode() not in answer.body:
        return "the answer is about something else"
    return ""


async def serve(host: str, port: int, log: Path, rate: int) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    with log.open("w", buffering=1 << 20) as file:

        async def flush() -> None:
            while True:
                await asyncio.sleep(FLUSH)
                file.flush()

        flushing = asyncio.create_task(flush())
        client = Client(host, port, file)
        gc.collect()
        gc.freeze()
        await client.run(rate, ended)
        flushing.cancel()


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.release.client")
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("log", type=Path)
    parser.add_argument("--rate", type=int, default=SHORT, help="short requests in a second")
    given = parser.parse_args()
    with contextlib.suppress(PermissionError):
        os.nice(NICE)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the keyboard's goes to the bench, which ends this in order
    asyncio.run(serve(given.host, given.port, given.log, given.rate))


if __name__ == "__main__":
    main()
