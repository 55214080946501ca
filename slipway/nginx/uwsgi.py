"""The uwsgi protocol, which nginx can speak with a service instead of HTTP: as nginx's text.

A request is one packet of variables, named as in CGI, and its body; the answer is an HTTP response whose end is the end
of the connection. So each request has a connection of its own. (gunicorn ≥ 24 speaks it; read in its 27.0.1.)
"""

from __future__ import annotations

from collections.abc import Mapping

from slipway.nginx import streams
from slipway.nginx.main import CONNECT, LONGEST_ANSWER_HEAD

LONGEST_LINE = 12
"""KiB of a header line (`edge.maxHeader`) with which a request still fits into a packet of 64 KiB: four lines, of which
the first is passed on twice, as REQUEST_URI and in its parts."""
HIDDEN = ("Date", "Server", "X-Powered-By")
"""Headers of an answer: nginx takes the first two away by itself only where it speaks HTTP."""
HOP_BY_HOP = ("Expect", "Keep-Alive", "TE", "Transfer-Encoding")
"""Headers of a request that are between a client and nginx alone, which leaves them out where it speaks HTTP."""


def lines(headers: Mapping[str, str], *, https: str, request: int, again: bool) -> str:
    """What a server of nginx says that passes requests on by this protocol; where it speaks HTTP, nginx.conf does.

    `headers` replace the client's own: {name: nginx's value}, '""' for none. `https` is a variable of nginx that is
    "on" for a request over TLS and else empty; `request` are the seconds of the longest one; `again`: one that
    could not be handed over may go to the next container.

    PATH_INFO is the path as it was asked for: gunicorn decodes it, and $document_uri is decoded already, so that
    `%2541` would become an `A`.
    """
    variables = {
        "QUERY_STRING": "$query_string",
        "REQUEST_METHOD": "$request_method",
        "CONTENT_TYPE": "$content_type if_not_empty",
        "CONTENT_LENGTH": "$content_length if_not_empty",
        "REQUEST_URI": "$request_uri",
        "PATH_INFO": "$asked_path",
        "SERVER_PROTOCOL": "$server_protocol",
        "HTTPS": f"{https} if_not_empty",
    }
    passed = dict.fromkeys(HOP_BY_HOP, '""') | dict(headers)
    # nginx leaves a header out whose value is written as empty, and passes on one whose variable turns out to be.
    passed |= {name: f"{value} if_not_empty" for name, value in passed.items() if value in streams.MAYBE}
    variables |= {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in passed.items()}
    said = [f"uwsgi_param {name} {value}" for name, value in variables.items()]
    said += [f"uwsgi_hide_header {name}" for name in HIDDEN]
    said += [f"uwsgi_connect_timeout {CONNECT}s", f"uwsgi_send_timeout {request}s", f"uwsgi_read_timeout {request}s"]
    said += ["uwsgi_buffers 16 16k", f"uwsgi_buffer_size {LONGEST_ANSWER_HEAD}k"]
    said += [f"uwsgi_next_upstream {'error' if again else 'off'}", "uwsgi_next_upstream_tries 2"]
    return "".join(f"    {each};\n" for each in said)
