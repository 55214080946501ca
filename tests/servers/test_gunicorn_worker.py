"""What gunicorn's worker does with a WebSocket when it is stopped; over a release: tests/providers/test_streams.py."""

from __future__ import annotations

import importlib.util
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from slipway.core import gunicorn
from slipway.setup import paths

FRAME = b"0123456789abcdef" * 4096
"""Larger than a socket's buffer takes at once, so that a send may be half-way."""


@pytest.fixture(scope="module")
def worker() -> Any:
    file = paths.PROJECT / "slipway" / "images" / "flask" / f"{gunicorn.WORKER}.py"
    described = importlib.util.spec_from_file_location(gunicorn.WORKER, file)
    assert described
    assert described.loader
    module = importlib.util.module_from_spec(described)
    described.loader.exec_module(module)
    return module


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    near, far = socket.socketpair()
    with near, far:
        yield near, far


def received(far: socket.socket) -> bytes:
    return b"".join(iter(lambda: far.recv(65536), b""))


def test_the_close_frame_comes_between_two_frames_and_nothing_behind_it(
    worker: Any, ends: tuple[socket.socket, socket.socket]
) -> None:
    near, far = ends
    upgraded, sent = worker.Upgraded(near), threading.Event()

    def push() -> None:
        for number in range(40):
            assert upgraded.send(FRAME) == len(FRAME)
            if number == 2:
                sent.set()
            time.sleep(0.01)
        near.close()

    threading.Thread(target=push).start()
    threading.Thread(target=lambda: (sent.wait(10), upgraded.end())).start()
    got = received(far)
    frames, rest = divmod(len(got), len(FRAME))
    assert got == FRAME * frames + worker.GOING_AWAY
    assert (rest, frames < 40) == (len(worker.GOING_AWAY), True)


def test_before_the_app_has_accepted_it_there_is_no_frame_and_then_it_comes_at_once(
    worker: Any, ends: tuple[socket.socket, socket.socket]
) -> None:
    near, far = ends
    upgraded = worker.Upgraded(near)
    upgraded.end()
    upgraded.sendall(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
    upgraded.send(b"hello")
    upgraded.close()
    assert received(far) == b"HTTP/1.1 101 Switching Protocols\r\n\r\n" + worker.GOING_AWAY


def test_an_app_that_refuses_it_answers_undisturbed(worker: Any, ends: tuple[socket.socket, socket.socket]) -> None:
    near, far = ends
    worker.Upgraded(near).end()
    near.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    near.close()
    assert received(far) == b"HTTP/1.1 400 Bad Request\r\n\r\n"
