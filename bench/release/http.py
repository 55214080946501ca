"""HTTP/1.1 for the load client: connections that are opened, used again, and never tried twice.

The protocol is h11's. Nothing is hidden as a browser would hide it: a request that fails is not sent again.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import h11

READ = 64 * 1024
WRITE = 256 * 1024


@dataclass(frozen=True)
class Answer:
    """A whole answer. `version`: what its X-Version header says."""

    status: int
    version: str
    body: bytes


class Connection:
    """One TCP connection to the site."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.protocol = h11.Connection(our_role=h11.CLIENT)

    @classmethod
    async def open(cls, host: str, port: int) -> Connection:
        return cls(*await asyncio.open_connection(host, port))

    @property
    def usable(self) -> bool:
        """Whether another request can be sent, as far as is known here: the other side may be closing it just now."""
        return self.protocol.our_state is h11.IDLE and not self.reader.at_eof() and not self.writer.is_closing()

    async def exchange(self, method: str, path: str, headers: Sequence[tuple[str, str]], body: bytes = b"") -> Answer:
        """Sends one request and reads its whole answer. Raises OSError or h11.ProtocolError where that fails."""
        self.writer.write(self.protocol.send(h11.Request(method=method, target=path, headers=list(headers))) or b"")
        for start in range(0, len(body), WRITE):
            self.writer.write(self.protocol.send(h11.Data(data=body[start : start + WRITE])) or b"")
            await self.writer.drain()
        self.writer.write(self.protocol.send(h11.EndOfMessage()) or b"")
        answer = await self._answer()
        if self.protocol.our_state is h11.DONE and self.protocol.their_state is h11.DONE:
            self.protocol.start_next_cycle()
        return answer

    async def _answer(self) -> Answer:
        status, version, body = 0, "", bytearray()
        while True:
            event = self.protocol.next_event()
            if event is h11.NEED_DATA:
                self.protocol.receive_data(await self.reader.read(READ))
            elif isinstance(event, h11.Response):
                status = event.status_code
                version = next((value.decode() for name, value in event.headers if name == b"x-version"), "")
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage):
                return Answer(status, version, bytes(body))
            elif isinstance(event, h11.ConnectionClosed):
                raise ConnectionResetError("closed without an answer")

    def close(self) -> None:
        self.writer.close()


class Pool:
    """Kept connections. The one that has been idle longest is used next, so that none is idle for long."""

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port
        self.idle: deque[Connection] = deque()

    async def get(self) -> Connection:
        while self.idle:
            if (connection := self.idle.popleft()).usable:
                return connection
            connection.close()
        return await Connection.open(self.host, self.port)

    def put(self, connection: Connection) -> None:
        """Takes it back, or closes one that cannot be used again."""
        if connection.usable:
            self.idle.append(connection)
        else:
            connection.close()
