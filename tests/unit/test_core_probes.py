"""The health checks that services' containers run, asked of a socket that answers what a test wants."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from slipway.core import probes
from slipway.site.protocol import Protocol

NAME = "www.example.org"
WELL = b"HTTP/1.1 200 OK\r\n\r\nwell"


class Server:
    """Answers one connection. `asked` is what came first."""

    def __init__(self) -> None:
        self.listener, self.asked = socket.create_server(("127.0.0.1", 0)), b""
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}/shop/health?deep=1"

    def probed(
        self, answer: bytes, protocol: Protocol = Protocol.HTTP, command: list[str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        thread = threading.Thread(target=self.serve, args=[answer])
        thread.start()
        try:
            return run(command or [sys.executable, *probes.command(self.url, protocol, NAME)[1:]])
        finally:
            thread.join(20)

    def serve(self, answer: bytes) -> None:
        with self.listener, self.listener.accept()[0] as connection:
            self.asked = connection.recv(4000)
            connection.sendall(answer)


def run(command: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=20, check=False, env=environment or None)


def variables(packet: bytes) -> dict[str, str]:
    """Of a request by the uwsgi protocol."""
    words, rest = [], packet[4:]
    while rest:
        size = int.from_bytes(rest[:2], "little")
        words.append(rest[2 : 2 + size].decode())
        rest = rest[2 + size :]
    return dict(zip(words[::2], words[1::2], strict=True))


@pytest.fixture
def server() -> Server:
    return Server()


def test_by_http_it_asks_for_the_path_and_ends_the_connection(server: Server) -> None:
    done = server.probed(WELL)
    assert (done.returncode, done.stderr) == (0, "")
    lines = server.asked.decode().split("\r\n")
    assert lines[0] == "GET /shop/health?deep=1 HTTP/1.1"
    assert {f"Host: {NAME}", "Connection: close"} == set(lines[1:-2])
    assert lines[-2:] == ["", ""]


def test_by_uwsgi_it_asks_for_the_path(server: Server) -> None:
    done = server.probed(WELL, Protocol.UWSGI)
    assert (done.returncode, done.stderr) == (0, "")
    asked = variables(server.asked)
    assert (asked["REQUEST_METHOD"], asked["PATH_INFO"], asked["QUERY_STRING"]) == ("GET", "/shop/health", "deep=1")
    assert asked["HTTP_HOST"] == NAME


@pytest.mark.parametrize("protocol", Protocol)
@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"HTTP/1.1 503 Service Unavailable\r\n\r\n", "HTTP status 503"),
        (b"HTTP/1.1 404 Not Found\r\n\r\n", "HTTP status 404"),
        (b"", "no answer"),
        (b"what?\r\n", "no answer"),
    ],
)
def test_it_says_what_was_wrong_with_the_answer(server: Server, protocol: Protocol, answer: bytes, said: str) -> None:
    done = server.probed(answer, protocol)
    assert done.returncode == 1
    assert said in done.stderr


@pytest.mark.parametrize("protocol", Protocol)
def test_a_redirect_is_a_good_answer(server: Server, protocol: Protocol) -> None:
    assert server.probed(b"HTTP/1.1 302 Found\r\nLocation: /login\r\n\r\n", protocol).returncode == 0


@pytest.mark.parametrize("protocol", Protocol)
def test_it_says_when_nothing_listens(server: Server, protocol: Protocol) -> None:
    server.listener.close()
    done = run([sys.executable, *probes.command(server.url, protocol, NAME)[1:]])
    assert done.returncode == 1
    assert "refused" in done.stderr.splitlines()[-1], "what diagnosis shows is the last line"


@pytest.mark.parametrize("tool", ["curl", "wget", "python3"])
@pytest.mark.parametrize(("answer", "code"), [(WELL, 0), (b"HTTP/1.1 500 No\r\n\r\n", 1)])
def test_a_ready_made_image_needs_one_of_three_tools(
    server: Server, tmp_path: Path, tool: str, answer: bytes, code: int
) -> None:
    program = sys.executable if tool == "python3" else shutil.which(tool)
    if program is None:
        pytest.skip(f"no {tool} here")
    (tmp_path / tool).symlink_to(program)
    command = ["/usr/bin/env", f"PATH={tmp_path}", "/bin/sh", *probes.any_command(server.url, NAME)[1:]]
    done = server.probed(answer, command=command)
    assert min(done.returncode, 1) == code, done.stderr
    assert server.asked.startswith(b"GET /shop/health?deep=1 HTTP/1")
    assert f"\r\nHost: {NAME}\r\n".encode() in server.asked
