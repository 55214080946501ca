"""gunicorn's threaded worker, and what a release needs of it besides: what never ends by itself comes to a proper end.

Runs in a service's own image, whatever else that holds: nothing but the standard library and gunicorn.

gunicorn waits for the requests that it has when it is stopped, and knows nothing of a WebSocket but a request that does
not end: after its grace the connection would break off. nginx cannot say goodbye either. So the worker sends the close
frame, and ends a stream of server-sent events behind an event. Browsers open such a stream anew by themselves.
"""

from __future__ import annotations

import contextlib
import queue
import select
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

GOING_AWAY = bytes([0x88, 2]) + (1001).to_bytes(2, "big")
"""A close frame with the status of a server that goes away (RFC 6455, 7.4.1)."""
PATIENCE = 5
"""Seconds for a client to read what was sent before."""
EVENTS = "text/event-stream"
EVENT_ENDS = (b"\n\n", b"\r\n\r\n", b"\r\r")


class Upgraded:
    """A client's socket as an app gets it that may speak WebSocket over it.

    Each send is one or more whole frames, so the close frame goes between two of them. What the app sends behind it
    goes nowhere, as the protocol wants it; the app learns of the end when the client answers.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection, self._lock = connection, threading.Lock()
        self._spoken = self._ending = self._ended = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def send(self, data: bytes, *flags: int) -> int:
        with self._lock:
            if self._ended:
                return len(data)
            self._connection.sendall(data, *flags)
            self._spoken = True
            self._end()
            return len(data)

    def sendall(self, data: bytes, *flags: int) -> None:
        self.send(data, *flags)

    def end(self) -> None:
        """Sends the close frame; where the app has not accepted the WebSocket yet, as soon as it has."""
        self._ending = True
        if self._lock.acquire(timeout=PATIENCE):
            try:
                self._end()
            finally:
                self._lock.release()

    def _end(self) -> None:
        if self._ending and self._spoken and not self._ended:
            self._ended = True
            room = select.poll()
            with contextlib.suppress(OSError):  # the client has gone, or has not read for long
                room.register(self._connection, select.POLLOUT)
                room.poll(PATIENCE * 1000)
                self._connection.send(GOING_AWAY, socket.MSG_DONTWAIT)


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """`upgraded` are the sockets of the requests under way that ask for a WebSocket."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.upgraded: set[Upgraded] = set()
        self.upgrading = threading.Lock()
        self.stopped: queue.SimpleQueue[int] = queue.SimpleQueue()

    def load_wsgi(self) -> None:
        super().load_wsgi()
        self.application: Callable[..., Iterable[bytes]] = self.wsgi
        self.wsgi: Callable[..., Iterable[bytes]] = self.answer
        threading.Thread(target=self.end_upgraded, daemon=True).start()

    def handle_exit(self, sig: int, frame: Any) -> None:
        super().handle_exit(sig, frame)
        self.stopped.put(sig)  # the one thing that may be done wherever the signal interrupted this thread

    def end_upgraded(self) -> None:
        """Waits until the worker is to stop."""
        self.stopped.get()
        with self.upgrading:
            open_ones = list(self.upgraded)
        for each in open_ones:  # none waits for another's client
            threading.Thread(target=each.end, daemon=True).start()

    def answer(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """What the application answers to one request."""
        if environ.get("HTTP_UPGRADE", "").lower() == "websocket":
            return self.upgrade(environ, start_response)
        names: dict[str, str] = {}

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            names.update((name.lower(), value) for name, value in headers)
            if not {"content-length", "x-accel-buffering"} & names.keys():
                # A stream: nginx would keep its parts until a buffer is full, by uwsgi its own, over TLS OpenSSL's.
                headers = [*headers, ("X-Accel-Buffering", "no")]
            return start_response(status, headers, exc_info)

        answered = self.application(environ, start)
        return self.events(answered) if names.get("content-type", "").startswith(EVENTS) else answered

    def upgrade(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        environ["gunicorn.socket"] = upgraded = Upgraded(environ["gunicorn.socket"])
        with self.upgrading:
            self.upgraded.add(upgraded)
        try:
            if not self.alive:
                upgraded.end()
            return self.application(environ, start_response)
        finally:
            with self.upgrading:
                self.upgraded.discard(upgraded)

    def events(self, answered: Iterable[bytes]) -> Iterator[bytes]:
        try:
            for part in answered:
                yield part
                if not self.alive and part.endswith(EVENT_ENDS):
                    return
        finally:
            if close := getattr(answered, "close", None):
                close()
