"""Another container for what one could not be handed, as nginx's text.

`proxy_next_upstream` does that within one request, but gives up ("no live upstreams", 502) when the names were looked
up anew since it began, as they are within a second when a container has gone: nginx compares the two lists in
ngx_http_upstream_get_round_robin_peer, since it has `resolve` (1.27.3). So nginx's own 502 leads to a named location,
which begins anew with the containers of now. A 502 that a service sends itself is passed on.

A container that took a request and gives no answer in time is another matter: the next one would be kept busy with the
same for as long, and the client waits twice. nginx knows only one kind of `timeout`, though, and a container that has
just gone does not even take the connection. So nginx's own 504 leads there as well, and begins anew only where nothing
had been sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from slipway.site.protocol import Protocol

AGAIN, SENT_AGAIN = "again", "sent-again"
"""Which of a service's locations begins anew: what no container has got yet, or may get twice; or whatever it is.
A dot stands before it, which no name of a service has."""


def http_part() -> str:
    """$delivered is "1" where something of a request has been sent to a container and must not be sent to another, and
    $timed_out where the last one that got something of it did not answer in time."""
    return """\
map "$upstream_status $upstream_bytes_sent" $timed_out {
    default "";
    "~504 (.*[ ,])?[1-9][0-9]*$" 1;
}
map "$request_method $upstream_bytes_sent" $delivered {
    default "";
    "~^(POST|PATCH|LOCK) .*[1-9]" 1;
}
"""


def passed(service: str, target: str, errors: Sequence[str] = (), *, to: str = AGAIN) -> str:
    """The directives of a location that passes requests on. `target` is the one that does; `errors` are those of
    `error_page` in its server, of which a location with one of its own inherits none."""
    # recursive: a second failure still leads to the page that the server has for it.
    aside = f"error_page 502 504 = @{service}.{to};"
    return _lines([target, *errors, aside, "recursive_error_pages on;"])


def server_part(
    service: str,
    target: str,
    protocol: Protocol,
    *,
    errors: Sequence[str] = (),
    guard: str = "",
    idempotent: Iterable[str] = (),
) -> str:
    """The locations that a server needs besides: where requests begin anew, and the paths at which also a POST may be
    sent to another container when the one that had it gave no answer. `guard` stands before what passes requests on."""
    passing = "uwsgi" if protocol is Protocol.UWSGI else "proxy"
    twice = f"        {passing}_next_upstream error non_idempotent;\n"
    late = "        if ($timed_out) {\n            return 504;\n        }\n"
    once = "        if ($delivered) {\n            return 502;\n        }\n"
    text = _again(f"@{service}.{AGAIN}", late + once, target)
    for path in idempotent:
        text += f"    location = {path} {{\n{guard}{twice}{passed(service, target, errors, to=SENT_AGAIN)}    }}\n"
    return text + (_again(f"@{service}.{SENT_AGAIN}", late + twice, target) if idempotent else "")


def _again(name: str, first: str, target: str) -> str:
    return f"    location {name} {{\n{first}        {target}\n    }}\n"


def _lines(directives: Iterable[str]) -> str:
    return "".join(f"        {each}\n" for each in directives)
