"""What goes on and on over releases: WebSockets and server-sent events, with a real nginx and gunicorn."""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest
from simple_websocket import Client, ConnectionClosed

from slipway.providers.release import ReleaseProvider
from slipway.site.protocol import Protocol
from tests.providers.site import Site

HTTP, UWSGI = Protocol.HTTP, Protocol.UWSGI
GOING_AWAY = 1001


class Echo:
    """A WebSocket; `name` says in every message which one it is."""

    def __init__(self, site: Site, name: str) -> None:
        self.name, self.sent = name, 0
        self.client = Client(f"ws://{site.address}/socket")

    def heard(self) -> str:
        """The release that answers a message."""
        self.sent += 1
        self.client.send(f"{self.name} {self.sent}")
        release, _, rest = str(self.client.receive(timeout=5)).partition(" ")
        assert rest == f"{self.name} {self.sent}", "each message is answered once"
        return release

    def closed(self) -> int:
        """The code of the close frame; fails the test where none comes."""
        with pytest.raises(ConnectionClosed) as ended:
            self.client.receive(timeout=10)
        return int(ended.value.reason)


def events(site: Site, query: str = "") -> Iterator[tuple[str, float]]:
    """(the release, how many seconds it took) for each event until the stream ends properly."""
    connection = http.client.HTTPConnection(site.address, timeout=45)
    connection.request("GET", f"/events?{query}", headers={"Accept": "text/event-stream"})
    for line in connection.getresponse():
        if line.startswith(b"data: "):
            release, moment = line.decode().split()[1:]
            yield release, time.time() - float(moment)


def released(site: Site, old: dict[str, object], protocol: Protocol, *, drain: float) -> tuple[dict[str, object], Any]:
    newer = site.start(protocol=protocol)
    outs = ReleaseProvider().update("", old, site.wanted(newer, protocol=protocol, drain=drain)).outs
    assert outs is not None
    return outs, newer


@pytest.mark.parametrize("protocol", [HTTP, UWSGI])
def test_a_websocket_lives_on_until_the_drain_ends_and_is_then_closed_and_its_successor_gets_the_new_release(
    site: Site, protocol: Protocol, capfd: pytest.CaptureFixture[str]
) -> None:
    running = site.start(protocol=protocol)
    old: dict[str, object] = site.release(running, protocol=protocol)
    echo = Echo(site, "first")
    for number in range(1, 4):
        assert echo.heard() == f"r{number}"
        stream = events(site, "0.2")
        assert next(stream)[0] == f"r{number}"
        began = time.monotonic()
        old, newer = released(site, old, protocol, drain=3.0)
        assert time.monotonic() - began > 3, "it is waited for, and not for longer than the drain"
        assert echo.heard() == f"r{number}", "nothing is cut off before its container is stopped"
        young = Echo(site, "young")
        assert young.heard() == f"r{number + 1}"
        running.stop(timeout=40)
        assert echo.closed() == GOING_AWAY
        assert {release for release, _ in stream} == {f"r{number}"}, "a stream ends behind an event"
        assert running.wait()["StatusCode"] == 0
        assert b"[ERROR]" not in running.logs()
        running, echo = newer, young
    assert "some connections are still open after 3 s" in capfd.readouterr().err
    logged = site.edge.logs().decode()
    assert "[error]" not in logged
    assert "[alert]" not in logged
    assert "[crit]" not in logged


@pytest.mark.parametrize("protocol", [HTTP, UWSGI])
def test_an_event_arrives_at_once(site: Site, protocol: Protocol) -> None:
    site.release(site.start(protocol=protocol), protocol=protocol)
    assert all(seconds < 0.3 for _, seconds in islice(events(site), 4))
