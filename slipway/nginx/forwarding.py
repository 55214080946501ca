"""What a service is told about the request: by whom, for which name, over what. As nginx's text.

Whatever a client says of itself is overwritten, unless it is a proxy that the site trusts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from slipway.core.timeouts import ladder
from slipway.nginx import streams, uwsgi
from slipway.site.protocol import Protocol
from slipway.site.site import Service

ANY_NAME, NAMELESS = "_", "localhost"
"""server_name of a server for every name, and what it is called where nobody says a name."""
HTTPS = {"$scheme": "$https", "$forwarded_proto": "$forwarded_https"}
"""{variable with the scheme: the one that is "on" for https and else empty}."""
FORWARDING = (
    # the standard's (RFC 7239), and what werkzeug's ProxyFix reads
    "Forwarded", "X-Forwarded-Port", "X-Forwarded-Prefix",
    # gunicorn's secure_scheme_headers, and what else stands for the scheme: HAProxy, IIS, Django's and Rails' recipes
    "Front-End-Https", "X-Forwarded-Protocol", "X-Forwarded-Scheme", "X-Forwarded-Ssl", "X-Scheme", "X-Url-Scheme",
    # the visitor's address: Apache's mod_remoteip, Akamai, Cloudflare, Fastly, and what rate limiters look for
    "CF-Connecting-IP", "Client-IP", "Fastly-Client-IP", "Forwarded-For", "True-Client-IP", "X-Client-IP",
    "X-Cluster-Client-IP", "X-Forwarded", "X-Original-Forwarded-For", "X-Remote-Addr", "X-Remote-IP",
    # the name and the path: Apache's mod_proxy, IIS, and the recipe of Flask's documentation for a prefix
    "X-Forwarded-Path", "X-Forwarded-Server", "X-Host", "X-Original-Host", "X-Original-URI", "X-Original-URL",
    "X-Rewrite-URL", "X-Script-Name",
    "Proxy",  # becomes HTTP_PROXY, which HTTP clients take for their own setting (httpoxy.org)
)  # fmt: skip
"""Headers by which servers in front tell of the request, and which app servers and frameworks read. None of a client's
reaches a service."""
ASKED_HOST = "$asked_name$is_request_port$request_port"
"""The name by which nginx chose the server, and the port that the client asked at. $http_host would be what the client
says beside it: with a whole URL in the request line the two may differ, and `edge.hosts` would hold for the one while
the service believes the other. The variables of the port are nginx's since 1.29.3."""


def name_of(service: Service, hosts: Sequence[str]) -> str:
    """A name that the service is asked for by, for what asks in the place of a visitor or of another service: health
    checks, the release gate. An app may refuse all others (Flask's TRUSTED_HOSTS). `hosts` are the site's own."""
    if not service.routed:
        return service.name
    return service.host or next(iter(hosts), NAMELESS)


def lines(
    protocols: Iterable[Protocol],
    drain: int,
    *,
    host: str = ASKED_HOST,
    proto: str = "$scheme",
    again: bool = True,
) -> str:
    """What a server says that passes requests on by these protocols: its own values for what the client said.

    `drain` is the longest request in seconds. `again`: what one container could not be handed may go to the next.
    """
    values = {
        "Host": host,
        "Connection": streams.CONNECTION if again else '""',
        "Upgrade": streams.UPGRADE if again else '""',
        "X-Real-IP": "$remote_addr",
        "X-Forwarded-For": "$remote_addr",
        "X-Forwarded-Proto": proto,
        "X-Forwarded-Host": host,
        **dict.fromkeys(FORWARDING, '""'),
        "X-Request-ID": "$request_id",
    }
    text = "".join(f"    proxy_set_header {name} {value};\n" for name, value in values.items())
    text += "" if again else "    proxy_next_upstream off;\n"
    if Protocol.UWSGI in set(protocols):
        text += uwsgi.lines(values, https=HTTPS[proto], request=ladder(drain).request, again=again)
    return text


def proto(networks: tuple[str, ...]) -> str:
    """The variable with a visitor's scheme, where visitors may come through proxies in these networks."""
    return "$forwarded_proto" if networks else "$scheme"


def real_ip(networks: tuple[str, ...]) -> str:
    """What a server for visitors says who may come through proxies in these networks."""
    if not networks:
        return ""
    trusted = "".join(f"    set_real_ip_from {network};\n" for network in networks)
    return f"{trusted}    real_ip_header X-Forwarded-For;\n    real_ip_recursive on;\n"


def http_part(networks: tuple[str, ...]) -> str:
    """$asked_name is the name that was asked for (HTTP/1.0 needs none); and what `proto` and HTTPS need:
    X-Forwarded-Proto is believed from those networks only."""
    asked = f"map $host $asked_name {{\n    {ANY_NAME} {NAMELESS};\n    default $host;\n}}\n"
    if not networks:
        return asked
    trusted = "".join(f"    {network} 1;\n" for network in networks)
    return f"""\
{asked}geo $realip_remote_addr $trusted_proxy {{
    default 0;
{trusted}}}
map "$trusted_proxy:$http_x_forwarded_proto" $forwarded_proto {{
    default $scheme;
    "1:https" https;
    "1:http" http;
}}
map $forwarded_proto $forwarded_https {{
    https on;
    default "";
}}
"""
