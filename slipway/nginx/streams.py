"""WebSockets and streams of server-sent events, which may be silent for longer than a request takes: as nginx's text.

A request asks for one or the other by its headers: `Upgrade: websocket`, or `Accept: text/event-stream` as every
browser's EventSource sends it. It goes through a location of its own, because nginx takes no variable for a time.
Nothing else is upgraded: behind `Upgrade: h2c` a client could hide further requests from nginx.
"""

from __future__ import annotations

from slipway.site.protocol import Protocol

UPGRADE, CONNECTION = "$websocket", "$websocket_connection"
"""The values of the two headers by which nginx passes a request for a WebSocket on; empty for any other."""
MAYBE = frozenset((UPGRADE, CONNECTION))
LONG, STREAM = "long", 597
"""The location, in the manner of slipway.nginx.retry, and the status by which it is reached; no client ever gets it."""


def http_part() -> str:
    return """\
map $http_upgrade $websocket {
    default "";
    "~*^websocket$" websocket;
}
map $websocket $websocket_connection {
    default "";
    websocket upgrade;
}
map "$websocket $http_accept" $stream {
    default "";
    "~^websocket " 1;
    "~*^[^ ]* (.*[ ,])?text/event-stream" 1;
}
"""


def turned_aside(service: str) -> list[str]:
    """The directives by which a location hands them to the one of their own."""
    return [f"if ($stream) {{ return {STREAM}; }}", f"error_page {STREAM} = @{service}.{LONG};"]


def server_part(service: str, target: str, protocol: Protocol, *, idle: int) -> str:
    """The location of their own. `idle` is how many seconds one may be silent; what is sent is passed on at once. An
    event may not wait in a buffer, and a WebSocket has none."""
    passing = "uwsgi" if protocol is Protocol.UWSGI else "proxy"
    directives = [
        f"{passing}_read_timeout {idle}s;",
        f"{passing}_send_timeout {idle}s;",
        f"{passing}_buffering off;",
        target,
    ]
    text = "".join(f"        {each}\n" for each in directives)
    return f"    location @{service}.{LONG} {{\n{text}    }}\n"
