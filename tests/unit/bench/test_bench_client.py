"""The load client, against a server that treats it badly."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Awaitable, Callable

import pytest

from bench.release.client import Client
from bench.release.records import Record, parsed
from bench.release.schedule import Kind, Planned

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
CREATED = "HTTP/1.1 201 Created\r\nX-Version: v7\r\nContent-Length: {}\r\n\r\n{}"


async def one_request(reader: asyncio.StreamReader) -> tuple[str, bytes]:
    """Request line and body; raises IncompleteReadError where there is no further request."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    lengths = [line.split(":")[1] for line in head.splitlines() if line.lower().startswith("content-length")]
    return head.splitlines()[0], await reader.readexactly(int(lengths[0])) if lengths else b""


class Server:
    """Answers each POST with the id that its path names; `connections` is how many requests came on each."""

    def __init__(self, first: str = "") -> None:
        self.first, self.connections, self.bodies = first, list[int](), list[bytes]()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = len(self.connections)
        self.connections.append(0)
        try:
            while True:
                line, body = await one_request(reader)
                self.connections[number] += 1
                self.bodies.append(body)
                answer = json.dumps({"id": line.split()[1].rpartition("/")[2]})
                writer.write((self.first or CREATED.format(len(answer), answer)).encode())
                await writer.drain()
                if self.first:
                    break
        except asyncio.IncompleteReadError:
            pass
        writer.close()


def sent(handler: Handler, *planned: Planned) -> list[Record]:
    """Sends these one after the other to a server of its own."""

    async def run() -> list[Record]:
        server = await asyncio.start_server(handler, "127.0.0.1", 0)
        log = io.StringIO()
        client = Client("127.0.0.1", server.sockets[0].getsockname()[1], log)
        for each in planned:
            await client.send(each, due=0.0)
        server.close()
        return list(parsed(io.StringIO(log.getvalue())))

    return asyncio.run(run())


def post(identity: str, *, kept: bool = True) -> Planned:
    return Planned(identity, 0.0, Kind.POST, kept=kept)


def test_a_kept_connection_is_used_again_and_a_new_one_is_not() -> None:
    server = Server()
    records = sent(server, post("a"), post("b"), post("c", kept=False), post("d", kept=False), post("e"))
    assert [(each.id, each.status, each.version, each.failed) for each in records] == [
        (identity, 201, "v7", False) for identity in "abcde"
    ]
    assert server.connections == [3, 1, 1]
    assert server.bodies == [b"a", b"b", b"c", b"d", b"e"]


def test_an_upload_arrives_whole() -> None:
    server = Server()
    (record,) = sent(server, Planned("u", 0.0, Kind.UPLOAD, kept=True))
    assert not record.failed
    assert len(server.bodies[0]) == 8 * 1024 * 1024


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (" ", "Error"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\nhalf", "RemoteProtocolError"),
        ("HTTP/1.1 201 Created\r\nContent-Length: 11\r\n\r\n" + '{"id": "x"}', "something else"),
        ("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", ""),
    ],
)
def test_no_answer_half_a_one_a_wrong_one_and_an_error_are_written_down_and_not_tried_again(
    answer: str, says: str
) -> None:
    server = Server(first=answer)
    (record,) = sent(server, post("a"))
    assert record.failed
    assert says in record.error
    assert server.connections == [1]


def test_a_stream_that_ends_early_is_a_failure_though_its_status_is_good() -> None:
    body = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"
    whole, cut = (
        sent(Server(first=body + text), Planned("s", 0.0, Kind.STREAM, kept=False, seconds=1.0))[0]
        for text in ("end\n", "v1 0")
    )
    assert (whole.failed, cut.error) == (False, "the stream ended after 4 bytes")


def test_nobody_listening_is_a_failure() -> None:
    async def run() -> Record:
        log = io.StringIO()
        await Client("127.0.0.1", 1, log).send(post("a"), due=0.0)
        return next(parsed(io.StringIO(log.getvalue())))

    record = asyncio.run(run())
    assert record.failed
    assert record.error.startswith("ConnectionRefusedError")


def test_requests_are_sent_when_they_are_due_however_slow_the_answers_are() -> None:
    """Nothing is answered until thirty requests are waiting."""
    waiting: list[asyncio.StreamWriter] = []

    async def run() -> list[Record]:
        ended = asyncio.Event()

        async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await one_request(reader)
            waiting.append(writer)
            if len(waiting) >= 30:
                ended.set()
            while ended.is_set() and waiting:
                each = waiting.pop()
                each.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nend\n")
                each.close()

        server = await asyncio.start_server(handler, "127.0.0.1", 0)
        log = io.StringIO()
        client = Client("127.0.0.1", server.sockets[0].getsockname()[1], log)
        client.upload = b"small"
        async with asyncio.timeout(20):
            await client.run(100, ended)
        server.close()
        return list(parsed(io.StringIO(log.getvalue())))

    records = asyncio.run(run())
    assert len(records) >= 30
