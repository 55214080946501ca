"""Clients of the site: pictures that are sent and asked for again, and a small load that notes every failure."""

from __future__ import annotations

import functools
import hashlib
import io
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from PIL import Image

PAUSE = 0.02
"""Seconds between two requests of one client: the load is small, tests share the machine."""


def drawn(number: int) -> bytes:
    """A small PNG file, another one for each number."""
    file = io.BytesIO()
    Image.new("RGB", (32, 24), (number % 256, number // 256 % 256, 128)).save(file, "PNG")
    return file.getvalue()


@dataclass
class Uploads:
    """Uploads one picture after the other; `acknowledged` are those the site said it has: {id: SHA-256 of the file}."""

    url: str
    acknowledged: dict[str, str] = field(default_factory=dict)
    sent: int = 0

    def send(self) -> str:
        """ "" when the picture was acknowledged, else what went wrong."""
        self.sent += 1
        picture = drawn(self.sent)
        try:
            answer = httpx.post(
                f"{self.url}pictures",
                files={"file": (f"{self.sent}.png", picture)},
                headers={"Idempotency-Key": str(uuid.uuid4())},
                timeout=30,
            )
        except httpx.TransportError as error:
            return f"{type(error).__name__}: {error}"
        if answer.status_code != httpx.codes.CREATED:
            return f"status {answer.status_code}"
        self.acknowledged[answer.json()["id"]] = hashlib.sha256(picture).hexdigest()
        return ""

    def lost(self) -> list[str]:
        """The acknowledged pictures that the site has not, or has otherwise than they were sent."""
        with httpx.Client(base_url=self.url, timeout=30) as client:
            return [
                identity
                for identity, sha256 in self.acknowledged.items()
                if hashlib.sha256(client.get(f"pictures/{identity}/file").content).hexdigest() != sha256
            ]


@dataclass
class Load:
    """What the clients did: how many requests, and each failure as a line."""

    requests: int = 0
    failures: list[str] = field(default_factory=list)

    def note(self, what: str, problem: str) -> None:
        self.requests += 1
        if problem:
            self.failures.append(f"{time.strftime('%T')} {what}: {problem}")


@contextmanager
def load(urls: list[str], uploads: Uploads | None = None, **options: Any) -> Iterator[Load]:
    """Asks for all `urls` in turn until the block ends: one client keeps its connection, one opens a new one for each
    request, and a third uploads. `options` are httpx's: headers, verify."""
    result = Load()

    def ask(get: Callable[..., httpx.Response], how: str) -> None:
        for url in urls:
            result.note(f"GET {url} {how}", asked(get, url))

    def send() -> None:
        if uploads:
            result.note("POST", uploads.send())

    anew = functools.partial(httpx.get, **options)
    with httpx.Client(timeout=30, **options) as kept, ExitStack() as clients:
        for client in (lambda: ask(anew, "anew"), lambda: ask(kept.get, "on a kept connection"), send):
            clients.enter_context(repeated(client))
        yield result


@contextmanager
def repeated(what: Callable[[], None]) -> Iterator[None]:
    """Does it again and again in a thread until the block ends."""
    ended = threading.Event()

    def run() -> None:
        while not ended.wait(PAUSE):
            what()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def asked(get: Callable[..., httpx.Response], url: str) -> str:
    """ "" when the answer was good, else what went wrong."""
    try:
        answer = get(url, timeout=30)
    except httpx.TransportError as error:
        return f"{type(error).__name__}: {error}"
    return "" if answer.status_code == httpx.codes.OK else f"status {answer.status_code}"
